"""What the farm tells whoever listens: which job changed, which frames of it, and what a person should know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from NatronIExec.farm.store.job import JobFrame


class Events(Protocol):
    """Called from the farm's threads; must return at once."""

    def job_changed(self, job: str) -> None: ...

    def job_removed(self, job: str) -> None: ...

    def frames_changed(self, job: str, frames: Sequence[JobFrame]) -> None: ...

    def notice(self, job: str | None, level: str, title: str, remedy: str) -> None: ...
