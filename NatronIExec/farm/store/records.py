"""Records as JSON values and back, by cattrs from the types of their fields: what the spool keeps of a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import cattrs

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.frames import FrameSet, parse_frames

Record = TypeVar("Record")


def to_json(record: object) -> Any:
    """JSON values of a dataclass, whole; frames are written as text."""
    return _CONVERTER.unstructure(record)


def from_json(kind: type[Record], value: Any) -> Record:
    """The inverse. Fields that `kind` does not have are left out. Raises Conflict for what is no such record."""
    try:
        return _CONVERTER.structure(value, kind)
    except (cattrs.BaseValidationError, KeyError, TypeError, ValueError, AttributeError, BadInput) as problem:
        raise Conflict(
            f"The job list holds something that is no {kind.__name__}: {problem!r}.", "Restore it from a backup."
        ) from problem


def _only(*kinds: type) -> Callable[[Any, type], Any]:
    """cattrs would make a number of a text, and a flag of anything."""

    def checked(value: Any, wanted: type) -> Any:
        if type(value) not in kinds:
            raise TypeError(f"{value!r} is no {kinds[0].__name__}")
        return float(value) if kinds[0] is float else value

    return checked


def _read_frames(value: Any, _: type) -> FrameSet:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text of frames")
    return parse_frames(value) if value else FrameSet()


def _made() -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=False)
    made.register_structure_hook(int, _only(int))
    made.register_structure_hook(float, _only(float, int))
    made.register_structure_hook(bool, _only(bool))
    made.register_structure_hook(str, _only(str))
    made.register_structure_hook(FrameSet, _read_frames)
    made.register_unstructure_hook(FrameSet, str)
    return made


_CONVERTER = _made()
