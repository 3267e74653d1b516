"""What happened while the artist looked elsewhere: said by the desktop, where it can."""

from __future__ import annotations

from typing import Callable, Optional

from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import QtCore, QtGui, QtWidgets
from NatronIExec.shapes import NoticeEvent

#: A desktop shows a message for about this long; its icon is of no use afterwards.
SHOWN_MS = 10_000


class DesktopNotices:
    """Through a tray icon, which is there only as long as its message: a desktop without a tray shows nothing."""

    def __init__(
        self,
        title: str,
        parent: Optional[QtCore.QObject] = None,
        has_tray: Callable[[], bool] = QtWidgets.QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        self._title, self._parent = title, parent
        self._has_tray = has_tray
        self.icon: Optional[QtWidgets.QSystemTrayIcon] = None
        self.over = QtCore.QTimer(parent)
        self.over.setSingleShot(True)
        self.over.setInterval(SHOWN_MS)
        faults.connect(self.over.timeout, self._hide)

    def show(self, event: NoticeEvent) -> None:
        if not self._has_tray():
            return
        if self.icon is None:
            self.icon = QtWidgets.QSystemTrayIcon(QtGui.QIcon(theme.mark("info", 32)), self._parent)
            self.icon.setToolTip(self._title)
            faults.connect(self.icon.messageClicked, self._hide)
        self.icon.show()
        self.icon.showMessage("iExec: " + event["title"], event["remedy"] or " ")
        self.over.start()

    def _hide(self) -> None:
        self.over.stop()
        if self.icon is not None:
            self.icon.hide()

    def close(self) -> None:
        self._hide()
        self.over.deleteLater()
        if self.icon is not None:
            self.icon.deleteLater()
