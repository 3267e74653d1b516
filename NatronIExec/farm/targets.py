"""Which file each frame becomes on the artist's disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from NatronIExec.farm.job import Job
from NatronIExec.farm.sequences import FilePattern
from NatronIExec.farm.writers import ScanWriter


class Targets:
    """Where a writer's frames go: the writer's own folder, or `out` in its place. A name without a place for the frame
    number gets one when there are `several` frames: each would overwrite the one before."""

    def __init__(self, writer: ScanWriter, out: str | None = None, several: bool = True) -> None:
        folder, name = os.path.split(writer.file)
        pattern = FilePattern(os.path.join(out, name) if out and not FilePattern(folder).tokens else writer.file)
        if out and FilePattern(folder).tokens:
            pattern = FilePattern(os.path.join(out, os.path.relpath(writer.file, pattern.root)))
        if several and not pattern.has_frames and not writer.movie:
            stem, extension = os.path.splitext(pattern.text)
            pattern = FilePattern(f"{stem}.####{extension}")
        self._pattern = pattern
        self._views = tuple(writer.views or ("Main",))
        self.movie = writer.movie
        self.extension = writer.format
        #: "" stands for "no views in the name".
        self.views: tuple[str, ...] = tuple(writer.views) or ("",)

    @property
    def folder(self) -> str:
        return os.path.dirname(self._pattern.text) if not FilePattern(self._pattern.text).tokens else self._pattern.root

    @property
    def numbered(self) -> bool:
        """Whether each frame has a file of its own."""
        return self._pattern.has_frames

    @property
    def pattern(self) -> str:
        return self._pattern.text

    def path(self, frame: int, view: str = "") -> str:
        number = self._views.index(view) if view in self._views else 0
        return self._pattern.name(frame, number, self._views)

    def files(self, frames: Sequence[int]) -> Iterator[tuple[int, str, str]]:
        """(frame, view, path) of every file; a movie is one file, at its first frame."""
        for frame in frames[:1] if self.movie else frames:
            for view in self.views:
                yield frame, view, self.path(frame, view)


def frozen(writer: ScanWriter, several: bool) -> dict[str, Any]:
    """The facts of a writer that an accepted job keeps."""
    return {**asdict(writer), "file": Targets(writer, None, several).pattern}


def targets_of(job: Job, writer: str) -> Targets:
    """Of a job that was accepted: as its project said then."""
    facts = next(facts for facts in job.writers if facts["name"] == writer)
    return Targets(ScanWriter(**{**facts, "views": tuple(facts["views"])}), job.submission.out, several=False)
