"""What a later job renders: the frames that an earlier one lost, those that a person wants again, or the rest after a
test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.farm.store.job import Job, JobFrame
from NatronIExec.frames import FrameSet
from NatronIExec.states import FRAMES_LOST
from NatronIExec.submission import Submission

#: Which frames to render again: a range for every writer, ranges by writer, or None for the failed frames.
Asked = FrameSet | Mapping[str, FrameSet] | None


def retry_submission(
    job: Job, frames: Sequence[JobFrame], asked: Asked, project: Path, later: Mapping[tuple[str, int], str]
) -> Submission:
    """The submission for the frames of `job` that failed, or for those `asked`; with what was left for after a test.
    `project` is the job's own copy; `later` says which job took care of a frame since. Raises Conflict when there is
    nothing to render again."""
    if asked is None and job.state == "held" and job.rest is not None:
        return job.rest.with_(project=str(project), original=str(job.submission.artist_file))
    wanted = _chooser(job, asked, later)
    by_writer: dict[str, set[int]] = {}
    for frame in frames:
        if wanted(frame):
            by_writer.setdefault(frame.writer, set()).add(frame.frame)
    if not asked and job.rest is not None:  # frames of the test itself failed
        for name, left in job.rest.frames_of.items():
            by_writer.setdefault(name, set()).update(left)
    if not by_writer:
        raise _nothing(asked, later)
    return job.submission.with_(
        project=str(project),
        original=str(job.submission.artist_file),
        writers=tuple(by_writer),
        frames=None,
        frames_of={name: FrameSet(found) for name, found in by_writer.items()},
        test_frames="none",
        only_missing=False,
    )


def _nothing(asked: Asked, later: Mapping[tuple[str, int], str]) -> BadInput | Conflict:
    if asked:
        return BadInput("The job has none of these frames.", "Choose among its own frames.", frames=str(asked))
    with_job = list(later.values())[-1:]
    title = f"What this job lost is with job {with_job[0]}." if with_job else "No frame of this job failed."
    return Conflict(title, "Name frames to render them again.")


def _chooser(job: Job, asked: Asked, later: Mapping[tuple[str, int], str]) -> Callable[[JobFrame], bool]:
    """A function that says whether a frame is rendered again. Frame 7 of two writers is two frames."""
    if not asked:
        return lambda frame: (frame.state in FRAMES_LOST or not job.bought) and (frame.writer, frame.frame) not in later
    if isinstance(asked, FrameSet):
        chosen = frozenset(asked)
        return lambda frame: frame.frame in chosen
    of_writer = {writer: frozenset(frames) for writer, frames in asked.items()}
    return lambda frame: frame.frame in of_writer.get(frame.writer, ())
