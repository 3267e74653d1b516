"""A reader's clip: which file it opens at which time (openfx-io IOSupport/GenericReader.cpp)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from NatronIExec.ntp.file_patterns import FilePattern, Folders
from NatronIExec.ntp.node_graph import Graph, Placed
from NatronIExec.ntp.parameters import Unsure, Values
from NatronIExec.scan.moments import Times

_BEFORE_AFTER = ("hold", "loop", "bounce", "black", "error")
_MISSING = ("previous", "next", "nearest", "error", "black")
_APPEND = "net.sf.openfx.AppendClip"
_DECIDING = ("timeOffset", "firstFrame", "lastFrame", "before", "after", "onMissingFrame")
#: MISSING_FRAME_NEAREST_RANGE
_SEARCH = 100


@dataclass(frozen=True)
class Opened:
    """A file that a time asks for. `missing`: it is not there and the render needs it. `frame` is the file's."""

    path: str
    missing: bool = False


class Clip:
    """One file name of a reader, over time. `certain` is False when a parameter could not be known: then every
    request gets the whole clip."""

    def __init__(
        self, placed: Placed, pattern: FilePattern, why: str, values: Values, folders: Folders, views: Sequence[str]
    ) -> None:
        self.placed = placed
        self.pattern = pattern
        self.why = why
        self.optional = why == "proxy"
        self._values = values
        self._folders = folders
        self._views = views

    @cached_property
    def single(self) -> bool:
        """One file whatever the time: a still, or a movie."""
        return not self.pattern.tokens or self.pattern.is_movie

    @cached_property
    def disk(self) -> dict[str, int]:
        """The clip's files that are there, with their frame numbers."""
        if self.single:
            return {self.pattern.text: 0} if self._folders.exists(self.pattern.text) else {}
        return self.pattern.on_disk(self._folders)

    def _steady(self, name: str) -> bool:
        return self._values.is_constant(self.placed, name)

    @cached_property
    def _is_steady(self) -> bool:
        """Whether what decides which frame is shown never changes."""
        return all(self._steady(name) for name in _DECIDING)

    def domain(self, time: float = 0) -> tuple[int, int]:
        """First and last frame of the file sequence. Saved with the project; else what is on disk. Raises Unsure."""
        first, last = (self._number(name, time) for name in ("firstFrame", "lastFrame"))
        if first is None or last is None:
            frames = self.disk.values()
            first = min(frames, default=1) if first is None else first
            last = max(frames, default=first) if last is None else last
        return first, last

    def time_range(self) -> tuple[float, float]:
        """The frames on the timeline that the clip fills (getTimeDomain). Raises Unsure."""
        first, last = self.domain()
        start = self._number("startingTime", 0)
        start = first if start is None else start
        return float(start), float(start + last - first)

    def _number(self, name: str, time: float) -> int | None:
        value = self._values.number(self.placed, name, time, math.nan)
        return None if math.isnan(value) else int(value)

    def sequence_frame(self, time: float, when: float | None = None) -> int | None:
        """The file's frame that is shown at `time`, with the parameters as they are at `when`; None when none is
        (black, error). Raises Unsure."""
        when = time if when is None else when
        offset = self._number("timeOffset", when) or 0
        at = time - offset
        first, last = self.domain(when)
        if first <= at <= last:
            return math.floor(at + 0.5)
        name = "before" if at < first else "after"
        mode = self._values.choice(self.placed, name, when, _BEFORE_AFTER, 0)
        if mode in ("black", "error"):
            return None
        if mode == "hold":
            return first if at < first else last
        return around(first, last, int(at), mode)

    def opened(self, times: Times, view: int, now: Sequence[float] = ()) -> Iterator[Opened]:
        """The files for `times`; the whole clip for None or where a parameter is not known. Natron reads the reader's
        parameters as they are "now" (GenericReader getSequenceTime, getValue): at the time that is asked for, and at
        the times `now`: the frame that the writer renders, and the one at which the project was saved."""
        if self.single:
            yield Opened(self.pattern.text, self.pattern.text not in self.disk and not self.optional)
        elif times is None or self.pattern.has_tiles:
            yield from self._whole()
        else:
            for time in times:
                try:
                    for when in (time,) if self._is_steady else dict.fromkeys((time, *now)):
                        frame = self.sequence_frame(time, when)
                        if frame is not None:
                            yield self._frame(frame, view, when)
                except Unsure:
                    yield from self._whole()
                    return

    def there(self, times: Times) -> list[str]:
        """The files for `times` that are there."""
        return [opened.path for opened in self.opened(times, 0) if opened.path and not opened.missing]

    def looked_at(self) -> list[str]:
        """What Natron opens whatever is rendered, to know the clip's size, pixel aspect and rate: without it the
        pictures of a writer have the project's size instead (GenericReader::getClipPreferences, seen running). It asks
        for the time at which the clip starts as if that were a frame of the sequence."""
        if self.single or self.pattern.has_tiles or not self.disk:
            return []
        try:
            start = self._number("startingTime", 0)
            if start is None:
                start = self.domain()[0]
            found = self._frame(start, 0, 0)
        except Unsure:
            return [next(iter(self.disk))]
        return [] if found.missing or not found.path else [found.path]

    def _whole(self) -> Iterator[Opened]:
        """Every file of the clip that a time can ask for: those within its frame range."""
        try:
            first, last = self.domain()
            spread = _SEARCH if self._mode(0) in ("previous", "next", "nearest") else 0
        except Unsure:
            first, last, spread = -(1 << 31), 1 << 31, 0
        found = [path for path, frame in self.disk.items() if first - spread <= frame <= last + spread]
        for path in found if found or not self.disk else self.disk:
            yield Opened(path)
        if not self.disk and not self.optional:
            yield Opened(self.pattern.text, missing=True)

    def _mode(self, time: float) -> str:
        return self._values.choice(self.placed, "onMissingFrame", time, _MISSING, 3)

    def _frame(self, frame: int, view: int, time: float) -> Opened:
        path = self.pattern.name(frame, view, self._views)
        if self._folders.exists(path):
            return Opened(path)
        mode = self._mode(time)
        if mode == "black" or self.optional:
            return Opened("")
        for other in neighbours(frame, mode):
            candidate = self.pattern.name(other, view, self._views)
            if self._folders.exists(candidate):
                return Opened(candidate)
        return Opened(path, missing=True)


