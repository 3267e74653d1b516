"""Bursts are coalesced, and nothing is lost by it."""

from __future__ import annotations

import queue
from typing import Any

from NatronIExec.engine.events import Announcer
from NatronIExec.errors import Conflict
from NatronIExec.farm.store.job import JobFrame


def test_a_burst_is_one_message() -> None:
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    announcer = Announcer(sent.put, lambda job: {"id": job})
    for number in range(1000):
        announcer.job_changed("a")
        announcer.frames_changed("a", [JobFrame("W", number, "", 0)])
        announcer.frames_changed("a", [JobFrame("W", number, "", 0, state="imported")])
    announcer.job_removed("b")
    announcer.wallet_changed({"unlocked": True})
    announcer.start()
    jobs, frames, wallet = (sent.get(timeout=10) for _ in range(3))
    announcer.stop()
    assert jobs == {"event": "jobs", "jobs": [{"id": "a"}], "removed": ["b"]}
    assert len(frames["frames"]) == 1000
    assert {frame["state"] for frame in frames["frames"]} == {"imported"}
    assert wallet["wallet"] == {"unlocked": True}
    assert sent.empty()


def test_a_job_that_is_gone_is_left_out() -> None:
    sent: queue.Queue[dict[str, Any]] = queue.Queue()

    def row(job: str) -> dict[str, Any]:
        if job == "gone":
            raise Conflict("gone")
        return {"id": job}

    announcer = Announcer(sent.put, row)
    announcer.job_changed("gone")
    announcer.job_changed("here")
    announcer.start()
    assert sent.get(timeout=10)["jobs"] == [{"id": "here"}]
    announcer.stop()
