"""What of a project file is kept: nodes, parameters, keyframes and links, each value with its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping

#: Byte offsets of an element's text in the file: of its start tag and of its end tag.
Span = tuple[int, int]


@dataclass(frozen=True)
class Key:
    """A keyframe: interpolation as Natron's KeyframeTypeEnum, derivatives per frame."""

    time: float
    value: float
    interpolation: int
    left: float
    right: float


@dataclass(frozen=True)
class Link:
    """A value that follows another node's (or, with an alias, shows it): `node` is fully qualified when known."""

    node: str
    knob: str
    dimension: int


@dataclass(frozen=True)
class KnobValue:
    """One dimension. `text` is what the file holds; `span` is (0, 0) when there is none."""

    text: str = ""
    span: Span = (0, 0)
    keys: tuple[Key, ...] = ()
    expression: str = ""
    returns: bool = False
    link: Link | None = None
    expression_span: Span = (0, 0)


@dataclass(frozen=True)
class Knob:
    """A parameter. `strings` are the texts of string keyframes as (time, text, span); `choice` the option's id."""

    name: str
    type: str
    values: tuple[KnobValue, ...]
    strings: tuple[tuple[float, str, Span], ...] = ()
    choice: str = ""
    curves: tuple[tuple[Key, ...], ...] = ()

    @property
    def text(self) -> str:
        return self.values[0].text if self.values else ""


@dataclass(frozen=True)
class Node:
    """A node as saved; `inputs` maps input label (old projects: position) to the script name of its neighbour. `span`
    is where the node stands in the file, `count_span` where the number of its children does."""

    name: str
    label: str
    plugin: str
    major: int
    minor: int
    knobs: Mapping[str, Knob]
    inputs: Mapping[str, str]
    children: tuple[Node, ...] = ()
    master: str = ""
    container: str = ""
    module: str = ""
    module_span: Span = (0, 0)
    roto: tuple[Knob, ...] = ()
    span: Span = (0, 0)
    count_span: Span = (0, 0)


@dataclass(frozen=True)
class Project:
    """`version` is Natron's (major, minor, revision), (0, 0, 0) before 2.1. `gui` is the span of the ProjectGui
    element with its tags, if any; `sha256` is of the bytes that were read: spans are of no use for any others.
    `count_span` is where the number of nodes stands, `timeline` the frame at which the project was saved."""

    path: Path
    version: tuple[int, int, int]
    nodes: tuple[Node, ...]
    knobs: Mapping[str, Knob]
    gui: Span = (0, 0)
    size: int = 0
    sha256: bytes = b""
    count_span: Span = (0, 0)
    timeline: float = 1

    def walk(self) -> Iterator[tuple[str, Node]]:
        """(fully qualified script name, node) of all nodes, parents first, in file order."""
        waiting = [("", node) for node in reversed(self.nodes)]
        while waiting:
            prefix, node = waiting.pop()
            name = prefix + node.name
            yield name, node
            waiting.extend((name + ".", child) for child in reversed(node.children))
