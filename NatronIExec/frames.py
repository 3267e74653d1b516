"""Frame numbers: how they are written, and how they are cut into chunks.

What a person types is read by fileseq (`farm.order.frame_selection.parse_frames`); this leaf only writes the same
syntax, so that it also runs in Natron and on a worker.
"""

from __future__ import annotations

from typing import Iterable, List, Sequence, Tuple


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
