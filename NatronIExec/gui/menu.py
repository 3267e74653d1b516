"""The two menu entries, and what they open. Nothing of the dialogs is imported before the first click.

Natron adds entries at the end of a menu; ours belongs directly after *Render All Writers*, and is moved there when a
window comes to the front for the first time: nobody opens a menu before. If that fails it stays where Natron put it,
and works.
"""

from __future__ import annotations

from typing import Any, Optional

from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore, QtWidgets, alive
from NatronIExec.host import api

SUBMIT, QUEUE = "Render on iExec…", "iExec Render Queue"
NEIGHBOUR = "Render All Writers"
#: Natron resolves these names in __main__, where initGui.py imported this module.
COMMANDS = {SUBMIT: "NatronIExec.gui.menu.open_submit", QUEUE: "NatronIExec.gui.menu.open_queue"}
#: Set on a window whose entry is in its place. Qt forgets it with the window, whose address may be given to a new one.
PLACED = "natron_iexec_entry_is_placed"

_installed = False
_soon: Optional[QtCore.QTimer] = None
_desk: Any = None


def install() -> None:
    """Once a process, also when Natron finds this plugin on two search paths."""
    global _installed
    if _installed:
        return
    _installed = True
    for title, command in COMMANDS.items():
        api.add_menu_entry("Render/" + title, command)
    _follow_the_focus()


@faults.guarded
def _follow_the_focus() -> None:
    """A window that comes to the front has the keyboard, of which Qt tells; an event filter would see every event of
    Natron. Windows are looked at a moment later, never while one is being closed."""
    global _soon
    application = QtWidgets.QApplication.instance()
    _soon = QtCore.QTimer(application)
    _soon.setSingleShot(True)
    _soon.setInterval(0)
    faults.connect(_soon.timeout, place_entry)
    application.focusChanged.connect(_focus_changed)


def _focus_changed() -> None:
    """Takes no arguments: one of the two widgets may be in the middle of its end, and must not be wrapped."""
    if _soon is not None and alive(_soon):
        _soon.start()


def place_entry() -> None:
    """Move our entry in the window that is in front, if it is a new one of Natron's."""
    window = QtWidgets.QApplication.activeWindow()
    if isinstance(window, QtWidgets.QMainWindow) and window.isVisible() and not window.property(PLACED):
        window.setProperty(PLACED, _place(window))


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
    desk().restore_queue(api.NatronWindow(api.app_of_command()))


def desk() -> Any:
    """All our windows, made at the first click."""
    global _desk
    if _desk is None:
        from NatronIExec.gui.windows import Desk

        _desk = Desk()
    return _desk
