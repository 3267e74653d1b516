"""Records as JSON values and back, by msgspec from the types of their fields: what the spool keeps of a job."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

from NatronIExec.errors import Conflict
from NatronIExec.frames import FrameSet, parse_frames

Record = TypeVar("Record")
#: msgspec learns a type when it first meets it; two threads that do so at the same time end the process (SIGSEGV).
_learning = threading.Lock()
_known: set[type] = set()


def to_json(record: object) -> Any:
    """JSON values of a dataclass, whole; frames are written as text."""
    return msgspec.to_builtins(record, enc_hook=_written)


def from_json(kind: type[Record], value: Any) -> Record:
    """The inverse. Fields that `kind` does not have are left out. Raises Conflict for what is no such record."""
    try:
        if kind in _known:
            return msgspec.convert(value, kind, dec_hook=_read)
        with _learning:
            found = msgspec.convert(value, kind, dec_hook=_read)
            _known.add(kind)
        return found
    except msgspec.ValidationError as problem:
        raise Conflict(
            f"The job list holds something that is no {kind.__name__}: {problem}.", "Restore it from a backup."
        ) from problem


def _written(value: object) -> str:
    if isinstance(value, FrameSet):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _read(kind: type, value: Any) -> Any:
    if kind is FrameSet:
        return parse_frames(value) if value else FrameSet()
    raise NotImplementedError(kind.__name__)
