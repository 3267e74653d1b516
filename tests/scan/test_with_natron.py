"""With a real Natron: what is rendered from the copy, in a clean folder, is what the artist's project renders."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from NatronIExec import images
from NatronIExec.farm.pack.project_copy import snapshot
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.scan.project_scan import scan

RENDERER = os.environ.get("NATRON_RENDERER", "")
pytestmark = [
    pytest.mark.natron,
    pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer"),
]
CASES = [
    ("simple", "Write1", 2, 4),
    ("merge_unused", "Write1", 3, 4),
    ("time_offset", "Write1", 7, 8),
    ("frame_hold", "Write1", 5, 6),
    ("project_relative", "Write1", 4, 5),
    ("lut", "Write1", 3, 4),
    ("still_matte", "Write1", 3, 4),
    ("two_writers", "WriteBeauty", 10, 11),
    ("disabled_writer", "WriteOn", 2, 3),
]


def rendered(project: Path, writer: str, first: int, last: int, out: Path, environment: dict[str, str]) -> list[str]:
    """Hashes of the decoded pictures."""
    out.mkdir()
    home = out / "home"
    home.mkdir()
    command = [RENDERER, "--no-settings", "-w", writer, str(out / "f_####.png"), str(project), f"{first}-{last}"]
    env = {**os.environ, "HOME": str(home), **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env, check=False)
    assert "Persistent message" not in done.stdout, done.stdout[-2000:]
    return [images.pixel_hash(out / f"f_{frame:04d}.png") for frame in range(first, last + 1)]


@pytest.mark.parametrize(("name", "writer", "first", "last"), CASES)
def test_copy_renders_the_same_pixels(
    shot: Path, tmp_path: Path, name: str, writer: str, first: int, last: int
) -> None:
    project = shot / f"{name}.ntp"
    direct = rendered(project, writer, first, last, tmp_path / "direct", {})
    packed = snapshot(scan(project, writers=[writer], frames=range(first, last + 1)), tmp_path / "to")
    job = tmp_path / "job"
    for source, path in [(packed.project, "project.ntp"), *packed.files]:
        (job / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, job / path)
        if path.endswith(".ntp"):
            text = (job / path).read_text()
            (job / path).write_text(text.replace(JOB_ROOT, str(job)))
    environment = {key: value.replace(JOB_ROOT, str(job)) for key, value in packed.environment.items()}
    aside = shot.with_name("aside")
    shot.rename(aside)
    try:
        copy = rendered(job / "project.ntp", writer, first, last, tmp_path / "copy", environment)
    finally:
        aside.rename(shot)
    assert copy == direct
