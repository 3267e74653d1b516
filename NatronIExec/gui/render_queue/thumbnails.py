"""Pictures of frames that came back, made small by the engine (EXR too) and asked for only when they are looked at."""

from __future__ import annotations

import base64
import collections
import time
from typing import Any, Callable, Dict, Optional, Tuple

from NatronIExec.gui.bridge import Bridge
from NatronIExec.gui.qt import QtCore, QtGui, Signal

#: Pixels of the longer side.
SIDE = 128
#: Pictures kept; the least recently asked for go first.
KEPT = 600
#: A picture that did not come is asked for again when it is looked at this much later: its file may be back.
AGAIN_S = 10

#: Job, frame, view, writer.
Key = Tuple[str, int, str, str]


class Thumbnails(QtCore.QObject):
    """Signals: ready(job) when a picture that was asked for is there. Bursts of them are joined."""

    ready = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        parent: Optional[QtCore.QObject] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._clock = clock
        self._pictures: collections.OrderedDict[Key, Optional[QtGui.QIcon]] = collections.OrderedDict()
        self._not_before: Dict[Key, float] = {}

    def icon(self, job: str, frame: int, view: Optional[str] = None, writer: Optional[str] = None) -> Any:
        """The picture, or None while it is not there; asking starts its way here."""
        key = (job, frame, view or "", writer or "")
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        if self._clock() < self._not_before.get(key, 0.0):
            return None
        self._pictures[key] = None
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        args: Dict[str, Any] = {"job": job, "frame": frame, "size": SIDE}
        if view and view != "main":
            args["view"] = view
        if writer:
            args["writer"] = writer
        self._bridge.ask("thumbnail", args, lambda answer: self._got(key, answer["png"]), lambda _: self._failed(key))
        return None

    def forget(self, job: str, frame: int) -> None:
        """Another file is there for this frame."""
        for key in [key for key in self._pictures if key[:2] == (job, frame)]:
            del self._pictures[key]

    def _got(self, key: Key, png: str) -> None:
        picture = QtGui.QPixmap()
        if picture.loadFromData(QtCore.QByteArray(base64.b64decode(png))):
            self._pictures[key] = QtGui.QIcon(picture)  # an icon is scaled to its cell, a pixmap is not
            self._not_before.pop(key, None)
            self.ready.emit(key[0])
        else:
            self._failed(key)

    def _failed(self, key: Key) -> None:
        """A frame without a picture is no fault: the artist may have moved its file."""
        self._pictures.pop(key, None)
        if len(self._not_before) >= KEPT:
            self._not_before.clear()
        self._not_before[key] = self._clock() + AGAIN_S
