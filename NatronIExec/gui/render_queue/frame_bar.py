"""Frames by state, drawn: the bar in the job list and the strip of all frames of one job."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from NatronIExec import job_wording
from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import CENTER, Qt, QtCore, QtGui, QtWidgets, Signal
from NatronIExec.gui.render_queue.queue_models import ROW
from NatronIExec.shapes import FrameRow


class BarDelegate(QtWidgets.QStyledItemDelegate):
    """The frames of a job as one bar: here, rendering, failed, waiting, with the count in the middle."""

    @faults.guarded
    def paint(self, painter: QtGui.QPainter, option: Any, index: Any) -> None:
        super().paint(painter, option, index)
        row = index.data(ROW)
        area = QtCore.QRectF(option.rect).adjusted(3, 4, -3, -4)
        painter.save()
        painter.fillRect(area, theme.color(theme.BAR_COLORS["waiting"]))
        left = area.left()
        for count, state in (
            (row["frames_done"], "imported"),
            (row["frames_running"], "rendering"),
            (row["frames_failed"], "failed"),
        ):
            width = area.width() * count / max(1, row["frames_total"])
            painter.fillRect(
                QtCore.QRectF(left, area.top(), width, area.height()), theme.color(theme.BAR_COLORS[state])
            )
            left += width
        painter.setPen(QtGui.QPen(theme.color("#ffffff")))
        painter.drawText(area, CENTER, "{} / {}".format(row["frames_done"], row["frames_total"]))
        painter.restore()

    def sizeHint(self, option: Any, index: Any) -> QtCore.QSize:
        return QtCore.QSize(120, 22)


class FrameStrip(QtWidgets.QWidget):
    """All frames of a job, one cell each, from first to last. Hover says which; a click chooses it, and so do the arrow
    keys, Home and End.

    Signals: chosen(row number in the list of frames).
    """

    chosen = Signal(object)

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._rows: Sequence[FrameRow] = ()
        self._current = -1
        self.setAccessibleName("All frames")
        self.setFocusPolicy(Qt.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumHeight(20)
        self.setMaximumHeight(20)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)

    def show_frames(self, rows: Sequence[FrameRow]) -> None:
        self._rows = rows
        self._current = min(self._current, len(rows) - 1)
        self.update()

    def mark(self, at: int) -> None:
        """The frame that is selected, -1 for none."""
        self._current = at
        self.update()

    def runs(self) -> List[Tuple[int, int, str]]:
        """(first, end, state) of neighbouring cells in one state: a thousand frames are a few rectangles."""
        found: List[Tuple[int, int, str]] = []
        for at, row in enumerate(self._rows):
            if found and found[-1][2] == row["state"]:
                found[-1] = (found[-1][0], at + 1, row["state"])
            else:
                found.append((at, at + 1, row["state"]))
        return found

    def row_at(self, x: float) -> int:
        count = len(self._rows)
        at = int(x * count / max(1, self.width())) if count else -1
        return min(max(at, -1), count - 1)

    @faults.guarded
    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), theme.color(theme.SUNKEN))
        count = len(self._rows)
        if count:
            cell = self.width() / float(count)
            for first, end, state in self.runs():
                area = QtCore.QRectF(first * cell, 1, (end - first) * cell, self.height() - 2)
                painter.fillRect(area, theme.color(theme.FRAME_COLORS.get(state, theme.UNKNOWN)))
            if cell >= 4:
                painter.setPen(QtGui.QPen(theme.color(theme.SUNKEN)))
                for at in range(1, count):
                    painter.drawLine(QtCore.QPointF(at * cell, 1), QtCore.QPointF(at * cell, self.height() - 1))
            self._draw_current(painter, cell)
        painter.end()

    def _draw_current(self, painter: QtGui.QPainter, cell: float) -> None:
        """Where the keyboard is, or what is selected; never too narrow to be seen."""
        if self._current < 0:
            return
        ink = theme.SELECTION if self.hasFocus() else theme.TEXT
        painter.setPen(QtGui.QPen(theme.color(ink), 2))
        painter.drawRect(QtCore.QRectF(self._current * cell + 1, 1, max(cell - 2, 3.0), self.height() - 2))

    @faults.guarded
    def event(self, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.ToolTip:
            at = self.row_at(event.pos().x())
            if at >= 0:
                row = self._rows[at]
                text = "Frame {}: {}".format(row["frame"], job_wording.frame_state(row["state"]).lower())
                QtWidgets.QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().event(event))

    @faults.guarded
    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        last, current = len(self._rows) - 1, self._current
        wanted = {
            int(Qt.Key_Left): max(current - 1, 0),
            int(Qt.Key_Right): min(current + 1, last),
            int(Qt.Key_Home): 0,
            int(Qt.Key_End): last,
        }.get(int(event.key()))
        if wanted is None or last < 0:
            super().keyPressEvent(event)
        else:
            self.mark(wanted)
            self.chosen.emit(wanted)

    @faults.guarded
    def focusInEvent(self, event: QtGui.QFocusEvent) -> None:
        if self._current < 0 and self._rows:
            self.mark(0)
        self.update()

    @faults.guarded
    def focusOutEvent(self, event: QtGui.QFocusEvent) -> None:
        self.update()

    @faults.guarded
    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        at = self.row_at(event.pos().x())
        if at >= 0 and event.button() == Qt.LeftButton:
            self.chosen.emit(at)


class Legend(QtWidgets.QWidget):
    """What the colours mean, with how many frames have each."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._label = QtWidgets.QLabel()
        self._label.setTextFormat(Qt.RichText)
        line = QtWidgets.QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._label)
        line.addStretch(1)

    def show_frames(self, rows: Sequence[FrameRow]) -> None:
        counts = dict.fromkeys(theme.FRAME_COLORS, 0)
        for row in rows:
            counts[row["state"]] = counts.get(row["state"], 0) + 1
        self._label.setText("&nbsp;&nbsp;".join(_entry(state, number) for state, number in counts.items() if number))


def _entry(state: str, number: int) -> str:
    ink = theme.FRAME_COLORS.get(state, theme.UNKNOWN)
    return f'<span style="color:{ink}">■</span> {number} {job_wording.frame_state(state).lower()}'
