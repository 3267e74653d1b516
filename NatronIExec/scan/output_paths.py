"""Which file each frame becomes on the artist's disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from NatronIExec.ntp.file_patterns import FilePattern
from NatronIExec.scan.writers import ScanWriter


class Targets:
    """Where a writer's frames go: the writer's own folder, or `out` in its place. (Several frames without a place for
    their number are an error of the scan.)"""

    def __init__(self, writer: ScanWriter, out: str | None = None) -> None:
        folder, name = os.path.split(writer.file)
        pattern = FilePattern(os.path.join(out, name) if out and not FilePattern(folder).tokens else writer.file)
        if out and FilePattern(folder).tokens:
            pattern = FilePattern(os.path.join(out, os.path.relpath(writer.file, pattern.root)))
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
