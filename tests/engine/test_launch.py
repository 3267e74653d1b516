"""Where the engine is started, and what it must not find there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from NatronIExec.engine import launch
from NatronIExec.engine.client import EngineClient
from NatronIExec.engine.launch import start_engine
from NatronIExec.errors import EngineNotFound

COMMAND = [sys.executable, "-m", "NatronIExec.engine"]


@pytest.mark.skipif(os.name != "posix", reason="HOME is the home folder there only")
def test_a_file_in_the_persons_home_is_not_taken_for_a_module(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = tmp_path / "person"
    persons.mkdir()
    for name in ("json", "queue", "NatronIExec"):
        (persons / f"{name}.py").write_text("raise SystemExit('taken for a module')")
    monkeypatch.setenv("HOME", str(persons))
    client = EngineClient(command=COMMAND)
    assert client.connect()["home"] == str(home)
    client.call("stop")
    client.close()
    assert launch._started[-1].wait(60) == 0


def test_a_state_folder_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine runs elsewhere and must mean the same one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NATRON_IEXEC_HOME", "relative")
    written = tmp_path / "seen"
    program = f"import os; open({str(written)!r}, 'w').write(os.environ['NATRON_IEXEC_HOME'] + chr(10) + os.getcwd())"
    assert start_engine([sys.executable, "-c", program]).wait(60) == 0
    assert set(written.read_text().splitlines()) == {str(tmp_path / "relative")}


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NATRON_IEXEC_HOME", str(tmp_path / "file" / "state"))
    with pytest.raises(EngineNotFound, match="cannot be started"):
        start_engine(COMMAND)