class FolderClip(Clip):
    """What an expression may name: every file of the folder, or of the clip that was saved, at any time."""

    single = False

    @cached_property
    def disk(self) -> dict[str, int]:
        if not self.pattern.text.endswith("/"):
            return self.pattern.on_disk(self._folders)
        folder = self.pattern.text.rstrip("/")
        return {f"{folder}/{name}": 0 for name in sorted(self._folders.names(folder))}

    def opened(self, times: Times, view: int, now: Sequence[float] = ()) -> Iterator[Opened]:
        for path in self.disk:
            yield Opened(path)

    def looked_at(self) -> list[str]:
        return []  # all of it is sent


def around(first: int, last: int, frame: int, mode: str) -> int:
    """The frame that `loop` or `bounce` shows outside of the range (getSequenceTimeBefore, getSequenceTimeAfter)."""
    length = last - first + 1
    if length <= 1:
        return first
    if mode == "loop":
        return first + (frame - first) % length
    circle = 2 * length - 2
    at = (frame - first) % circle
    return first + (circle - at if at >= length else at)


def neighbours(frame: int, mode: str) -> Iterator[int]:
    """The frames that are tried in place of a missing one, in Natron's order; never below 0."""
    for distance in range(1, _SEARCH + 1):
        if frame + distance < 0:
            return  # Natron gives up at the first that would be below 0
        if mode in ("next", "nearest"):
            yield frame + distance
        if mode in ("previous", "nearest") and frame - distance >= 0:
            yield frame - distance


def range_of(graph: Graph, clips: dict[str, list[Clip]], values: Values, placed: Placed) -> tuple[float, float] | None:
    """A node's frame range (EffectInstance::getFrameRange): a reader's own, else the union of its inputs; None when it
    cannot be known. Nodes that change it (TimeOffset, Retime, …) are followed with their constants."""
    known: dict[str, tuple[float, float] | None] = {}
    order = list(_post_order(graph, placed))
    for at in order:
        known[at.name] = _own_range(graph, clips, values, at, known)
    return known.get(placed.name)


def _post_order(graph: Graph, start: Placed) -> Iterator[Placed]:
    seen = {start.name}
    stack = [(start, iter([fed_by for _, fed_by in graph.inputs(start)]))]
    while stack:
        placed, rest = stack[-1]
        for fed_by in rest:
            if fed_by.name not in seen:
                seen.add(fed_by.name)
                stack.append((fed_by, iter([other for _, other in graph.inputs(fed_by)])))
                break
        else:
            stack.pop()
            yield placed


def _own_range(
    graph: Graph,
    clips: dict[str, list[Clip]],
    values: Values,
    placed: Placed,
    known: dict[str, tuple[float, float] | None],
) -> tuple[float, float] | None:
    try:
        if placed.name in clips:
            return clips[placed.name][0].time_range()
        inputs = graph.inputs(placed)
        ranges = [known.get(fed_by.name) for _, fed_by in inputs]
        if not ranges or any(found is None for found in ranges):
            return None
        if placed.node.plugin == _APPEND:
            return _appended(values, placed, {label: known[fed_by.name] for label, fed_by in inputs})
        first = min(found[0] for found in ranges if found)
        last = max(found[1] for found in ranges if found)
        return _changed_range(values, placed, first, last)
    except Unsure:
        return None


def _changed_range(values: Values, placed: Placed, first: float, last: float) -> tuple[float, float]:
    plugin = placed.node.plugin
    if plugin == "net.sf.openfx.timeOffset":
        return (
            first + values.number(placed, "timeOffset", first, 0),
            last + values.number(placed, "timeOffset", last, 0),
        )
    if plugin == "net.sf.openfx.FrameRange":
        low = values.number(placed, "frameRange", 0, 1, 0)
        return low, max(low, values.number(placed, "frameRange", 0, 1, 1))
    return first, last


def _appended(
    values: Values, placed: Placed, ranges: Mapping[str, tuple[float, float] | None]
) -> tuple[float, float] | None:
    """AppendClip.cpp getTimeDomain: its clips one after the other."""
    first, cross = (
        int(values.number(placed, name, 0, default)) for name, default in (("firstFrame", 1), ("crossDissolve", 0))
    )
    if not all(label.isdigit() for label in ranges):
        return None
    before, last = first - 1, 0
    for number, label in enumerate(sorted(ranges, key=int)):
        found = ranges[label]
        if found is None:
            return None
        length = max(int(found[1]) - int(found[0]), 0)
        if not number:
            last = first + length
            continue
        begin = max(before + 1, last + 1 - cross)
        before, last = last, max(last, begin + length)
    return float(first), float(last)
