"""Where the frames of a job that was accepted go."""

from __future__ import annotations

from NatronIExec.farm.store.job import Job
from NatronIExec.scan.output_paths import Targets
from NatronIExec.scan.writers import ScanWriter


def targets_of(job: Job, writer: str) -> Targets:
    """Of a job that was accepted: as its project said then."""
    facts = next(facts for facts in job.writers if facts["name"] == writer)
    return Targets(ScanWriter(**{**facts, "views": tuple(facts["views"])}), job.submission.out)
