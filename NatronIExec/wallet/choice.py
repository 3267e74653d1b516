"""What the wallet remembers when the engine ends: which account pays, who signs, whose password is in the keyring.

Nothing in it is secret, so the wallet can be shown without opening the keyring, which may ask for its own password.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from NatronIExec import paths


@dataclass(frozen=True)
class Choice:
    """`address` is the account of our keystore that pays. If `external` (the URL of an external signer) is not empty,
    `external_address` pays instead, one of the addresses that the signer `offered`. `remembered` are the accounts whose
    password is in the keyring."""

    address: str | None = None
    external: str = ""
    external_address: str = ""
    offered: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()


class ChoiceFile:
    """A Choice kept in a file; with None it is kept in memory. A damaged file counts as empty, since everything in it
    can be chosen again."""

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
