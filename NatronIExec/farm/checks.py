"""What an artist should know before paying: errors block, warnings and infos are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from NatronIExec.farm.colour import ColourConfig
    from NatronIExec.farm.fonts import FontUse
    from NatronIExec.farm.graph import Graph, Placed
    from NatronIExec.farm.inputs import FileUse
    from NatronIExec.farm.needs import Flow
    from NatronIExec.farm.readers import Clip
    from NatronIExec.farm.scan import Missing
    from NatronIExec.farm.sequences import Folders
    from NatronIExec.farm.values import Values
    from NatronIExec.farm.writers import ScanWriter


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
    """All that the checks look at."""

    graph: Graph
    values: Values
    described: Sequence[ScanWriter]
    chosen: tuple[ScanWriter, ...]
    flows: tuple[Flow, ...]
    reached: Mapping[str, Placed]
    uses: Mapping[str, Sequence[FileUse]]
    clips: Mapping[str, Sequence[Clip]]
    folders: Folders
    colour: Sequence[ColourConfig]
    fonts: Sequence[FontUse]
    missing: Sequence[Missing]


def all_checks(facts: Facts) -> tuple[Check, ...]:
    return ()
