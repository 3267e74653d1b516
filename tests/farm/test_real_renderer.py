"""The real NatronRenderer behind the whole path: what comes home is what a direct run on this machine makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from NatronIExec import images

SAMPLES = Path(__file__).parents[1] / "samples" / "shot010"
RECORDED = "/srv/show/shot010"

pytestmark = [
    pytest.mark.natron,
    pytest.mark.skipif(not os.environ.get("NATRON_RENDERER"), reason="NATRON_RENDERER is not set"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    folder = tmp_path / "show" / "shot010"
    shutil.copytree(SAMPLES, folder)
    for project in folder.glob("*.ntp"):
        project.write_text(project.read_text().replace(RECORDED, str(folder)))
    return folder


@pytest.mark.parametrize(
    ("name", "writer", "frames"),
    [
        ("simple", "Write1", "1-4"),
        ("two_writers", "WriteEXR", "3-6"),
        ("merge_unused", "Write1", "5-8"),
        ("time_offset", "Write1", "9-12"),
        ("frame_hold", "Write1", "2-4"),
        ("project_relative", "Write1", "5-8"),
    ],
)
def test_the_frames_are_those_of_a_direct_run(
    farm: Any, shot: Path, tmp_path: Path, name: str, writer: str, frames: str
) -> None:
    _compare(farm, tmp_path, shot / f"{name}.ntp", writer, frames)


def test_a_chunk_in_the_middle_has_the_size_of_the_first(farm: Any, orbit: Path, tmp_path: Path) -> None:
    """The project's format is another than its clip's: only the clip's first file tells."""
    _compare(farm, tmp_path, orbit, "Write1", "5-8")


def _compare(farm: Any, tmp_path: Path, project: Path, writer: str, frames: str) -> None:
    home = tmp_path / "came-home"
    asked = {"project": str(project), "network": "local", "writers": [writer], "frames": frames, "chunk": 2}
    job = farm.call("submit", **asked, out=str(home))["job"]
    row = farm.settled(job)
    assert row["state"] == "done", (row, farm.call("logs", job=job))
    direct = tmp_path / "direct"
    direct.mkdir()
    extension = next(home.iterdir()).suffix
    renderer = os.environ["NATRON_RENDERER"]
    command = [renderer, "--no-settings", "-w", writer, str(direct / f"####{extension}"), str(project), frames]
    # not its exit code: at times it aborts when all is written
    subprocess.run(command, check=False, capture_output=True, env={**os.environ, "HOME": str(tmp_path)})
    ours = [images.pixel_hash(path) for path in sorted(home.iterdir())]
    theirs = [images.pixel_hash(path) for path in sorted(direct.iterdir())]
    assert len(ours) > 0
    assert ours == theirs
