"""The records of a scan: what it found, and the sheet that CLI and GUI show of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from NatronIExec.ntp.node_graph import Graph
from NatronIExec.scan.check import Check, in_order
from NatronIExec.scan.colour_config import ColourConfig
from NatronIExec.scan.file_uses import FileUse
from NatronIExec.scan.fonts import FontUse
from NatronIExec.scan.spare_files import Spare
from NatronIExec.scan.writers import ScanWriter


@dataclass(frozen=True)
class ScanFile:
    """A file of the render. `clip` numbers the clip that it belongs to (`Scan.clips`), -1 for none."""

    path: str
    node: str
    why: str
    size: int
    exists: bool
    clip: int = -1


@dataclass(frozen=True)
class ScanChunk:
    """What one task renders, and the absolute paths that it reads."""

    index: int
    writer: str
    frames: tuple[int, ...]
    files: tuple[str, ...]


def frames_of(chunks: Iterable[ScanChunk]) -> dict[str, list[int]]:
    """The frames of chunks, by writer."""
    frames: dict[str, list[int]] = {}
    for chunk in chunks:
        frames.setdefault(chunk.writer, []).extend(chunk.frames)
    return frames


@dataclass(frozen=True)
class Missing:
    """A file that is needed and not there, by which node, for which frames and chunks of the render."""

    path: str
    node: str
    frames: tuple[int, ...]
    chunks: tuple[int, ...]


@dataclass(frozen=True)
class Scan:
    """The result. `project` is what was read, `original` the artist's file. `plugins` are the ids of those that the
    pictures need. `uses`, `colour` and `fonts` are what `snapshot` rewrites; `copied` are the nodes that it keeps.
    `clips` are whole; `spare` is what of them no chunk asks for."""

    project: Path
    original: Path
    writers: tuple[ScanWriter, ...]
    files: tuple[ScanFile, ...]
    chunks: tuple[ScanChunk, ...]
    missing: tuple[Missing, ...]
    checks: tuple[Check, ...]
    bytes_sent: int
    bytes_whole_clips: int
    clips: tuple[tuple[str, ...], ...] = ()
    plugins: tuple[str, ...] = ()
    uses: tuple[FileUse, ...] = field(default=(), repr=False)
    colour: tuple[ColourConfig, ...] = field(default=(), repr=False)
    fonts: tuple[FontUse, ...] = field(default=(), repr=False)
    graph: Graph | None = field(default=None, repr=False, compare=False)
    looked_at: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    copied: frozenset[str] = field(default=frozenset(), repr=False)
    spare: Spare = field(default=Spare(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """The ScanSheet of docs/engine-protocol.md."""
        return {
            "writers": [_row(writer) for writer in self.writers],
            "files": [
                {"path": file.path, "node": file.node, "why": file.why, "size": file.size, "exists": file.exists}
                for file in self.files
            ],
            "chunks": [
                {"index": chunk.index, "writer": chunk.writer, "frames": list(chunk.frames), "files": list(chunk.files)}
                for chunk in self.chunks
            ],
            "missing": [
                {"path": gap.path, "node": gap.node, "frames": list(gap.frames), "chunks": list(gap.chunks)}
                for gap in self.missing
            ],
            "checks": [asdict(check) for check in self.checks],
            "bytes": {"sent": self.bytes_sent, "whole_clips": self.bytes_whole_clips},
        }

    def with_checks(self, more: Iterable[Check]) -> Scan:
        return replace(self, checks=in_order([*self.checks, *more]))

    def frames_by_writer(self) -> dict[str, list[int]]:
        """Of all chunks."""
        return frames_of(self.chunks)

    @property
    def errors(self) -> tuple[Check, ...]:
        """The checks that block."""
        return tuple(check for check in self.checks if check.level == "error")


def _row(writer: ScanWriter) -> dict[str, Any]:
    row = asdict(writer) | {"views": list(writer.views)}
    del row["plain"]  # how the file name is read, of no use elsewhere
    return row
