"""What the image on the workers holds: Natron's version, its plug-ins, formats and colour configs (image_plugins.json).

The list is of the image that `container/Dockerfile` builds and must change with it; `packaged_image` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from NatronIExec.ntp.node_graph import READERS, WRITERS, Placed
from NatronIExec.scan.time_rules import RULES

#: Names of the built-in nodes in projects of Natron 1 (AppManager::getPluginBinaryFromOldID).
_OLD_NAMES = frozenset({"Viewer", "Dot", "DiskCache", "BackDrop", "RotoOFX"})


@dataclass(frozen=True)
class Image:
    """`plugins` maps ids to their major versions; `reads` and `writes` are file extensions; `gpu_only` ids of nodes
    that a worker can only draw in software; `colour_configs` names of configs that come with Natron."""

    natron: tuple[int, int, int]
    plugins: Mapping[str, tuple[int, ...]]
    reads: frozenset[str]
    writes: frozenset[str]
    gpu_only: frozenset[str]
    colour_configs: frozenset[str]

    def has(self, plugin: str) -> bool:
        return plugin in self.plugins or plugin in _OLD_NAMES

    @property
    def version(self) -> str:
        return ".".join(str(number) for number in self.natron)


def image_of(text: str) -> Image:
    """The image that a JSON like image_plugins.json describes."""
    wire = json.loads(text)
    major, minor, revision = wire["natron"]
    return Image(
        (major, minor, revision),
        {plugin: tuple(majors) for plugin, majors in wire["plugins"].items()},
        *(frozenset(wire[name]) for name in ("reads", "writes", "gpu_only", "colour_configs")),
    )


@cache
def packaged_image() -> Image:
    return image_of(resources.files("NatronIExec.scan").joinpath("image_plugins.json").read_text("utf-8"))


def keeps_time(placed: Placed) -> bool:
    """Whether a node asks its inputs only for the time that it renders: true of all plug-ins of the image but those
    with a rule in `timing`. Of a plug-in that nobody has looked at, nothing is known."""
    plugin = placed.node.plugin
    return packaged_image().has(plugin) and plugin not in RULES or plugin in READERS | WRITERS
