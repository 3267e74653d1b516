"""Which plug-ins a render needs: of the others it does not matter whether workers have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from NatronIExec.ntp.node_graph import READERS, WRITERS, Graph, Placed
from NatronIExec.ntp.ntp_records import Node, Project
from NatronIExec.scan.copied_nodes import mentions
from NatronIExec.scan.time_rules import RULES
from NatronIExec.scan.worker_image import packaged_image

_WORD = re.compile(r"\w+")


def plugins_of(graph: Graph, reached: Iterable[Placed]) -> tuple[str, ...]:
    """Ids of the plug-ins without which a picture could differ."""
    return tuple(sorted({placed.node.plugin for placed in taking_part(graph, reached).values()}))


def taking_part(graph: Graph, reached: Iterable[Placed]) -> dict[str, Placed]:
    """The nodes that are `reached`, every node whose name stands in one of their links or expressions, and so on."""
    named: dict[str, list[Placed]] = {}
    for placed in graph.nodes.values():
        named.setdefault(placed.node.name, []).append(placed)
    found: dict[str, Placed] = {}
    todo = list(reached)
    while todo:
        placed = todo.pop()
        if placed.name not in found:
            found[placed.name] = placed
            todo += [other for word in _words(placed) for other in named.get(word, ())]
    return found


def _words(placed: Placed) -> Iterator[str]:
    for text in mentions(placed):
        yield from _WORD.findall(text)


def with_case(project: Project) -> Project:
    """Natron 1.0 saved the ids of plug-ins in lower case, and later ones still find them
    (AppManager::getPluginBinary)."""
    knob = project.knobs.get("softwareVersion")
    if knob is None or not knob.text.startswith("Natron v1.0"):
        return project
    known = {plugin.lower(): plugin for plugin in (*packaged_image().plugins, *READERS, *WRITERS, *RULES)}

    def spelled(node: Node) -> Node:
        plugin = known.get(node.plugin, node.plugin)
        return replace(node, plugin=plugin, children=tuple(spelled(child) for child in node.children))

    return replace(project, nodes=tuple(spelled(node) for node in project.nodes))


def keeps_time(placed: Placed) -> bool:
    """Whether a node asks its inputs only for the time that it renders: true of all plug-ins of the image but those
    with a rule in `time_rules`. Of a plug-in that nobody has looked at, nothing is known."""
    plugin = placed.node.plugin
    return packaged_image().has(plugin) and plugin not in RULES or plugin in READERS | WRITERS
