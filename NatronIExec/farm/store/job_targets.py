"""Where the frames of a job that was accepted go."""

from __future__ import annotations

from NatronIExec.farm.store.job import Job
from NatronIExec.scan.output_paths import Targets


def targets_of(job: Job, writer: str) -> Targets:
    """Of a job that was accepted: as its project said then."""
    return Targets(next(one for one in job.writers if one.name == writer), job.submission.out)
