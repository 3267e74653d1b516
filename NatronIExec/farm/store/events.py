"""The interface for the farm's announcements: a job changed, frames changed, a notice for the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from NatronIExec.farm.store.job import JobFrame


class Events(Protocol):
    """Implemented by the engine. Methods are called from the farm's threads and must return at once."""

    def job_changed(self, job: str) -> None: ...

    def job_removed(self, job: str) -> None: ...

    def frames_changed(self, job: str, frames: Sequence[JobFrame]) -> None: ...

    def notice(self, job: str | None, level: str, title: str, remedy: str) -> None: ...
