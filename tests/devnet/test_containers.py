"""A task as a container: the command line that would be run, seen by a program that stands where docker would."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from NatronIExec.devnet import containers
from NatronIExec.devnet.sandbox import Terms, run_task
from NatronIExec.errors import ServiceError
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal

#: Takes what a task needs of docker: writes down how it was called, and leaves a result where the mount leads.
STAND_IN = """#!/usr/bin/env python3
import json, os, pathlib, sys
with open(os.environ["HOME"] + "/calls", "a") as calls:
    calls.write(json.dumps({"words": sys.argv[1:], "environment": dict(os.environ)}) + "\\n")
if sys.argv[1] == "run":
    out = pathlib.Path(next(word for word in sys.argv if word.endswith(":/iexec_out")).split(":")[0])
    (out / "frames.json").write_text("{}")
    (out / "computed.json").write_text(json.dumps({"deterministic-output-path": "/iexec_out/frames.json"}))
    print("rendered")
"""
DEAL = Deal(
    dealid="0x" + "11" * 32, app=ZERO_ADDRESS, app_price_nrlc=0, dataset=ZERO_ADDRESS, dataset_price_nrlc=0,
    workerpool=ZERO_ADDRESS, workerpool_owner=ZERO_ADDRESS, workerpool_price_nrlc=0, trust=1, category=0, tag="0x0",
    requester=ZERO_ADDRESS, beneficiary=ZERO_ADDRESS, callback=ZERO_ADDRESS, params='{"iexec_args": "--job \'a b\'"}',
    start_s=0, bot_first=0, bot_size=3,
)  # fmt: skip
SECRET = "the sealing key"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ELSEWHERE", "not for a container")
    return tmp_path / "calls"


def test_a_task_is_run_as_the_image(calls: Path, tmp_path: Path) -> None:
    folder, secrets = tmp_path / "task", {"IEXEC_REQUESTER_SECRET_1": SECRET}
    done = run_task(DEAL, 2, "0x" + "22" * 32, folder, secrets, Terms(60), "", threading.Event(), image="render:1")
    assert (done.status, done.stdout) == ("COMPUTED", "rendered\n")
    ran, removed = (json.loads(line) for line in calls.read_text().splitlines())
    words, given = ran["words"], ran["environment"]
    assert words[0] == "run"
    assert words[-3:] == ["render:1", "--job", "a b"]
    assert f"{folder}/iexec_in:/iexec_in:ro" in words
    assert "IEXEC_REQUESTER_SECRET_1" in words
    assert SECRET not in " ".join(words)
    assert given["IEXEC_REQUESTER_SECRET_1"] == SECRET
    assert (given["IEXEC_OUT"], given["IEXEC_BOT_TASK_INDEX"]) == ("/iexec_out", "2")
    assert "ELSEWHERE" not in given
    assert removed["words"] == ["rm", "--force", words[words.index("--name") + 1]]


def test_an_image_needs_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calls: Path) -> None:
    assert containers.image() == ""
    monkeypatch.setenv(containers.VARIABLE, "render:1")
    assert containers.image() == "render:1"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="no Docker engine answers"):
        containers.image()
