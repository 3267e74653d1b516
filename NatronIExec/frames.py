"""Frame numbers: how they are read from text, how they are written, and how they are cut into chunks.

The only reader of the syntax: the submit dialog in Natron, the command line and the engine all call `parse_frames`. A
range is text where a person types it, on the way to the engine and in its files; behind the engine's door it is a
`FrameSet`.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, List, Sequence, Set, Tuple, Union, overload

from NatronIExec.errors import BadInput

#: Natron's frame numbers are C++ ints.
MAX_FRAME = 2**31 - 1
#: Frames of one range, and of all ranges of one text together.
MAX_FRAMES = 200_000
EXAMPLE = "1-10x2,20"
_RANGE = re.compile(r"\s*(-?\d+)\s*(?:-\s*(-?\d+)\s*(?:[x:]\s*(\d{1,9}))?)?\s*", re.ASCII)


class FrameSet(Sequence[int]):
    """Frame numbers, sorted and without repeats; frozen. Its text is the shortest ranges, `1-10x2,20`."""

    IN_JSON = str
    __slots__ = ("_numbers",)

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._numbers = tuple(sorted(set(numbers)))

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> Tuple[int, ...]: ...

    def __getitem__(self, at: Union[int, slice]) -> Union[int, Tuple[int, ...]]:
        return self._numbers[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameSet) and self._numbers == other._numbers

    def __hash__(self) -> int:
        return hash(self._numbers)

    def __str__(self) -> str:
        return format_frames(self._numbers)

    def __repr__(self) -> str:
        return f"FrameSet({self})"


def parse_frames(text: str) -> FrameSet:
    """The frames of `1-10x2,20`; `1-10:2` means the same, as in Natron. Raises BadInput for nonsense, reversed or
    negative ranges, and absurd amounts."""
    frames: Set[int] = set()
    for part in text.split(","):
        frames.update(_parse_range(part, text))
        if len(frames) > MAX_FRAMES:
            raise BadInput(f"{_shown(text)} are too many frames.", f"At most {MAX_FRAMES} at once.")
    return FrameSet(frames)


def _parse_range(part: str, text: str) -> range:
    found = _RANGE.fullmatch(part)
    step = int(found[3] or 1) if found else 0
    if not found or step < 1:
        shown = _shown(part.strip() or text)
        raise BadInput(f"{shown!r} is no frame range.", f"Write it like {EXAMPLE}.", frames=_shown(text))
    shown = _shown(part.strip())
    bounds = found[1], found[2] or found[1]
    if any(len(bound.lstrip("-0")) > 10 or int(bound) > MAX_FRAME for bound in bounds):
        raise BadInput(f"Natron cannot number the frame of {shown}.", f"At most {MAX_FRAME}.", frames=shown)
    first, last = map(int, bounds)
    if last < first:
        raise BadInput(f"The range {shown} runs backwards.", f"Write {last}-{first}.", frames=shown)
    if first < 0:
        raise BadInput("Natron's renderer takes no negative frames.", "Shift the project to 0 or later.")
    if last - first >= MAX_FRAMES:
        raise BadInput(f"{shown} are too many frames.", f"At most {MAX_FRAMES} at once.")
    return range(first, last + 1, step)


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def format_frames(frames: Iterable[int]) -> str:
    """`1-10x2,20` for the frames given, sorted and without repeats; empty for none."""
    return ",".join(_format_run(run, "x") for run in _runs(sorted(set(frames))))


def renderer_range(frames: Iterable[int]) -> str:
    """The same as NatronRenderer takes it after the project: `1-10:2,20` (Engine/CLArgs.cpp). Frames must be >= 0,
    since a minus sign cannot be told from a range there."""
    ordered = sorted(set(frames))
    if ordered and ordered[0] < 0:
        raise ValueError("NatronRenderer's command line cannot express negative frames")
    return ",".join(_format_run(run, ":") for run in _runs(ordered))


def cut(frames: Sequence[int], size: int) -> Tuple[Tuple[int, ...], ...]:
    """Consecutive chunks of `size` frames (the last may be shorter), in the order given."""
    if size < 1:
        raise ValueError("a chunk holds at least one frame")
    return tuple(tuple(frames[at : at + size]) for at in range(0, len(frames), size))


def _runs(ordered: Sequence[int]) -> List[Tuple[int, int, int]]:
    """(first, last, step) of the longest arithmetic runs, left to right; a pair stays two single frames unless its
    step is 1."""
    runs: List[Tuple[int, int, int]] = []
    at = 0
    while at < len(ordered):
        end = at
        step = ordered[at + 1] - ordered[at] if at + 1 < len(ordered) else 1
        while end + 1 < len(ordered) and ordered[end + 1] - ordered[end] == step:
            end += 1
        if end - at == 1 and step != 1:
            end = at
        runs.append((ordered[at], ordered[end], step if end > at else 1))
        at = end + 1
    return runs


def _format_run(run: Tuple[int, int, int], step_mark: str) -> str:
    first, last, step = run
    if first == last:
        return str(first)
    return f"{first}-{last}" if step == 1 else f"{first}-{last}{step_mark}{step}"
