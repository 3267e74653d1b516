"""The image without Docker: its last step with a real Natron, and what the Dockerfile promises to the program in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "NatronIExec" / "container" / "Dockerfile").read_text()
RENDERER = os.environ.get("NATRON_RENDERER", "")


@pytest.mark.natron
@pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer")
def test_the_last_step_bakes_the_list_of_plugins(tmp_path: Path) -> None:
    step = re.findall(r"^RUN (.*?[^\\])$", DOCKERFILE, re.DOTALL | re.MULTILINE)[-1]
    path = f"{Path(RENDERER).parent}:{os.environ['PATH']}"
    home = {"NATRON_IEXEC_BAKED_HOME": str(tmp_path), "PATH": path}
    subprocess.run(["/bin/bash", "-o", "pipefail", "-c", step], env=home, cwd=tmp_path, check=True, timeout=120)
    (baked,) = tmp_path.glob(".cache/INRIA/Natron/OFXLoadCache/OFXCache_*.xml")
    assert b"fr.inria.openfx.ReadOIIO" in baked.read_bytes()


def test_every_folder_that_is_copied_is_there() -> None:
    for sources in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).is_dir()


def test_build_arguments_without_a_default_are_in_the_docs() -> None:
    said = (ROOT / "docs" / "container.md").read_text()
    for argument in re.findall(r"^ARG (\w+)$", DOCKERFILE, re.MULTILINE):
        assert f"--build-arg {argument}=" in said
        assert f"--build-arg {argument}=" in DOCKERFILE


def test_file_names_are_utf8_in_the_image() -> None:
    assert re.search(r"^ENV LANG=C\.UTF-8 ", DOCKERFILE, re.MULTILINE)
