"""What the scan complains of: errors block, warnings do not; each with a way out."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from NatronIExec.gui import theme
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.submit.submission_draft import check_title
from NatronIExec.gui.widgets import Banner, quiet
from NatronIExec.shapes import CheckRow


class ChecksList(QtWidgets.QScrollArea):
    """Signals: ignored(check), node_wanted(node name), again_wanted()."""

    ignored = Signal(object)
    node_wanted = Signal(object)
    again_wanted = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QtWidgets.QFrame.NoFrame)
        self.banners: List[Banner] = []
        self._fill([], "Nothing was read yet.")

    def show_checks(self, checks: Sequence[CheckRow]) -> None:
        self._fill(checks, "Nothing to complain of.")

    def _fill(self, checks: Sequence[CheckRow], nothing: str) -> None:
        inner = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inner)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        self.banners = []
        for check in checks:
            banner = Banner(inner)  # one without a parent is a window of its own while it is filled
            banner.say(check["level"], check_title(check), check["remedy"] or "", *self._actions(check))
            column.addWidget(banner)
            self.banners.append(banner)
        if not checks:
            column.addWidget(quiet(nothing))
        column.addStretch(1)
        self.setWidget(inner)

    def _actions(self, check: CheckRow) -> Sequence[Any]:
        actions = []
        if check["node"]:
            actions.append(("Show node", lambda: self.node_wanted.emit(check["node"])))
        if check["level"] == "error":
            actions.append(("Check again", self.again_wanted.emit))
        else:
            actions.append(("Ignore", lambda: self.ignored.emit(check)))
        return actions


def tab_title(checks: Sequence[CheckRow]) -> str:
    errors = sum(check["level"] == "error" for check in checks)
    warnings = sum(check["level"] == "warning" for check in checks)
    if errors:
        return f"Checks ({errors} to solve)"
    return f"Checks ({warnings})" if warnings else "Checks"


def tab_mark(checks: Sequence[CheckRow]) -> Any:
    levels = {check["level"] for check in checks}
    level = "error" if "error" in levels else "warning" if "warning" in levels else "good"
    return theme.mark(level, 14)
