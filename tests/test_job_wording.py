"""The state and the money of a job in words."""

from __future__ import annotations

from typing import Any

import pytest

from NatronIExec import job_wording


def row(**changes: Any) -> dict[str, Any]:
    known = {"state": "rendering", "state_text": "rendering", "created_s": 1000, "ended_s": None, "refund_at_s": None}
    return {**known, "refunded_nrlc": 0, "paid_nrlc": 3, "most_nrlc": 5, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state_text": "rendering, 12 of 24 frames"}, "Rendering, 12 of 24 frames, 2 min"),
        ({"state_text": "The network is busy. Trying again."}, "The network is busy. Trying again, 2 min"),
        ({"state": "held", "state_text": "test frames are there"}, "Test frames are there"),
        ({"state": "paused", "state_text": "needs an answer: funds"}, "Needs an answer: funds"),
        ({"state": "done", "state_text": "20 frames rendered"}, "20 frames rendered"),
    ],
)
def test_states_of_a_job(changes: dict[str, Any], said: str) -> None:
    assert job_wording.job_state(row(**changes), 1120) == said


def test_when_money_comes_back() -> None:
    due = row(refund_at_s=5000)
    assert job_wording.refund(due, 4000).startswith("after ")
    assert job_wording.refund(due, 6000) == "due now"
    assert job_wording.refund(row(state="partly", refunded_nrlc=10**8), 6000) == "0.1 RLC"
    assert job_wording.refund(row(state="done", refund_at_s=5000), 6000) == job_wording.refund(row(), 1) == ""


def test_what_was_paid_of_the_most() -> None:
    assert job_wording.paid(row(paid_nrlc=3 * 10**8, most_nrlc=5 * 10**8)) == "0.3 of 0.5 RLC"
    assert job_wording.paid(row(paid_nrlc=10**9, most_nrlc=10**9)) == "1 RLC"
