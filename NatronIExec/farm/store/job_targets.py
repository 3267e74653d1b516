"""The output paths of an accepted job."""

from __future__ import annotations

from NatronIExec.farm.store.job import Job
from NatronIExec.scan.output_paths import Targets


def targets_of(job: Job, writer: str) -> Targets:
    """The output paths of one writer, as its project had them when the job was accepted."""
    return Targets(next(one for one in job.writers if one.name == writer), job.submission.out)
