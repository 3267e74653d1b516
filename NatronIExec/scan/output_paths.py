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
        pattern = writer.pattern
        if out:
            folder = os.path.abspath(out)
            name = os.path.relpath(pattern.text, pattern.root).rsplit("\\", 1)[-1]  # of a Windows path, its end
            pattern = FilePattern(os.path.join(folder, name), len(folder))
        self._pattern = pattern
        self._views = tuple(writer.views or ("Main",))
        self.movie = writer.movie
        self.extension = writer.format
        #: "" stands for "no views in the name".
        self.views: tuple[str, ...] = tuple(writer.views) or ("",)

    @property
    def folder(self) -> str:
        return self._pattern.root if self._pattern.tokens else os.path.dirname(self._pattern.text)

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
