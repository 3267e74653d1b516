"""Our dialogs from their opening to their end.

A dialog is referenced until Qt has destroyed it, and Qt destroys it on the GUI thread when it was closed. One that
nobody referenced would be left to Python's collector, which runs on any thread and at any moment.
"""

from __future__ import annotations

from typing import Any, List

from NatronIExec.gui import faults
from NatronIExec.gui.qt import alive


class OpenDialogs:
    """Dialogs and message boxes, none of them modal."""

    def __init__(self) -> None:
        self._kept: List[Any] = []

    def show(self, dialog: Any) -> None:
        self._kept.append(dialog)

        def forget() -> None:  # takes no arguments: what is being destroyed must not be wrapped again
            self._kept = [kept for kept in self._kept if kept is not dialog]
            _let_go(dialog)

        faults.connect(dialog.finished, dialog.deleteLater)
        dialog.destroyed.connect(forget)
        dialog.show()

    def shown(self) -> List[Any]:
        """Those on screen, the oldest first."""
        return [dialog for dialog in self._kept if alive(dialog) and dialog.isVisible()]

    def raise_one(self, kind: Any) -> bool:
        """Whether such a dialog is on screen; it comes to the front."""
        for dialog in self.shown():
            if isinstance(dialog, kind):
                dialog.raise_()
                dialog.activateWindow()
                return True
        return False

    def close(self) -> None:
        for dialog in list(self._kept):
            if alive(dialog):
                dialog.close()
                dialog.deleteLater()


def _let_go(dialog: Any) -> None:
    """End what is left in Python of a dialog that Qt has destroyed: it asks nothing more, and refers to nothing more.
    Through itself it would keep Natron's project, which is not to be let go of on a collector's thread either."""
    if hasattr(dialog, "asker"):
        dialog.asker.drop()
    vars(dialog).clear()
