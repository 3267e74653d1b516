"""What an artist should know before paying: errors block, warnings and infos are said.

Codes are stable; docs/scan.md lists them. A check never raises and looks only at what the scan already knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from NatronIExec.scan.check import Check
from NatronIExec.scan.scan_result import Missing
from NatronIExec.scan.worker_image import Image

if TYPE_CHECKING:
    from NatronIExec.ntp.file_patterns import Folders
    from NatronIExec.ntp.node_graph import Graph, Placed
    from NatronIExec.ntp.parameters import Values
    from NatronIExec.scan.clips import Clip
    from NatronIExec.scan.colour_config import ColourConfig
    from NatronIExec.scan.file_uses import FileUse
    from NatronIExec.scan.fonts import FontUse
    from NatronIExec.scan.frame_flow import Flow
    from NatronIExec.scan.writers import ScanWriter


@dataclass(frozen=True)
class Facts:
    """All that the checks look at. `frames` are those to render, by the name of a chosen writer; `files` the paths of
    what is sent; `reached` the nodes that take part in a chosen writer's pictures."""

    graph: Graph
    image: Image
    values: Values
    original: Path
    described: Sequence[ScanWriter]
    chosen: tuple[ScanWriter, ...]
    named: tuple[str, ...]
    frames: Mapping[str, Sequence[int]]
    flows: tuple[Flow, ...]
    reached: Mapping[str, Placed]
    uses: Mapping[str, Sequence[FileUse]]
    clips: Mapping[str, Sequence[Clip]]
    files: frozenset[str]
    folders: Folders
    colour: Sequence[ColourConfig]
    fonts: Sequence[FontUse]
    missing: Sequence[Missing]

    @cached_property
    def reached_uses(self) -> tuple[FileUse, ...]:
        return tuple(use for name in self.reached for use in self.uses.get(name, ()))

    @cached_property
    def written(self) -> Mapping[str, tuple[ScanWriter, ...]]:
        """Every file that is to be rendered, with the writers that would write it."""
        owners: dict[str, tuple[ScanWriter, ...]] = {}
        for writer in self.chosen:
            alone = (writer,)
            for path in dict.fromkeys(self._real(path) for path in writer.outputs(self.frames.get(writer.name, ()))):
                owners[path] = (*owners[path], writer) if path in owners else alone
        return owners

    def _real(self, path: str) -> str:
        """Two names of one folder, one of them a link, are one place."""
        folder, name = os.path.split(path)
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        return os.path.join(self._real_folders[folder], name)

    @cached_property
    def _real_folders(self) -> dict[str, str]:
        return {}

    def node(self, name: str) -> Placed:
        return self.graph.nodes[name]


Checker = Callable[[Facts], Iterator[Check]]
