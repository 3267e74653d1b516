"""Named presets of the dialog's choices: the ones that serve any project."""

from __future__ import annotations

import functools
from typing import Callable, Optional

from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore, QtWidgets, Signal
from NatronIExec.gui.submit.remembered_choices import Choices


class PresetsMenu(QtCore.QObject):
    """Signals: chosen(name), save_wanted(name). `button` is the widget."""

    chosen = Signal(object)
    save_wanted = Signal(object)

    def __init__(self, choices: Choices, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._choices, self._window = choices, parent
        self.menu = QtWidgets.QMenu(parent)
        self.button = QtWidgets.QPushButton("Pr&esets")
        self.button.setAutoDefault(False)
        self.button.setMenu(self.menu)
        faults.connect(self.menu.aboutToShow, self.fill)

    def fill(self) -> None:
        self.menu.clear()
        names = self._choices.presets()
        for name in names:
            self._entry(name, functools.partial(self.chosen.emit, name))
        if names:
            self.menu.addSeparator()
        self._entry("Save as preset…", self._ask_name)
        for name in names:
            self._entry(f"Remove “{name}”", functools.partial(self._choices.remove_preset, name))

    def _entry(self, text: str, action: Callable[[], object]) -> None:
        made = QtWidgets.QAction(text.replace("&", "&&"), self.menu)
        faults.connect(made.triggered, lambda: action())
        self.menu.addAction(made)

    def _ask_name(self, name: Optional[str] = None) -> None:
        if name is None:
            name, accepted = QtWidgets.QInputDialog.getText(self._window, "Save as preset", "Name:")
            if not accepted:
                return
        if name.strip():
            self.save_wanted.emit(name.strip())
