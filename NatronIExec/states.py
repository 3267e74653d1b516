"""The states of a job, its tasks and its frames: the words that the spool keeps and the engine sends, and what follows
from each. A state is a string; the types let mypy refuse a word that is none of them."""

from __future__ import annotations

from typing import FrozenSet, Literal, Tuple, get_args

#: `partly`: over, with frames missing. `held`: test frames are there, the rest waits for a click. `paused`: it goes on
#: once a person has done what its error says.
JobState = Literal[
    "preparing",
    "uploading",
    "ordering",
    "waiting",
    "rendering",
    "importing",
    "done",
    "partly",
    "failed",
    "cancelled",
    "held",
    "paused",
]

#: `delivered`: its result is on the way here. `refused`: what came back is not what the chain promised, or the task was
#: never bought. `refunded`: not delivered in time, and its money is back.
TaskState = Literal["waiting", "rendering", "delivered", "done", "refused", "refunded"]

#: `imported`: its file is in the output folder.
FrameState = Literal["waiting", "rendering", "imported", "failed", "refunded"]

JOB_STATES: Tuple[JobState, ...] = get_args(JobState)
TASK_STATES: Tuple[TaskState, ...] = get_args(TaskState)
FRAME_STATES: Tuple[FrameState, ...] = get_args(FrameState)

#: Jobs that nothing more happens to.
OVER: FrozenSet[str] = frozenset({"done", "partly", "failed", "cancelled"})
#: Jobs that ended with frames in their folder.
BROUGHT_HOME: FrozenSet[str] = frozenset({"done", "partly"})
#: Jobs that last until a person says something.
ASKING: FrozenSet[str] = frozenset({"held", "paused"})
#: Jobs with nothing of theirs under way: they may be taken off the list, and their storage is cleared.
SETTLED: FrozenSet[str] = OVER | {"held"}

#: Tasks that nothing more happens to.
TASKS_OVER: FrozenSet[str] = frozenset({"done", "refused", "refunded"})
#: Frames that will not come from this job.
FRAMES_LOST: FrozenSet[str] = frozenset({"failed", "refunded"})


def is_over(state: str) -> bool:
    """Whether nothing more happens to a job: it is done, partly done, failed or cancelled."""
    return state in OVER


def is_settled(state: str) -> bool:
    """Whether a job has nothing under way: it is over, or held after its test frames."""
    return state in SETTLED


def is_at_rest(state: str) -> bool:
    """Whether a job changes only by a person's word: it is over, held or paused."""
    return state in OVER or state in ASKING
