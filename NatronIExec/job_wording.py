"""How windows and commands say the state and the money of a job and its frames. `row` is a JobRow of shapes.py."""

from __future__ import annotations

import time
from typing import Optional

from NatronIExec.shapes import JobRow
from NatronIExec.states import is_at_rest, is_over
from NatronIExec.wording import clock, duration, rlc, rlc_number

FRAME_STATES = {
    "waiting": "Waiting",
    "rendering": "Rendering",
    "imported": "Here",
    "failed": "Failed",
    "refunded": "Refunded",
}


def frame_state(state: str) -> str:
    """A newer engine may know states that we do not: said as they are."""
    return FRAME_STATES.get(state, state)


def job_state(row: JobRow, now_s: Optional[float] = None) -> str:
    """`Waiting for a worker, 2 min`: what it does and since when; the engine says the first."""
    text = row["state_text"][:1].upper() + row["state_text"][1:]
    if is_over(row["state"]):
        return f"{text}, {clock(row['ended_s'], now_s)}" if row["ended_s"] else text
    if is_at_rest(row["state"]):
        return text
    return text.rstrip(".") + ", " + duration((time.time() if now_s is None else now_s) - row["created_s"])


def refund(row: JobRow, now_s: Optional[float] = None) -> str:
    """When money comes back for frames that are not delivered, or what came back."""
    due, back = row["refund_at_s"], row["refunded_nrlc"]
    if is_over(row["state"]) or not due:
        return rlc(back) if back else ""
    return "due now" if is_late(row, now_s) else "after " + clock(due, now_s)


def is_late(row: JobRow, now_s: Optional[float] = None) -> bool:
    """Whether unfinished frames can be refunded already."""
    due = row["refund_at_s"]
    return due is not None and due < (time.time() if now_s is None else now_s)


def paid(row: JobRow) -> str:
    """`0.3 of 0.5 RLC`: what was spent, of the most that it can be."""
    spent, most = row["paid_nrlc"], row["most_nrlc"]
    return f"{rlc_number(spent)} of {rlc(most)}" if spent != most else rlc(spent)
