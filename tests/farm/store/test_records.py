"""What is kept of a job is read back as it was."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import farm_records as made
import pytest

from NatronIExec.errors import Conflict, PriceAboveCap
from NatronIExec.farm.order.plan import unsigned_request
from NatronIExec.farm.store.job import FolderMove, Job, JobError, Sent
from NatronIExec.farm.store.records import from_json, to_json
from NatronIExec.iexec.records import BagState


@pytest.fixture
def full() -> Job:
    """Every field that may be empty is not."""
    job = made.bought(
        error=JobError.of(PriceAboveCap("Too dear.", "Wait.", cap_nrlc=3)),
        request=unsigned_request(made.quote()),
        sent=(Sent("match", "0x01", "0x02", 7, "ok", 2**70),),
        watch=BagState(12, (0,), (1,)),
        moves=(FolderMove("/a", "/a_v002"),),
        ended_s=1.5,
    )
    return replace(job, rest=replace(job.submission, writers=("Write1",), chunk=3))


def test_a_job_is_read_back(full: Job) -> None:
    assert from_json(Job, json.loads(json.dumps(to_json(full)))) == full
    assert from_json(Job, json.loads(json.dumps(to_json(made.job())))) == made.job()


def test_fields_of_a_newer_version_are_left_out(full: Job) -> None:
    assert from_json(Job, {**to_json(full), "colour": "red"}) == full


@pytest.mark.parametrize(
    "change",
    [{"most_nrlc": "1"}, {"deals": None}, {"cancelled": 1}, {"sent": [{}]}, {"quote": None}, {"submission": {}}],
)
def test_what_is_damaged_says_so(full: Job, change: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="no Job"):
        from_json(Job, {**to_json(full), **change})


def test_many_threads_read_at_once(full: Job) -> None:
    """As the engine's do; a thread that fails fails the test."""
    wire, found = to_json(full), []
    threads = [threading.Thread(target=lambda: found.append(from_json(Job, wire))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [full] * 16
