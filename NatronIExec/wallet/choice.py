"""What a session remembers between two engines: which account pays, who signs, whose password the keyring holds.

Nothing in it is secret, so that it can be shown without asking a keyring (which may be locked, and would ask).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from NatronIExec import paths


@dataclass(frozen=True)
class Choice:
    """`address` is the one of our own that pays. While `external`, the URL of a signer elsewhere, is not empty,
    `external_address` of those that it `offered` pays. `remembered` are those whose password is in the keyring."""

    address: str | None = None
    external: str = ""
    external_address: str = ""
    offered: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()


class ChoiceFile:
    """A Choice on disk; None keeps it in memory. A damaged one is an empty one: all of it can be chosen again."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.choice = _read(file) if file else Choice()

    def save(self, choice: Choice) -> None:
        if choice == self.choice:
            return
        self.choice = choice
        if self.file:
            paths.private_folder(self.file.parent)
            paths.write_atomic(self.file, json.dumps(vars(choice)).encode())


def _read(file: Path) -> Choice:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        address = found["address"]
        return Choice(
            None if address is None else str(address),
            str(found.get("external", "")),
            str(found.get("external_address", "")),
            tuple(map(str, found.get("offered", ()))),
            tuple(map(str, found.get("remembered", ()))),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Choice()
