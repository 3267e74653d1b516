"""Nodes left out of a copy of a project, so that Natron loads the rest as if they had never been there.

Boost writes the version of a class at the first object of that class only. Where that object is left out, the next one
that stays gets the attributes; where that cannot be told for certain, the node stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from NatronIExec.ntp.ntp_records import Node, Project, Span

_FIRST = re.compile(rb"<(\w+)( class_id=[^>]*)>\s*(?:<(\w+))?")
#: What makes an object of a file shared, or a file that no Natron wrote: nothing is left out then.
_ODD = re.compile(rb"<!--|<!\[CDATA\[| object_id|tracking_level=\"[^0]")
_VALUE = rb"<\w+()>\s*(?:<Enabled>[^<]*</Enabled>\s*)?<HasAnimation>"
#: How the next object of a class begins, by the first child of the class's first object.
_BY_CHILD: Mapping[bytes, bytes] = {
    b"Plugin_label": rb"<item()>\s*<Plugin_label>",
    b"Enabled": _VALUE,
    b"HasAnimation": _VALUE,
    b"Time": rb"<item()>\s*<Time>",
    b"KeyFrameSet": rb"<\w+()>\s*<KeyFrameSet>",
}
_KNOB = rb"<\w+()>\s*<Name>[^<]*</Name>\s*<Type>"
#: Entries of a map are of one class in each kind of map.
_ENTRY = {
    name: rb"<" + name + rb"[^>]*>\s*<count>[1-9]\d*</count>\s*(?:<item_version>\d+</item_version>\s*)?<item()>"
    for name in (b"StringsAnimation", b"Inputs_map")
}


@dataclass(frozen=True)
class Trim:
    """`dropped` are spans of elements with their tags, `counts` the numbers to write in place of others, `inserted`
    what goes into start tags, by the offset of their `>`."""

    dropped: tuple[Span, ...] = ()
    counts: Mapping[Span, str] = field(default_factory=dict)
    inserted: Mapping[int, bytes] = field(default_factory=dict)


def trimmable(project: Project) -> bool:
    """Whether the layout is one of those in which nodes can be told apart (Natron 2)."""
    return project.count_span != (0, 0) and all(node.span != (0, 0) for node in project.nodes)


def trim(content: bytes, project: Project, kept: Collection[str]) -> Trim:
    """How to leave out all nodes of `project` but those named in `kept` (fully qualified). A node whose first objects
    cannot be moved stays."""
    if not trimmable(project) or _ODD.search(content):
        return Trim()
    names = set(kept)
    while True:
        gone = list(_gone(project.nodes, "", names))
        spans = tuple(sorted(node.span for _, node in gone))
        inserted, stays = _moved(content, spans, project.gui)
        if stays is None:
            return Trim(spans, dict(_counts(project, {name for name, _ in gone})), inserted)
        names |= {name for name, node in gone if node.span == stays}


def _gone(nodes: Iterable[Node], prefix: str, kept: Collection[str]) -> Iterator[tuple[str, Node]]:
    """The outermost nodes that are not kept."""
    for node in nodes:
        name = prefix + node.name
        if name not in kept:
            yield name, node
        else:
            yield from _gone(node.children, name + ".", kept)


def _counts(project: Project, gone: Collection[str]) -> Iterator[tuple[Span, str]]:
    waiting = [("", project.nodes, project.count_span)]
    while waiting:
        prefix, nodes, span = waiting.pop()
        stay = [node for node in nodes if prefix + node.name not in gone]
        if len(stay) != len(nodes):
            yield span, str(len(stay))
        waiting += [(prefix + node.name + ".", node.children, node.count_span) for node in stay if node.children]


def _moved(content: bytes, spans: tuple[Span, ...], gui: Span) -> tuple[dict[int, bytes], Span | None]:
    """The attributes of first objects that are left out, by where they go now; or the span of a node that has to
    stay."""
    out = sorted([*spans, gui] if gui != (0, 0) else spans)
    inserted: dict[int, bytes] = {}
    for found in _FIRST.finditer(content):
        home = next((span for span in out if span[0] <= found.start() < span[1]), None)
        if home is None or home == gui:
            continue
        pattern = _next(content, found)
        if pattern is None:
            return {}, home
        at = _outside(content, pattern, found.end(), out)
        if at is not None and at in inserted:
            return {}, home
        if at is not None:
            inserted[at] = found.group(2)
    return inserted, None


def _next(content: bytes, first: re.Match[bytes]) -> re.Pattern[bytes] | None:
    """How the next object of the class of `first` begins; None when the class is none of those that are known."""
    tag, child = first.group(1), first.group(3) or b""
    if child == b"first":
        before = re.findall(rb"<(\w+)[^>]*>\s*<count>", content[max(0, first.start() - 400) : first.start()])
        text = _ENTRY.get(before[-1]) if before else None
    elif re.match(_KNOB.replace(rb"()>", rb"[^>]*>"), content[first.start() : first.start() + 4096]):
        text = _KNOB
    elif child in _BY_CHILD:
        text = _BY_CHILD[child]
    elif tag == b"Item":  # of a roto shape or a track, told apart by what they begin with
        text = rb"<Item()>\s*<" + child + b">"
    else:
        text = None if tag == b"item" else rb"<" + tag + b"()>"
    return re.compile(text) if text else None


def _outside(content: bytes, pattern: re.Pattern[bytes], start: int, out: list[Span]) -> int | None:
    """Where the first match from `start` on is that is not left out: the offset of its group."""
    while found := pattern.search(content, start):
        home = next((span for span in out if span[0] <= found.start(1) < span[1]), None)
        if home is None:
            return found.start(1)
        start = home[1]
    return None
