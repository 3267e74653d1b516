"""The main job: a saved project goes out, its frames come back, through the real contracts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from NatronIExec import images


def test_a_project_is_rendered_and_its_frames_come_home(farm: Any, orbit: Path) -> None:
    before = hashlib.sha256(orbit.read_bytes()).hexdigest(), orbit.stat().st_mtime_ns
    submission = {"project": str(orbit), "network": "local", "chunk": 8}
    plan = farm.call("plan", **submission)
    assert (plan["tasks"], plan["frames"], plan["problems"]) == (3, 24, [])
    held = farm.call("wallet.state")["balance"]
    job = farm.call("submit", **submission, plan=plan["plan"], max_total_nrlc=plan["total_nrlc"])["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    renders = sorted((orbit.parent / "renders").iterdir())
    assert [path.name for path in renders] == [f"orbit_{frame:04d}.png" for frame in range(1, 25)]
    assert {images.check(path).format for path in renders} == {"png"}
    assert row["paid_nrlc"] == plan["total_nrlc"] == row["most_nrlc"]
    sheet = farm.call("show", job=job)
    assert len(sheet["deals"]) == 1
    now = farm.local.hub.balances(plan["account"])
    spent = (
        held["rlc_nrlc"] + held["stake_nrlc"] + held["locked_nrlc"] - now.rlc_nrlc - now.stake_nrlc - now.locked_nrlc
    )
    assert spent == plan["total_nrlc"]
    assert (hashlib.sha256(orbit.read_bytes()).hexdigest(), orbit.stat().st_mtime_ns) == before
    assert not list(orbit.parent.glob("*.lock"))


def test_uploaded_inputs_are_gone_afterwards(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    farm.engine.farm.queues.stop()  # waits for what runs; clearing is queued before the job is told to be over
    farm.engine.farm.completion.clear(job)
    manifest = farm.call("show", job=job)["manifest"]
    assert farm.engine.farm.services.of("local").storage.has([manifest]) == set()
