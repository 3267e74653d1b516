"""Which nodes the copy of a project holds that is sent: those that take part, and what these name.

A node that feeds no chosen writer is left out: less leaves the artist's machine, and Natron, which looks at the size of
what hangs beside the nodes that it renders, has no file to ask for that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from NatronIExec.ntp.node_graph import INPUT, OUTPUT, PRECOMP, Graph, Placed
from NatronIExec.ntp.trimming import trimmable

_WORD = re.compile(r"\w+")
#: Python that may reach any node without its name.
_ANY_NODE = re.compile(r"getChildren|getattr|\bexec\b|\beval\b|globals|locals")
#: Questions that a node answers by what is connected to it.
_BY_INPUTS = re.compile(r"getRegionOfDefinition|getFrameRange|getOutputFormat|getPixelAspectRatio|getInput|getBitDepth")
#: Parameters whose text Natron runs as Python (natron.md §3.2).
CALLBACKS = (
    "onParamChanged",
    "onInputChanged",
    "beforeRender",
    "beforeFrameRender",
    "afterFrameRender",
    "afterRender",
    "afterProjectLoad",
    "beforeProjectSave",
    "beforeProjectClose",
    "afterNodeCreated",
    "beforeNodeRemoval",
)


def copied_nodes(graph: Graph, writers: Iterable[Placed]) -> dict[str, Placed]:
    """The nodes that the copy holds, by name; all of them where the project's layout or a script leaves it open."""
    found = _Copied(graph).of(writers) if trimmable(graph.main.project) else None
    return dict(graph.nodes) if found is None else found


class _Copied:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._named: dict[str, list[Placed]] = {}
        self._parts: dict[tuple[str, str], list[Placed]] = {}
        for placed in graph.nodes.values():
            self._named.setdefault(placed.node.name, []).append(placed)
            if placed.node.container:
                self._parts.setdefault((placed.scope, placed.node.container), []).append(placed)
        self._found: dict[str, Placed] = {}
        self._whole: set[str] = set()
        #: Nodes to look at, with what feeds them or (named only) without.
        self._todo: list[tuple[Placed, bool]] = []

    def of(self, writers: Iterable[Placed]) -> dict[str, Placed] | None:
        """None when a script may name any node."""
        self._todo = [(placed, True) for placed in writers]
        for text in project_scripts(self._graph):
            if _ANY_NODE.search(text):
                return None
            self._mention(text)
        while self._todo:
            placed, whole = self._todo.pop()
            if whole and placed.name not in self._whole:
                self._whole.add(placed.name)
                self._todo += [(other, True) for other in self._fed_by(placed)]
            if placed.name in self._found:
                continue
            self._found[placed.name] = placed
            self._todo += self._around(placed)
            for text in mentions(placed):
                if _ANY_NODE.search(text):
                    return None
                self._mention(text)
        return self._found

    def _mention(self, text: str) -> None:
        whole = bool(_BY_INPUTS.search(text))
        self._todo += [(other, whole) for word in _WORD.findall(text) for other in self._named.get(word, ())]

    def _fed_by(self, placed: Placed) -> Iterator[Placed]:
        for _, other in self._graph.inputs(placed):
            yield other
        for name in placed.node.inputs.values():
            beside = self._graph.sibling(placed, name) if name else None
            if beside is not None:
                yield beside

    def _around(self, placed: Placed) -> Iterator[tuple[Placed, bool]]:
        """What a node is nothing without: the group that it is in, that group's doors, the parts of a PyPlug, of a node
        of many instances, and of a project that a Precomp loads."""
        group = self._graph.group_of(placed)
        if group is not None:
            yield group, False
        inside = self._graph.children.get(placed.name + ".", ()) if placed.node.children else ()
        for child in inside:
            if placed.node.module or child.node.plugin in (INPUT, OUTPUT):
                yield child, bool(placed.node.module)
        for part in self._parts.get((placed.scope, placed.node.name), ()):
            yield part, True
        if placed.node.container:
            yield from ((other, True) for other in [self._graph.sibling(placed, placed.node.container)] if other)
        if placed.node.plugin == PRECOMP:
            nested = (other for other in self._graph.nodes.values() if other.home.prefix == placed.name + ":")
            yield from ((other, True) for other in nested)


def project_scripts(graph: Graph) -> list[str]:
    """The Python of the project itself, which may name any node."""
    knobs = graph.main.project.knobs
    return [knobs[name].text for name in CALLBACKS if name in knobs and knobs[name].text.strip()]


def mentions(placed: Placed) -> Iterator[str]:
    """The texts of a node that may name others: links, expressions, scripts."""
    if placed.node.master:
        yield placed.node.master
    for knob in (*placed.node.knobs.values(), *placed.node.roto):
        for value in knob.values:
            if value.expression:
                yield value.expression
            if value.link:
                yield value.link.node
        if knob.text and (knob.name in CALLBACKS or "script" in knob.name.lower()):
            yield knob.text
