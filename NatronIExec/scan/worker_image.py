"""What the image on the workers holds: Natron's version, its plug-ins, formats and colour configs (image_plugins.json).

The list is of the image that `container/Containerfile` builds and must change with it; `packaged_image` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

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
