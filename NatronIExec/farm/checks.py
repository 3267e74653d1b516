"""What an artist should know before paying: errors block, warnings and infos are said.

Codes are stable; docs/scan.md lists them. A check never raises and looks only at what the scan already knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from NatronIExec.farm.image import Image
from NatronIExec.frames import format_frames

if TYPE_CHECKING:
    from NatronIExec.farm.colour import ColourConfig
    from NatronIExec.farm.fonts import FontUse
    from NatronIExec.farm.found import Missing
    from NatronIExec.farm.inputs import FileUse
    from NatronIExec.farm.needs import Flow
    from NatronIExec.farm.readers import Clip
    from NatronIExec.farm.writers import ScanWriter
    from NatronIExec.ntp.file_patterns import Folders
    from NatronIExec.ntp.node_graph import Graph, Placed
    from NatronIExec.ntp.parameters import Values

ERROR, WARNING, INFO = "error", "warning", "info"
_LEVELS = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Check:
    """One finding. `level` is "error", "warning" or "info"; `code` is stable; `node` "" for the whole project."""

    level: str
    code: str
    node: str
    title: str
    remedy: str


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
            for path in dict.fromkeys(writer.outputs(self.frames.get(writer.name, ()))):
                owners[path] = (*owners[path], writer) if path in owners else alone
        return owners

    def node(self, name: str) -> Placed:
        return self.graph.nodes[name]


Checker = Callable[[Facts], Iterator[Check]]


def in_order(found: Iterable[Check]) -> tuple[Check, ...]:
    """Each once, errors first."""
    return tuple(sorted(dict.fromkeys(found), key=lambda check: _LEVELS.index(check.level)))


def spoken(frames: Sequence[int], most: int = 60) -> str:
    """Frames as a person reads them, cut where that would fill a screen."""
    text = format_frames(frames)
    return text if len(text) <= most else text[:most].rsplit(",", 1)[0] + ", …"


def counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
