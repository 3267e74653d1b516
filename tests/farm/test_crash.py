"""Killed at every step and started again: bought exactly once, all frames there, nothing left in the storage."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec.engine.client import EngineClient
from NatronIExec.errors import NatronIExecError
from NatronIExec.farm.store.job import STEPS

PASSWORD = "correct horse battery"
MORTAL = Path(__file__).with_name("mortal_engine.py")
MOMENTS = (*STEPS, "match is with the node", "first frame is in place")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_started_again(
    moment: str, start_farm: Callable[..., Any], submission: dict[str, Any], local: Any, known: Callable[[Any], None]
) -> None:
    known(local)
    before = _money(local)
    with subprocess.Popen([sys.executable, str(MORTAL), moment], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"listening\n"
        client = EngineClient()
        client.connect(start=False)
        client.call("wallet.import", {"name": "r", "password": PASSWORD, "key": local.people["requester"].key})
        client.call("wallet.unlock", {"password": PASSWORD})
        plan = client.call("plan", submission)
        with pytest.raises(NatronIExecError) if moment == "accepted" else contextlib.nullcontext():
            client.call("submit", {**submission, "plan": plan["plan"]})
        assert child.wait(60) == -9
        client.close()

    farm = start_farm()
    job = farm.call("jobs")[0]["id"]
    if farm.settled(job)["state"] == "paused":
        assert farm.call("show", job=job)["error"]["code"] == "wallet-locked"
        farm.call("wallet.unlock", password=PASSWORD)
    row = farm.until(lambda row: row["state"] == "done", job)

    assert row["frames_done"] == 4
    assert before - _money(local) == row["paid_nrlc"] == plan["total_nrlc"]
    sheet = farm.call("show", job=job)
    assert sum(deal["tasks"] for deal in sheet["deals"]) == 2
    assert list(local.hub.consumed([sheet["request_order"]]).values()) == [2]
    renders = Path(submission["project"]).parent / "renders"
    assert sorted(path.name for path in renders.iterdir()) == [f"orbit_{frame:04d}.png" for frame in range(1, 5)]


def _money(local: Any) -> int:
    held = local.hub.balances(local.people["requester"].address)
    return int(held.rlc_nrlc + held.stake_nrlc + held.locked_nrlc)
