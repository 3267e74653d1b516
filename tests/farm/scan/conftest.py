from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples" / "shot010"
RECORDED = "/srv/show/shot010"


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample shot, with the recorded paths rewritten to where it lies now."""
    folder = tmp_path_factory.mktemp("show") / "shot010"
    shutil.copytree(SAMPLES, folder)
    for project in folder.glob("*.ntp"):
        project.write_text(project.read_text().replace(RECORDED, str(folder)))
    return folder
