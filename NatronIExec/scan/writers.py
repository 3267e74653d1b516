"""Write nodes: what they render, where to, and which of them can."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass

from NatronIExec.errors import BadInput
from NatronIExec.ntp.file_patterns import FilePattern
from NatronIExec.ntp.node_graph import Graph, Placed, is_writer
from NatronIExec.ntp.parameters import Unsure, Values
from NatronIExec.ntp.path_variables import path_table

#: openfx-io GenericWriter: frameRange.
_UNION, _PROJECT, _MANUAL = range(3)
#: Natron's default for a new project.
_DEFAULT_RANGE = (1, 250)
_MAX_FRAME = 10**9


@dataclass(frozen=True)
class ScanWriter:
    """A Write node. `reason` says why it is not enabled or needs care; `first`, `last` and `step` are its own range;
    `views` are set only when its file name has a view token; the first `plain` characters of `file` hold none."""

    name: str
    label: str
    enabled: bool
    reason: str
    file: str
    format: str
    first: int
    last: int
    step: int
    movie: bool
    views: tuple[str, ...]
    plain: int = 0

    @property
    def pattern(self) -> FilePattern:
        return FilePattern(self.file, self.plain)

    @property
    def frames(self) -> range:
        """Its own range. Without a place for a frame number each frame would be written over the one before, so the
        last is all that Natron leaves."""
        own = range(self.first, self.last + 1, self.step)
        return own if self.movie or not self.file or self.pattern.has_frames else own[-1:]

    def outputs(self, frames: Sequence[int]) -> list[str]:
        """The files that Natron itself would write for `frames`: one a frame and view, one for a movie."""
        if not self.file:
            return []
        pattern, views = self.pattern, self.views or ("Main",)
        return [
            pattern.name(frame, view, views)
            for frame in (frames[:1] if self.movie else frames)
            for view in range(len(views))
        ]


def project_range(graph: Graph) -> tuple[int, int, str]:
    """First and last frame, and why they are not those of the project."""
    knob = graph.main.project.knobs.get("frameRange")
    if knob is None or len(knob.values) < 2:
        return (*_DEFAULT_RANGE, "")
    texts = f"{knob.values[0].text}-{knob.values[1].text}"
    odd = f"The project's range {texts} makes no sense: {_DEFAULT_RANGE[0]}-{_DEFAULT_RANGE[1]} is used."
    try:
        first, last = int(float(knob.values[0].text)), int(float(knob.values[1].text))
    except (ValueError, OverflowError):
        return (*_DEFAULT_RANGE, odd)
    return (first, last, "") if max(abs(first), abs(last)) <= _MAX_FRAME else (*_DEFAULT_RANGE, odd)


def view_names(graph: Graph) -> tuple[str, ...]:
    """The project's views; Natron's default is one, `Main`."""
    knob = graph.main.project.knobs.get("viewsList")
    if knob is None:
        return ("Main",)
    rows = [name for name, _ in path_table(knob.text)] or _single_column(knob.text)
    return tuple(row for row in rows if row) or ("Main",)


def _single_column(text: str) -> list[str]:
    """KnobTable::encodeToKnobTableFormatSingleCol: `a;b`, or <Name> elements."""
    if "<" in text:
        return [html.unescape(part.split("</")[0]) for part in text.split(">") if "</" in part]
    return [part for part in text.split(";") if part]


def describe_writer(graph: Graph, values: Values, placed: Placed, union: tuple[int, int] | None) -> ScanWriter:
    """`union` is the range of what feeds the writer, None when unknown."""
    knob = placed.knob("filename")
    pattern = placed.home.variables.pattern(knob.text) if knob else FilePattern("")
    file = pattern.text
    disabled = _disabled(graph, values, placed)
    first, last, reason = _range(graph, values, placed, union)
    step = max(int(_sure(values, placed, "frameIncr", 1)), 1)
    reason = disabled or ("It has no file name." if not file else reason)
    return ScanWriter(
        placed.name,
        placed.node.label or placed.name,
        not disabled,
        reason,
        file,
        os.path.splitext(file)[1].lower().lstrip("."),
        first,
        last,
        step,
        pattern.is_movie,
        view_names(graph) if pattern.has_views else (),
        pattern.plain,
    )


def _range(graph: Graph, values: Values, placed: Placed, union: tuple[int, int] | None) -> tuple[int, int, str]:
    kind = int(_sure(values, placed, "frameRange", _PROJECT))
    if kind == _MANUAL:
        own = int(_sure(values, placed, "firstFrame", 0)), int(_sure(values, placed, "lastFrame", 0))
        return (*own, "")
    if kind == _UNION and union is not None:
        return (*union, "")
    unknown = "Its range follows its inputs and cannot be known here: the project's is used." if kind == _UNION else ""
    first, last, odd = project_range(graph)
    return first, last, unknown or odd


def _sure(values: Values, placed: Placed, name: str, default: float) -> float:
    try:
        return values.number(placed, name, 0, default)
    except Unsure:
        return default


def _disabled(graph: Graph, values: Values, placed: Placed) -> str:
    at: Placed | None = placed
    while at is not None:
        if _sure(values, at, "disableNode", 0):
            return "It is disabled in Natron." if at is placed else f"Its group {at.name} is disabled in Natron."
        at = graph.group_of(at)
    return ""


def choose(graph: Graph, described: list[ScanWriter], wanted: tuple[str, ...]) -> list[ScanWriter]:
    """The writers to render: those named, or all that are enabled. Raises BadInput for a name that is none."""
    if not wanted:
        return [writer for writer in described if writer.enabled]
    known = {writer.name: writer for writer in described}
    labels = [writer.label for writer in described]
    known |= {
        writer.label: writer for writer in described if writer.label not in known and labels.count(writer.label) == 1
    }
    for name in wanted:
        if name not in known:
            kind = "is not a Write node" if name in graph.nodes and not is_writer(graph.nodes[name]) else "is not there"
            choices = ", ".join(writer.name for writer in described) or "none"
            raise BadInput(f"The writer {name} {kind}.", f"Writers of this project: {choices}.", writer=name)
    return list(dict.fromkeys(known[name] for name in wanted))
