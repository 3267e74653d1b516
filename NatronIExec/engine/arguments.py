"""Reads a request's arguments, checks their types and refuses unknown ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from NatronIExec.errors import BadInput

Kind = TypeVar("Kind", str, int, bool, dict[str, Any])


class Arguments:
    """`take` each argument, then `done`. Raises BadInput."""

    def __init__(self, verb: str, given: Mapping[str, Any]) -> None:
        self._verb = verb
        self._left = dict(given)

    def take(self, name: str, kind: type[Kind]) -> Kind:
        found = self.maybe(name, kind)
        if found is None:
            raise BadInput(f"{self._verb} needs {name}.", "See docs/engine-protocol.md.")
        return found

    def maybe(self, name: str, kind: type[Kind]) -> Kind | None:
        found = self._left.pop(name, None)
        if found is None:
            return None
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            # the value is not quoted: it may be a password in the wrong place
            raise BadInput(f"{self._verb}: {name} is of the wrong kind.", "See docs/engine-protocol.md.")
        return found

    def flag(self, name: str) -> bool:
        return bool(self.maybe(name, bool))

    def rest(self) -> dict[str, Any]:
        """The arguments that were not taken yet, as one mapping."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        if self._left:
            raise BadInput(f"{self._verb} takes no {', '.join(sorted(self._left))}.", "See docs/engine-protocol.md.")
