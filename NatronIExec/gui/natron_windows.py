"""Natron's own windows, as far as ours need to know them.

They are never listed: a list of all windows holds those that are being destroyed, too, and Python's collector may
destroy a plug-in's window while Qt makes the list. No reference to one of them is kept either: Qt gives the address of
a closed window to a new one. Where one is needed later, a small object of ours is left inside it, which Qt destroys
with it.
"""

from __future__ import annotations

from typing import Any, Optional

from NatronIExec.gui.qt import QtCore, QtWidgets, alive

#: What Natron calls to bring our panel back with a saved layout. Natron resolves the name in __main__.
PANEL_COMMAND = "NatronIExec.gui.menu.restore_panel"


def main_window() -> Any:
    """The window that dialogs belong to; None when another program is in front."""
    window = QtWidgets.QApplication.activeWindow()
    while window is not None and window.parentWidget() is not None:
        window = window.parentWidget()
    return window if window is not None and alive(window) else None


def leave_mark() -> Optional[QtCore.QObject]:
    """Our object inside the main window that is in front; None when there is none."""
    window = main_window()
    return QtCore.QObject(window) if isinstance(window, QtWidgets.QMainWindow) else None


def is_on_screen(part: QtCore.QObject) -> bool:
    """Whether the window that holds a mark, or a widget of ours, is still there and shown: Natron hides a window before
    it forgets its project."""
    if not alive(part):
        return False
    window = part.window() if isinstance(part, QtWidgets.QWidget) else part.parent()
    return window is not None and window.isVisible()
