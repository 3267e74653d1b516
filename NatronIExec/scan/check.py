"""One finding of a scan, how findings are ordered, and how frames are written in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from NatronIExec.frames import format_frames

ERROR, WARNING, INFO = "error", "warning", "info"
_LEVELS = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Check:
    """One finding. `level` is "error", "warning" or "info"; `code` is stable; `node` "" for the whole project."""

    level: str
    code: str
    node: str
    title: str
    remedy: str


def in_order(found: Iterable[Check]) -> tuple[Check, ...]:
    """Each once, errors first."""
    return tuple(sorted(dict.fromkeys(found), key=lambda check: _LEVELS.index(check.level)))


def spoken(frames: Sequence[int], most: int = 60) -> str:
    """Frames as a person reads them, cut where that would fill a screen."""
    text = format_frames(frames)
    return text if len(text) <= most else text[:most].rsplit(",", 1)[0] + ", …"
