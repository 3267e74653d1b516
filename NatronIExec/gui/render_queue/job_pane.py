"""The chosen job: its frames, its log, its ids. The engine is asked only for what somebody looks at."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.qt import Qt, QtCore, QtWidgets, Signal
from NatronIExec.gui.render_queue.frame_bar import FrameStrip, Legend
from NatronIExec.gui.render_queue.job_details import JobDetails
from NatronIExec.gui.render_queue.queue_models import FramesModel
from NatronIExec.gui.render_queue.thumbnails import Thumbnails
from NatronIExec.gui.widgets import table
from NatronIExec.shapes import FrameRow, NetworkRow

#: Log and details follow what happens at this pace at most.
FOLLOW_MS = 1000
_FRAME_WIDTHS = (120, 90, 60, 70, 150, 260, 110)
_LOG_LINES = 2000


class JobPane(QtWidgets.QWidget):
    """Signals: failed(problem), menu_wanted(place on the screen) for the selected frames."""

    failed = Signal(object)
    menu_wanted = Signal(object)

    def __init__(self, bridge: Bridge, thumbnails: Thumbnails, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.asker = Asker(bridge)
        self.job: Optional[str] = None
        self.frames = FramesModel(thumbnails, self)
        self._early: List[FrameRow] = []
        self._build()
        self._follow = QtCore.QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(FOLLOW_MS)
        faults.connect(self._follow.timeout, self._ask_again)
        faults.connect(self.strip.chosen, self._frame_chosen)
        faults.connect(self.tabs.currentChanged, self.ask)
        faults.connect(self.frames_table.selectionModel().selectionChanged, self._frames_selected)
        faults.connect(self.frames_table.customContextMenuRequested, self._menu)

    def _build(self) -> None:
        self.strip, self.legend = FrameStrip(), Legend()
        self.frames_table = table(self.frames, _FRAME_WIDTHS)
        self.frames_table.setContextMenuPolicy(Qt.CustomContextMenu)
        self.log = QtWidgets.QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_LOG_LINES)
        self.details = JobDetails()
        self.tabs = QtWidgets.QTabWidget()
        for widget, title in ((self.frames_table, "Frames"), (self.log, "Log"), (self.details, "Details")):
            widget.setAccessibleName(title)
            self.tabs.addTab(widget, title)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.strip)
        column.addWidget(self.legend)
        column.addWidget(self.tabs, 1)

    # which job, which frames

    def show_job(self, job: Optional[str]) -> None:
        """None: nothing is chosen, or several."""
        if job == self.job:
            return
        self.job = job
        self.asker.drop()
        self._show_frames(None, ())
        self.log.clear()
        self.details.forget()
        self.ask_frames()
        self.ask()

    def selected_frames(self) -> List[FrameRow]:
        rows = sorted(index.row() for index in self.frames_table.selectionModel().selectedRows())
        return [self.frames.rows[at] for at in rows]

    def ask_frames(self) -> None:
        job = self.job
        if job is None:
            return

        def got(rows: List[FrameRow]) -> None:
            self._show_frames(job, rows)
            self._change_frames(self._early)

        self._early = []
        self.asker.ask("frames", "frames", {"job": job}, got, self.failed.emit)

    def take_frames(self, job: str, rows: Sequence[FrameRow]) -> None:
        """Also what comes before the list that was asked for, which is older: it is applied again afterwards."""
        if job != self.job:
            return
        if self.asker.busy("frames"):
            self._early.extend(rows)
        self._change_frames(rows)
        self.follow(job)

    def _change_frames(self, rows: Sequence[FrameRow]) -> None:
        self.frames.change(rows)
        self.strip.show_frames(self.frames.rows)
        self.legend.show_frames(self.frames.rows)

    def _show_frames(self, job: Optional[str], rows: Sequence[FrameRow]) -> None:
        self.frames.show(job, rows)
        self.strip.show_frames(self.frames.rows)
        self.legend.show_frames(self.frames.rows)

    def _frame_chosen(self, at: int) -> None:
        self.frames_table.setCurrentIndex(self.frames.index(at, 0))  # selectRow does nothing from right to left

    def _frames_selected(self) -> None:
        rows = self.frames_table.selectionModel().selectedRows()
        self.strip.mark(min(index.row() for index in rows) if rows else -1)
        if self.tabs.currentWidget() is self.log:
            self.ask()

    def _menu(self, place: QtCore.QPoint) -> None:
        if self.selected_frames():
            self.menu_wanted.emit(self.frames_table.viewport().mapToGlobal(place))

    # log and details

    def follow(self, job: str) -> None:
        """Something happened to this job: what is looked at is asked for again, soon and once."""
        if job == self.job and self.isVisible() and not self._follow.isActive():
            self._follow.start()

    def _ask_again(self) -> None:
        if self.asker.busy("log") or self.asker.busy("details"):
            self._follow.start()  # a newer question would make that answer unwanted, again and again
        else:
            self.ask()

    def ask(self) -> None:
        if self.job is None or not self.isVisible():
            return
        if self.tabs.currentWidget() is self.log:
            args: Dict[str, Any] = {"job": self.job, "tail": 500}
            frames = self.selected_frames()
            if frames:
                args["task"] = frames[0]["chunk"]
            self.asker.ask("log", "logs", args, self._show_log, self._no_log)
        elif self.tabs.currentWidget() is self.details:
            if self.details.explorers is None:
                self.asker.ask("networks", "networks", {}, self._got_networks, self.failed.emit)
            self.asker.ask("details", "show", {"job": self.job}, self.details.show_sheet, self.failed.emit)

    def _show_log(self, answer: Dict[str, Any]) -> None:
        """Its end stays in view, unless the artist reads something above."""
        text = "\n".join(answer["lines"])
        if text == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        place, at_end = bar.value(), bar.value() == bar.maximum()
        self.log.setPlainText(text)
        bar.setValue(bar.maximum() if at_end else place)

    def _no_log(self, problem: NatronIExecError) -> None:
        self._show_log({"lines": [problem.title, problem.remedy]})

    def _got_networks(self, rows: List[NetworkRow]) -> None:
        self.details.explorers = {row["name"]: row.get("explorer") or "" for row in rows}
        self.ask()

    @faults.guarded
    def showEvent(self, event: Any) -> None:
        self.ask()

    @faults.guarded
    def hideEvent(self, event: Any) -> None:
        self._follow.stop()
