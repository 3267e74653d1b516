"""Where the artist left splitters and columns, and which accounts were backed up from here. In our own state: Natron's
layouts know nothing of what is inside our windows, and an account's file nothing of its copies."""

from __future__ import annotations

from typing import Any, Mapping

from NatronIExec import paths
from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore

#: Raised when columns or parts change, so that an old state is not laid over new ones.
SCHEMA = 1


def keep(window: str, parts: Mapping[str, Any]) -> None:
    """`parts` have saveState and restoreState. What cannot be written is not remembered, and nothing more."""
    try:
        paths.private_folder(paths.home())
    except OSError as problem:
        faults.log(f"The places of columns could not be kept: {problem}")
        return
    kept = _file()
    for name, part in parts.items():
        kept.setValue(f"{window}.{SCHEMA}/{name}", part.saveState())
    kept.sync()


def restore(window: str, parts: Mapping[str, Any]) -> None:
    kept = _file()
    for name, part in parts.items():
        state = kept.value(f"{window}.{SCHEMA}/{name}")
        if isinstance(state, QtCore.QByteArray):
            part.restoreState(state)


def note_backup(address: str) -> None:
    kept = _file()
    kept.setValue("backups/" + address.lower(), "yes")
    kept.sync()


def has_backup(address: str) -> bool:
    return bool(_file().value("backups/" + address.lower()))


def _file() -> QtCore.QSettings:
    return QtCore.QSettings(str(paths.home() / "windows.ini"), QtCore.QSettings.IniFormat)
