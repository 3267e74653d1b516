"""Natron's own windows, as far as our dialogs need to know them."""

from __future__ import annotations

from typing import Any

from NatronIExec.gui.qt import QtWidgets, alive

#: What Natron calls to bring our panel back with a saved layout. Natron resolves the name in __main__.
PANEL_COMMAND = "NatronIExec.gui.menu.restore_panel"


def natron_is_open() -> bool:
    """False once Natron ends: its windows are closed before the program is over."""
    windows = QtWidgets.QApplication.topLevelWidgets()
    return any(isinstance(window, QtWidgets.QMainWindow) and window.isVisible() for window in windows)


def main_window() -> Any:
    """The window that dialogs belong to."""
    window = QtWidgets.QApplication.activeWindow()
    while window is not None and window.parentWidget() is not None:
        window = window.parentWidget()
    return window if window is not None and alive(window) else None
