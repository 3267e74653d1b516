"""Random projects against the real renderer, traced: with only what is sent it complains of nothing and makes the same
pictures. By hand: NATRON_IEXEC_RANDOM=500 pytest -m natron tests/scan/test_random_projects.py; NATRON_IEXEC_SEED is the
first number."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from NatronIExec import images
from NatronIExec.errors import BadInput
from NatronIExec.farm.pack.project_copy import snapshot
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.scan.project_scan import scan

RENDERER = os.environ.get("NATRON_RENDERER", "")
COUNT, SEED = int(os.environ.get("NATRON_IEXEC_RANDOM", "8")), int(os.environ.get("NATRON_IEXEC_SEED", "1"))
GENERATOR = Path(__file__).parents[1] / "support" / "random_projects.py"
SHOT = Path(__file__).parents[1] / "samples" / "shot010"
#: Clips with gaps, far from frame 1, and short, as (pattern, frames).
MORE = {"gap/gap.%04d.png": (1, 2, 4, 5, 6, 9, 10, 13, 14, 18, 19, 20, 24), "far/far.%03d.png": tuple(range(101, 126)),
        "short/s_%d.png": tuple(range(3, 8))}  # fmt: skip
MOST_SENT = 1.25
#: Projects of which fewer say nothing about a mean.
ENOUGH = 50
_OPENED = re.compile(r'open(?:at)?\([^"]*"([^"]+\.(?:png|cube))".* = \d+$')

pytestmark = [
    pytest.mark.natron,
    pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer"),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed"),
]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("random")
    shutil.copytree(SHOT, folder, dirs_exist_ok=True)
    for pattern, frames in MORE.items():
        for frame in frames:
            (folder / pattern).parent.mkdir(exist_ok=True)
            images.draw_slate(folder / (pattern % frame), (64, 36), [str(frame)], frame % 24 / 24)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "CORPUS_OUT": str(folder),
        "CORPUS_FOOTAGE": str(folder),
        "CORPUS_SEED": str(SEED),
        "CORPUS_COUNT": str(COUNT),
    }
    command = [RENDERER, "--no-settings", "-t", str(GENERATOR)]
    subprocess.run(command, env=environment, capture_output=True, timeout=60 + 5 * COUNT, check=False)
    return folder


def traced(project: Path, writer: str, frames: range, out: Path) -> tuple[set[str], list[str], list[str]]:
    """What a render opens, what it complains of, and the hashes of its pictures ("" where there is none)."""
    out.mkdir(parents=True)
    command = ["strace", "-f", "-qq", "-e", "trace=open,openat", "-o", str(out / "trace"), RENDERER, "--no-settings"]
    command += ["-w", writer, str(out / "f_####.exr"), str(project), f"{frames[0]}-{frames[-1]}"]
    env = {**os.environ, "HOME": str(out)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env, check=False)
    lines = (out / "trace").read_text("utf-8", "replace").splitlines()
    opened = {os.path.realpath(found.group(1)) for found in map(_OPENED.search, lines) if found}
    complaints = [line for line in done.stdout.splitlines() if line.startswith(("Persistent message", "ERROR"))]
    return opened, complaints, [hashed(out / f"f_{frame:04d}.exr") for frame in frames]


def hashed(picture: Path) -> str:
    try:
        return images.pixel_hash(picture) if picture.exists() else ""
    except BadInput:  # parts of an empty picture are not written
        return "odd"


def test_what_is_sent_is_enough_and_hardly_more(room: Path, tmp_path: Path) -> None:
    sent = opened = 0
    for number in range(SEED, SEED + COUNT):
        project = room / f"g{number:05d}.ntp"
        frames = range(1 + number % 17, 3 + number % 17)
        whole = traced(project, "W1", frames, tmp_path / f"{number}-whole")
        found = scan(project, writers=["W1"], frames=frames, environment={})
        packed = snapshot(found, tmp_path / f"{number}-sent")
        job = tmp_path / f"{number}-job"
        for source, path in [(packed.project, "project.ntp"), *packed.files]:
            (job / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, job / path)
        text = (job / "project.ntp").read_text()
        (job / "project.ntp").write_text(text.replace(JOB_ROOT, str(job)))
        alone = traced(job / "project.ntp", "W1", frames, tmp_path / f"{number}-alone")
        assert (number, alone[1]) == (number, whole[1])
        assert (number, alone[2]) == (number, whole[2])
        sent += len(packed.files)
        opened += len([path for path in alone[0] if path.startswith(str(job.resolve()))])
    assert sent <= MOST_SENT * opened or COUNT < ENOUGH
