"""A task that failed at its worker is known within a minute, though the chain says nothing until its deadline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.farm.run.worker_reports import ALARMED, CALM
from NatronIExec.iexec.scheduler import TaskReport

BROKEN = "#!/bin/sh\necho 'Persistent message: Read2: Cannot load frame: plates/fg.png'\necho 'Rendering finished'\n"


@pytest.fixture
def broken_renderer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker has whose Natron finds no plug-ins: each frame fails."""
    program = tmp_path / "NatronRenderer"
    program.write_text(BROKEN)
    program.chmod(0o755)
    monkeypatch.setenv("NATRON_RENDERER", str(program))


def failed(farm: Any, submission: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A job all of whose tasks were given up by their workers."""
    job = farm.call("submit", **submission)["job"]
    return job, farm.until(lambda row: row["frames_failed"] == row["frames_total"], job)


def test_the_reason_is_at_each_frame_long_before_the_deadline(
    farm: Any, submission: dict[str, Any], broken_renderer: None
) -> None:
    job, row = failed(farm, submission)
    assert (row["state"], row["frames_done"]) == ("rendering", 0)
    assert "0 of 4 frames, 4 failed; refund" in row["state_text"]
    frames = farm.call("frames", job=job)
    assert {frame["state"] for frame in frames} == {"failed"}
    assert all(frame["log"].startswith("Frame ") for frame in frames), frames[0]["log"]


def test_it_is_said_once_with_what_happens_to_the_money(
    farm: Any, submission: dict[str, Any], broken_renderer: None
) -> None:
    job = farm.call("submit", **submission)["job"]
    said: list[dict[str, Any]] = []
    row = farm.call("show", job=job)
    while row["frames_failed"] < 4 or sum(int(notice["title"].split(": ")[1].split()[0]) for notice in said) < 4:
        event = farm.events.get(timeout=60)
        said += [event] if event["event"] == "notice" and "failed" in event["title"] else []
        row = next((changed for changed in event.get("jobs", ()) if changed["id"] == job), row)
    assert all(notice["job"] == job and "comes back by itself" in notice["remedy"] for notice in said)
    assert all("Frame " in notice["title"] for notice in said)


def test_frames_are_rendered_again_while_the_money_is_still_bound(
    farm: Any, submission: dict[str, Any], broken_renderer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = failed(farm, submission)
    monkeypatch.delenv("NATRON_RENDERER")
    again = farm.call("retry", job=job)["job"]
    assert again != job
    assert farm.settled(again)["state"] == "done"
    assert farm.call("show", job=job)["state"] == "rendering"


def test_a_locked_wallet_leaves_the_bare_fact(farm: Any, submission: dict[str, Any], broken_renderer: None) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: row["state"] == "waiting", job)
    farm.call("wallet.lock")
    spool, reports = farm.engine.farm.spool, farm.engine.farm.reports
    found = spool.job(job)
    spool.change_tasks(job, {0: {"state": "rendering"}})
    scheduler = reports._scheduler((found.quote.network, found.quote.workerpool))
    scheduler.task = lambda taskid: TaskReport("RUNNING_FAILED", 0)
    (told,) = reports.ask(found)
    assert "unlock the wallet" in told.reason
    assert reports.ask(found) == []  # said once


def test_few_questions_a_poll_and_more_once_something_failed(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **{**submission, "frames": "1-24", "chunk": 1})["job"]
    farm.until(lambda row: row["state"] == "waiting", job)
    farm.engine.farm.queues.watch.stop()
    spool, reports = farm.engine.farm.spool, farm.engine.farm.reports
    found = spool.job(job)
    spool.change_tasks(job, {index: {"state": "rendering"} for index in range(24)})
    scheduler = reports._scheduler((found.quote.network, found.quote.workerpool))
    asked: list[str] = []

    def answer(taskid: str) -> TaskReport:
        asked.append(taskid)
        return TaskReport("RUNNING", 2 if len(asked) == 2 * CALM else 0)

    scheduler.task = answer
    scheduler.logs = lambda taskid, signer: [("0x1", "FAILED: Frame 4: no\x1b[2J file", "")]
    counts = []
    for _ in range(4):
        before = len(asked)
        reports.ask(found)
        counts.append(len(asked) - before)
    assert counts == [CALM, CALM, ALARMED, CALM]
    assert len(set(asked[: CALM + CALM + ALARMED])) == CALM + CALM + ALARMED  # round and round
    assert spool.task(job, 2 * CALM - 1).note == "Frame 4: no [2J file"


def test_a_scheduler_that_is_away_disturbs_nothing(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.web.faults[f"/{farm.local.network.chain_id}/workerpools"] = 500
    assert farm.settled(farm.call("submit", **submission)["job"])["state"] == "done"
