"""Watching a job whose tasks fail at their workers ends at once, with the reason and what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLI = [sys.executable, "-m", "NatronIExec.cli"]


def test_it_ends_with_the_reason_and_the_exit_code_of_missing_frames(
    farm: Any, submission: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "NatronRenderer"
    program.write_text("#!/bin/sh\necho 'ERROR: Natron: no plug-ins'\n")
    program.chmod(0o755)
    monkeypatch.setenv("NATRON_RENDERER", str(program))
    job = farm.call("submit", **submission)["job"]
    done = subprocess.run([*CLI, "watch", job], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert "4 failed; refund" in done.stdout
    assert "Frames 1-" in done.stdout
    assert f"natron-iexec retry {job}" in done.stdout
