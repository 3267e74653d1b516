"""What a later job renders: the frames that an earlier one lost, those that a person wants again, or the rest after a
test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.farm.job import Job, JobFrame
from NatronIExec.farm.plan import parse_frames
from NatronIExec.farm.submission import Submission
from NatronIExec.frames import format_frames

_LOST = ("failed", "refunded")


def retry_submission(
    job: Job, frames: Sequence[JobFrame], asked: str | None, project: Path, later: Mapping[tuple[str, int], str]
) -> Submission:
    """The submission for the frames of `job` that failed, or for those `asked`; with what was left for after a test.
    `project` is the job's own copy; `later` says which job took care of a frame since. Raises Conflict when there is
    nothing to render again."""
    if asked is None and job.state == "held" and job.rest is not None:
        return job.rest.with_(project=str(project), original=str(job.submission.artist_file))
    by_writer = _chosen(job, frames, asked, later)
    if asked is None and job.rest is not None:  # the test itself lost frames
        for name, left in job.rest.frames_of.items():
            by_writer.setdefault(name, set()).update(parse_frames(left))
    if not by_writer:
        if asked:
            raise BadInput(f"The job has no frames {asked}.", "Choose among its own frames.")
        if later:
            raise Conflict(
                f"What this job lost is with job {list(later.values())[-1]}.", "Name frames to render them again."
            )
        raise Conflict("No frame of this job failed.", "Name frames to render them again.")
    return job.submission.with_(
        project=str(project),
        original=str(job.submission.artist_file),
        writers=tuple(by_writer),
        frames=None,
        frames_of={name: format_frames(found) for name, found in by_writer.items()},
        test_frames="none",
        only_missing=False,
    )


def _chosen(
    job: Job, frames: Sequence[JobFrame], asked: str | None, later: Mapping[tuple[str, int], str]
) -> dict[str, set[int]]:
    chosen = set(parse_frames(asked)) if asked else None
    by_writer: dict[str, set[int]] = {}
    for frame in frames:
        lost = (frame.state in _LOST or not job.bought) and (frame.writer, frame.frame) not in later
        if frame.frame in chosen if chosen is not None else lost:
            by_writer.setdefault(frame.writer, set()).add(frame.frame)
    return by_writer
