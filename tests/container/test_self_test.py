"""`--self-test`, as whoever built an image runs it; in the image itself: tests/publish/test_image_build.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Mapping, Sequence

import pytest

from NatronIExec.container import entrypoint
from NatronIExec.container.self_test import self_test
from NatronIExec.manifest import JOB_ROOT

RENDERER = os.environ.get("NATRON_RENDERER", "")
COMMAND = [sys.executable, "-m", "NatronIExec.container.entrypoint", "--self-test"]


def started(**environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "NATRON_RENDERER"}
    return subprocess.run(COMMAND, env={**kept, **environ}, capture_output=True, text=True, check=False)


def test_it_passes_with_the_stand_in_and_says_so() -> None:
    done = started()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stand-in" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Self-test passed")


@pytest.mark.natron
@pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer")
def test_it_passes_with_natron() -> None:
    done = started(NATRON_RENDERER=RENDERER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stand-in" not in done.stdout


def test_it_fails_when_the_renderer_fails(tmp_path: Path) -> None:
    broken = tmp_path / "NatronRenderer"
    broken.write_text("#!/bin/sh\necho nothing\n")
    broken.chmod(0o755)
    done = started(NATRON_RENDERER=str(broken))
    assert done.returncode == 1
    assert "FAILED" in done.stdout


@pytest.mark.parametrize("left", ["nothing", "another picture"])
def test_it_believes_the_frame_and_not_the_exit_code(left: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
        if left != "nothing":
            entrypoint.main(arguments, environ)
            next(Path(environ["IEXEC_OUT"]).glob("frames/*.png")).write_bytes(b"no picture")
        return 0

    kept = {name: value for name, value in os.environ.items() if name != "NATRON_RENDERER"}
    assert self_test(run, kept) == 1
    assert "not what was asked for" in capsys.readouterr().out


def test_its_project_names_nothing_of_the_machine_that_made_it() -> None:
    text = (Path(entrypoint.__file__).with_name("self_test.ntp")).read_text()
    assert JOB_ROOT in text
    assert "/home/" not in text
    assert "/root" not in text
