"""Whether a JSON value is what a type annotation says: of a TypedDict, a dataclass, or a part of one."""

from __future__ import annotations

import collections.abc
import dataclasses
from typing import Any, Dict, List, Literal, Tuple, Union, get_args, get_origin, get_type_hints

_LISTS = (list, tuple, collections.abc.Sequence)
_OBJECTS = (dict, collections.abc.Mapping)


def kinds_of(record: Any) -> Dict[str, Any]:
    """{key: annotation} of a TypedDict or a dataclass."""
    return get_type_hints(record)


def complaint(kind: Any, value: Any, where: str = "it") -> str:
    """What is wrong with `value`, which stands at `where`; "" when nothing is. A tuple is a list in JSON, every int is
    a float, and a bool is no int."""
    kind = getattr(kind, "IN_JSON", kind)  # what a value of another kind is written as
    origin = get_origin(kind)
    if kind is Any:
        return ""
    if origin is Union:
        found = [complaint(one, value, where) for one in get_args(kind)]
        return "" if "" in found else max(found, key=len)
    if origin is Literal:
        fits = any(value == one and type(value) is type(one) for one in get_args(kind))
        return "" if fits else f"{where}: {value!r} is none of {', '.join(map(repr, get_args(kind)))}"
    if origin in _LISTS:
        return _in_list(get_args(kind)[0], value, where)
    if origin in _OBJECTS:
        return _in_object(get_args(kind), value, where)
    if _is_record(kind):
        return record_complaint([kind], value, where)
    return "" if _is_plain(kind, value) else f"{where}: {value!r} is not {getattr(kind, '__name__', kind)}"


def record_complaint(records: List[Any], value: Any, where: str = "it") -> str:
    """Of an object that has the keys of all `records`, and no others."""
    if not isinstance(value, dict):
        return f"{where}: {value!r} is not an object"
    kinds: Dict[str, Any] = {}
    needed: List[str] = []
    for record in records:
        kinds.update(kinds_of(record))
        needed += _required(record)
    for key in value:
        if key not in kinds:
            return f"{where}: there is no {key!r}"
    for key, kind in kinds.items():
        found = complaint(kind, value[key], f"{where}.{key}") if key in value else ""
        if found or (key in needed and key not in value):
            return found or f"{where}: {key!r} is missing"
    return ""


def _in_list(kind: Any, value: Any, where: str) -> str:
    if not isinstance(value, (list, tuple)):
        return f"{where}: {value!r} is not a list"
    return next(
        (found for at, one in enumerate(value) for found in [complaint(kind, one, f"{where}[{at}]")] if found), ""
    )


def _in_object(kinds: Tuple[Any, ...], value: Any, where: str) -> str:
    if not isinstance(value, collections.abc.Mapping):
        return f"{where}: {value!r} is not an object"
    for key, one in value.items():
        found = complaint(kinds[0], key, f"{where}, key") or complaint(kinds[1], one, f"{where}.{key}")
        if found:
            return found
    return ""


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "__total__")


def _required(record: Any) -> List[str]:
    """A dataclass needs what has no default; Python 3.8 does not say of a TypedDict's base what it needs."""
    if dataclasses.is_dataclass(record):
        missing = dataclasses.MISSING
        return [f.name for f in dataclasses.fields(record) if f.default is missing and f.default_factory is missing]
    whole = list(record.__annotations__) if record.__total__ else []
    return list(getattr(record, "__required_keys__", whole))


def _is_plain(kind: Any, value: Any) -> bool:
    if kind is type(None):
        return value is None
    if isinstance(value, bool) or kind is bool:
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind)
