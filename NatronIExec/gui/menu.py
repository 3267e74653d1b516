"""The two menu entries, and what they open. Nothing of the dialogs is imported before the first click.

Natron adds entries at the end of a menu; ours belongs directly after *Render All Writers* and is moved there in every
window that opens. If that fails it stays where Natron put it, and works.
"""

from __future__ import annotations

from typing import Any, Optional

from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore, QtWidgets
from NatronIExec.host import api

SUBMIT, QUEUE = "Render on iExec…", "iExec Render Queue"
NEIGHBOUR = "Render All Writers"
#: Natron resolves these names in __main__, where initGui.py imported this module.
COMMANDS = {SUBMIT: "NatronIExec.gui.menu.open_submit", QUEUE: "NatronIExec.gui.menu.open_queue"}
#: How often new windows are looked for: a walk over the few top-level widgets.
LOOK_MS = 1000

_installed = False
_timer: Optional[QtCore.QTimer] = None
_desk: Any = None


def install() -> None:
    """Once a process, also when Natron finds this plugin on two search paths."""
    global _installed, _timer
    if _installed:
        return
    _installed = True
    for title, command in COMMANDS.items():
        api.add_menu_entry("Render/" + title, command)
    _timer = QtCore.QTimer()
    _timer.setInterval(LOOK_MS)
    faults.connect(_timer.timeout, place_entries)
    _timer.start()


def place_entries() -> None:
    """Move our entry in every main window that has it at the end. Each is looked at each time: Qt gives the address of
    a closed window to a new one."""
    for window in QtWidgets.QApplication.topLevelWidgets():
        if isinstance(window, QtWidgets.QMainWindow):
            _place(window)


def _place(window: Any) -> bool:
    """True when the entry is where it belongs. Menu bar, actions and menus are kept in variables: a temporary wrapper
    would take the C++ object with it."""
    bar = window.menuBar()
    actions = bar.actions()
    for action in actions:
        menu = action.menu()
        if menu is None or action.text().replace("&", "") != "Render":
            continue
        entries = menu.actions()
        texts = [entry.text().replace("&", "") for entry in entries]
        if SUBMIT not in texts or NEIGHBOUR not in texts:
            return False
        mine, after = texts.index(SUBMIT), texts.index(NEIGHBOUR) + 1
        if mine != after:
            entry, before = entries[mine], entries[after]
            menu.removeAction(entry)
            menu.insertAction(before, entry)
        return True
    return False


@faults.guarded
def open_submit() -> None:
    """Render → Render on iExec…"""
    desk().open_submit(api.NatronWindow(api.app_of_command()))


@faults.guarded
def open_queue() -> None:
    """Render → iExec Render Queue."""
    desk().open_queue(api.NatronWindow(api.app_of_command()))


@faults.guarded
def restore_panel() -> None:
    """Natron restores a saved layout and wants the panel that was in it."""
    desk().open_queue(api.NatronWindow(api.app_of_command()))


def desk() -> Any:
    """All our windows, made at the first click."""
    global _desk
    if _desk is None:
        from NatronIExec.gui.windows import Desk

        _desk = Desk()
    return _desk
