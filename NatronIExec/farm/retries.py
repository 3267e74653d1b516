"""What a later job renders: the frames that an earlier one lost, those that a person wants again, or the rest after a
test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.farm.job import Job, JobFrame
from NatronIExec.farm.plan import parse_frames
from NatronIExec.farm.submission import Submission
from NatronIExec.frames import format_frames

_LOST = ("failed", "refunded")
#: Frames of every writer, frames by writer, or None for those that failed.
Asked = str | Mapping[str, str] | None


def retry_submission(job: Job, frames: Sequence[JobFrame], asked: Asked, project: Path) -> Submission:
    """The submission for the frames of `job` that failed, or for those `asked`; for a job that waits after its test,
    the rest. `project` is the job's own copy. Raises Conflict when there is nothing to render again."""
    if asked is None and job.state == "held" and job.rest is not None:
        return job.rest.with_(project=str(project), original=str(job.submission.artist_file))
    wanted = _chooser(job, asked)
    by_writer: dict[str, set[int]] = {}
    for frame in frames:
        if wanted(frame):
            by_writer.setdefault(frame.writer, set()).add(frame.frame)
    if not by_writer:
        if asked:
            raise BadInput("The job has none of these frames.", "Choose among its own frames.", frames=str(asked))
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


def _chooser(job: Job, asked: Asked) -> Callable[[JobFrame], bool]:
    """Whether a frame is rendered again. The same number of two writers is two frames: the artist may want one."""
    if not asked:
        return lambda frame: frame.state in _LOST or not job.bought
    if isinstance(asked, str):
        chosen = frozenset(parse_frames(asked))
        return lambda frame: frame.frame in chosen
    of_writer = {writer: frozenset(parse_frames(text)) for writer, text in asked.items()}
    return lambda frame: frame.frame in of_writer.get(frame.writer, ())
