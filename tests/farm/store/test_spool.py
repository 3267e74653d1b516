"""What must outlive the engine is on disk, whole, and safe for its threads."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import farm_records as made
import pytest

from NatronIExec.errors import Cancelled, Conflict
from NatronIExec.farm.store.spool import Spool

PATIENCE_S = 60


@pytest.fixture
def spool(tmp_path: Path) -> Any:
    opened = Spool(tmp_path / "spool", clock=lambda: 5.0)
    yield opened
    opened.close()


def test_what_is_added_is_there_after_a_restart(spool: Spool) -> None:
    job, tasks = made.bought(), made.tasks()
    spool.add(job, tasks, made.frames_of(tasks))
    again = Spool(spool.folder)
    assert again.job(job.id) == job
    assert again.tasks(job.id) == tasks
    assert again.task(job.id, 1) == tasks[1]
    assert again.frames(job.id) == made.frames_of(tasks)
    assert again.frames(job.id, 1) == made.frames_of(tasks[1:])
    assert again.steps(job.id) == [{"step": "accepted", "at_s": 5.0}]
    again.close()


def test_fields_of_tasks_and_frames_keep_their_places(spool: Spool) -> None:
    """Each has another value, so that no two can be mixed up."""
    task = replace(
        made.tasks(1)[0], state="done", dealid="d", taskid="t", worker="w", location="l", digest="g", tries=3, note="n"
    )
    frame = replace(
        made.frames_of([task])[0], view="left", state="imported", tries=2, time_s=1.5, size=7, file="/f", log="said"
    )
    spool.add(made.job(), [task], [frame])
    assert spool.tasks("job-1") == [task]
    assert spool.frames("job-1") == [frame]
    spool.put_frames("job-1", [replace(frame, size=8)])
    assert spool.frames("job-1") == [replace(frame, size=8)]


def test_an_unknown_job_or_task_is_said(spool: Spool) -> None:
    spool.add(made.job(), [], [])
    with pytest.raises(Conflict, match="no job"):
        spool.job("another")
    with pytest.raises(Conflict, match="no task"):
        spool.task("job-1", 7)


def test_a_job_never_goes_back_a_step_and_steps_are_told_once_they_are_on_disk(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    spool = Spool(tmp_path / "spool", lambda job, step: told.append((step, spool.job(job).step)))
    spool.add(made.job(), [], [])
    spool.update("job-1", step="ordered")
    spool.update("job-1", step="bundled", state="ordering")
    assert (spool.job("job-1").step, spool.job("job-1").state) == ("ordered", "ordering")
    assert told[:2] == [("accepted", "accepted"), ("ordered", "ordered")]
    assert [row["step"] for row in spool.steps("job-1")] == ["accepted", "ordered", "bundled"]  # each time it was taken
    spool.close()


def test_a_change_that_fails_changes_nothing(spool: Spool) -> None:
    spool.add(made.job(), made.tasks(), [])
    with pytest.raises(TypeError):
        spool.update("job-1", state="done", colour="red")
    with pytest.raises(Exception, match="colour"):
        spool.change_tasks("job-1", {0: {"state": "done"}, 1: {"colour": "red"}})
    assert spool.job("job-1").state == "preparing"
    assert spool.counts_of("job-1", "tasks") == {"waiting": 2}


def test_signing_stops_at_a_cancel(spool: Spool) -> None:
    spool.add(made.job(), [], [])
    spool.update("job-1", cancelled=True)
    with pytest.raises(Cancelled):
        spool.update("job-1", unless_cancelled=True, step="signed")
    assert spool.job("job-1").step == "accepted"


def test_what_is_open_is_what_something_is_to_be_done_for(spool: Spool) -> None:
    for job_id in ("a", "b", "c"):
        spool.add(made.bought(job_id) if job_id == "b" else made.job(job_id), [], [])
    spool.update("a", state="cancelled")
    spool.update("b", state="partly")
    assert [job.id for job in spool.open_jobs()] == ["b", "c"]
    spool.update("b", step="over")
    assert spool.open_count() == 1
    spool.update("c", removed=True)
    assert {job.id for job in spool.jobs()} == {"a", "b"}
    assert len(spool.all_jobs()) == 3


def test_retries_of_retries_are_descendants(spool: Spool) -> None:
    for at, (job_id, parent) in enumerate([("a", ""), ("b", "a"), ("c", "b"), ("d", "")]):
        spool.add(made.job(job_id, parent=parent, created_s=at), [], [])
    assert [job.id for job in spool.descendants("a")] == ["b", "c"]


def test_states_are_counted(spool: Spool) -> None:
    tasks = made.tasks(3)
    spool.add(made.job(), tasks, made.frames_of(tasks))
    spool.change_tasks("job-1", {0: {"state": "done", "note": "x"}})
    spool.change_frames("job-1", [0], state="imported")
    spool.change_frames("job-1", [0, 1], unless=("imported",), state="failed", log="lost")
    assert spool.task_counts() == {"job-1": {"done": 1, "waiting": 2}}
    assert spool.frame_counts() == {"job-1": {"imported": 2, "failed": 2, "waiting": 2}}


def test_uploads_that_another_job_needs_stay(spool: Spool) -> None:
    for job_id in ("a", "b"):
        spool.add(made.job(job_id), [], [])
    spool.plan_uploads("a", "local", ["one", "two", "two"])
    spool.plan_uploads("b", "local", ["two"])
    spool.stored("local", ["one", "two"])
    assert spool.stored_cids("local") == {"one", "two"}
    with spool.removing_uploads("a", 20) as unneeded:
        assert unneeded == ["one"]
    assert spool.stored_cids("local") == {"two"}
    with spool.removing_uploads("a", 20) as unneeded:
        assert unneeded == []


def test_uploads_that_could_not_be_removed_are_not_forgotten(spool: Spool) -> None:
    spool.add(made.job(), [], [])
    spool.plan_uploads("job-1", "local", ["one"])
    spool.stored("local", ["one"])
    with pytest.raises(OSError, match="away"), spool.removing_uploads("job-1", 20):
        raise OSError("the storage is away")
    assert spool.stored_cids("local") == {"one"}


def test_no_job_finds_what_is_being_removed(spool: Spool) -> None:
    for job_id in ("a", "b"):
        spool.add(made.job(job_id), [], [])
    spool.plan_uploads("a", "local", ["one"])
    spool.stored("local", ["one"])
    found: list[set[str]] = []

    def begin() -> None:
        spool.plan_uploads("b", "local", ["one"])
        found.append(spool.stored_cids("local"))

    other = threading.Thread(target=begin)
    with spool.removing_uploads("a", 20) as unneeded:
        other.start()
        assert unneeded == ["one"]
    other.join(PATIENCE_S)
    assert found == [set()]


def test_the_ledger_has_a_line_a_job(spool: Spool) -> None:
    row = {
        "job": "a", "name": "shot", "at_s": 1.0, "paid_nrlc": 5, "refunded_nrlc": 0, "gas_wei": str(2**80),
        "network": "local", "transaction": "0x1",
    }  # fmt: skip
    spool.enter(row)
    spool.enter({**row, "refunded_nrlc": 5})
    assert spool.ledger() == [{**row, "refunded_nrlc": 5}]
