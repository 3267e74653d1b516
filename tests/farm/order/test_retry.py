"""Which frames are bought again: never one that nobody asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.job_verbs import _asked
from NatronIExec.errors import BadInput, Conflict
from NatronIExec.farm.order.retry import retry_submission
from NatronIExec.farm.store.job import Job, JobDeal, JobFrame, Quote
from NatronIExec.frames import parse_frames
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder
from NatronIExec.submission import Submission

PROJECT = Path("/show/spool/job/project.ntp")


def read(asked: Any) -> Any:
    """As it comes through the engine's door."""
    name = "frames_of" if isinstance(asked, dict) else "frames"
    return _asked(Arguments("retry", {name: asked} if asked else {}))


def texts(submission: Submission) -> dict[str, str]:
    return {writer: str(frames) for writer, frames in submission.frames_of.items()}


@pytest.fixture
def job() -> Job:
    z = ZERO_ADDRESS
    app = AppOrder(z, 0, 1, NO_TAG, z, z, z, "0x" + "00" * 32)
    quote = Quote("local", z, app, (), 1, 0, "S", 300, NO_TAG, 1, 0, 1, 0)
    deal = JobDeal("0x01", "0x02", 1, 0, 1, 0, 0)
    return Job("job", 0.0, Submission("/show/shot.ntp", "local"), quote, 1, state="partly", deals=(deal,))


@pytest.fixture
def frames() -> list[JobFrame]:
    states = {3: "failed"}
    return [JobFrame(w, n, "", 0, states.get(n, "imported")) for w in ("Left", "Right") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("asked", "bought"),
    [
        (None, {"Left": "3", "Right": "3"}),
        ("2", {"Left": "2", "Right": "2"}),
        ({"Right": "1-2"}, {"Right": "1-2"}),
        ({"Left": "1", "Right": "3"}, {"Left": "1", "Right": "3"}),
    ],
)
def test_only_what_is_asked_for(job: Job, frames: list[JobFrame], asked: Any, bought: dict[str, str]) -> None:
    again = retry_submission(job, frames, read(asked), PROJECT, {})
    assert texts(again) == bought
    assert again.writers == tuple(bought)
    assert again.frames is None


def test_frames_that_it_does_not_have(job: Job, frames: list[JobFrame]) -> None:
    with pytest.raises(BadInput, match="none of these frames"):
        retry_submission(job, frames, read({"Middle": "1"}), PROJECT, {})
    with pytest.raises(Conflict):
        retry_submission(job, [frame for frame in frames if frame.state == "imported"], None, PROJECT, {})


def test_what_a_later_job_took_care_of(job: Job, frames: list[JobFrame]) -> None:
    """Is left out of what failed, but not when it is chosen."""
    later = {("Left", 3): "job-2"}
    assert texts(retry_submission(job, frames, None, PROJECT, later)) == {"Right": "3"}
    assert texts(retry_submission(job, frames, read({"Left": "3"}), PROJECT, later)) == {"Left": "3"}


def test_how_frames_are_asked_for() -> None:
    assert _asked(Arguments("retry", {})) is None
    assert _asked(Arguments("retry", {"frames": "1-3"})) == parse_frames("1-3")
    assert _asked(Arguments("retry", {"frames": "1-3", "frames_of": {"Left": "2"}})) == read({"Left": "2"})
    with pytest.raises(BadInput):
        _asked(Arguments("retry", {"frames_of": {"Left": 2}}))
    with pytest.raises(BadInput):
        _asked(Arguments("retry", {"frames_of": ["2"]}))


def test_the_engine_prices_only_what_is_named(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    rows = farm.call("frames", job=job)
    chosen = {rows[0]["writer"]: str(rows[0]["frame"])}
    plan = farm.call("plan", retry=job, frames_of=chosen)
    assert plan["frames"] == 1
    with pytest.raises(BadInput, match="none of these frames"):
        farm.call("plan", retry=job, frames_of={"Another": str(rows[0]["frame"])})
