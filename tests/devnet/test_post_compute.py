"""A task has the memory and the way back that the live networks give, no more."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from NatronIExec.devnet.post_compute import RunOutcome, post_compute
from NatronIExec.devnet.sandbox import Terms, _run
from NatronIExec.iexec.network import BUILT_IN, MEMORY_LIMIT_BYTES, RESULT_LIMIT_BYTES

MIB = 1 << 20
RAN = RunOutcome("RAN", "", "")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "iexec_out"
    folder.mkdir()
    (folder / "frames.json").write_text("{}")
    (folder / "computed.json").write_text(json.dumps({"deterministic-output-path": "/iexec_out/frames.json"}))
    return folder


@pytest.mark.parametrize(("more", "status"), [(0, "COMPUTED"), (MIB, "FAILED")])
def test_a_result_that_is_too_large_is_none(out: Path, tmp_path: Path, more: int, status: str) -> None:
    (out / "frame.exr").write_bytes(os.urandom(MIB + more))
    found = post_compute(out, tmp_path, RAN, MIB + MIB // 2, None, "")
    assert found.status == status
    assert (found.archive is None) == (status == "FAILED")
    assert post_compute(out, tmp_path, RAN, 0, None, "").status == "COMPUTED"


@pytest.mark.parametrize("name", ["n" * 32, "n" * 28 + ".exr"])
def test_a_long_name_fails_the_task(out: Path, tmp_path: Path, name: str) -> None:
    (out / name).write_text("x")
    assert "TOO_LONG" in post_compute(out, tmp_path, RAN, 0, None, "").stderr


def test_a_result_without_its_proof_is_none(out: Path, tmp_path: Path) -> None:
    (out / "frames.json").unlink()
    assert post_compute(out, tmp_path, RAN, 0, None, "").status == "FAILED"
    (out / "computed.json").unlink()
    assert post_compute(out, tmp_path, RAN, 0, None, "").status == "FAILED"


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_a_task_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    greedy = "import time; held = bytearray(300 << 20); print('held', flush=True); time.sleep(600)"
    command, environment = [sys.executable, "-c", greedy], {"PATH": os.environ["PATH"]}
    found = _run(command, environment, tmp_path, Terms(500, memory_limit_bytes=200 * MIB), threading.Event())
    assert "more than 200 MiB of memory" in found.stderr


def test_live_networks_and_the_local_one_have_the_same_limits(local) -> None:
    for network in (*BUILT_IN.values(), local.network):
        assert network.result_limit_bytes == RESULT_LIMIT_BYTES
        assert network.memory_limit_bytes == MEMORY_LIMIT_BYTES
