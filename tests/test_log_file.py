"""Logs: what they never hold, how large they get, who reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from NatronIExec import log_file
from NatronIExec.log_file import LogFile
from NatronIExec.redaction import Redactor


def test_an_old_log_is_put_aside_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 20)
    file = LogFile(tmp_path / "logs" / "x.log", Redactor().redact)
    for number in range(5):
        file.write(f"line number {number}")
    assert {path.name: path.read_text() for path in file.path.parent.iterdir()} == {
        "x.log": "line number 4\n",
        "x.log.1": "line number 3\n",
        "x.log.2": "line number 2\n",
    }


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_only_its_owner_reads_a_log(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "logs" / "x.log", Redactor().redact)
    file.write("hello")
    assert file.path.stat().st_mode & 0o077 == 0
    assert file.path.parent.stat().st_mode & 0o077 == 0


def test_no_secret_is_written_whatever_the_text(tmp_path: Path) -> None:
    redactor = Redactor()
    file = LogFile(tmp_path / "x.log", redactor.redact)
    with redactor.hiding("four words of mine"):
        file.write("it was: four words of mine")
    file.write("{'password': 'typed', 'key': '" + "4c" * 32 + "'}")
    file.write("half a letter: \ud800")
    text = file.path.read_text()
    for secret in ("four words", "typed", "4c4c"):
        assert secret not in text
    assert "half a letter" in text
