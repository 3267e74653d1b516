"""Pictures of frames that came back, made small by the engine (EXR too) and asked for only when they are looked at."""

from __future__ import annotations

import base64
import collections
from typing import Any, Optional, Tuple

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui.bridge import Bridge
from NatronIExec.gui.qt import QtCore, QtGui, Signal

#: Pixels of the longer side.
SIDE = 96
#: Pictures kept; the least recently asked for go first.
KEPT = 600

Key = Tuple[str, int, str]


class Thumbnails(QtCore.QObject):
    """Signals: ready(job) when a picture that was asked for is there. Bursts of them are joined."""

    ready = Signal(object)

    def __init__(self, bridge: Bridge, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pictures: collections.OrderedDict[Key, Optional[QtGui.QIcon]] = collections.OrderedDict()

    def icon(self, job: str, frame: int, view: Optional[str] = None) -> Any:
        """The picture, or None while it is not there; asking starts its way here."""
        key = (job, frame, view or "")
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        self._pictures[key] = None
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        args = {"job": job, "frame": frame, "size": SIDE}
        if view and view != "main":
            args["view"] = view
        self._bridge.ask("thumbnail", args, lambda answer: self._got(key, answer["png"]), self._failed)
        return None

    def forget(self, job: str) -> None:
        """A frame of this job was rendered again."""
        for key in [key for key in self._pictures if key[0] == job]:
            del self._pictures[key]

    def _got(self, key: Key, png: str) -> None:
        picture = QtGui.QPixmap()
        if picture.loadFromData(QtCore.QByteArray(base64.b64decode(png))):
            self._pictures[key] = QtGui.QIcon(picture)  # an icon is scaled to its cell, a pixmap is not
            self.ready.emit(key[0])

    def _failed(self, problem: NatronIExecError) -> None:
        """A frame without a picture is no fault: its file may have been moved by the artist."""
