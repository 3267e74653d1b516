"""The render queue: all jobs, the frames of the chosen one, what can be done with them. Docked like Natron's panels."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults, queue_model, theme, words
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.frame_bar import BarDelegate, FrameStrip, Legend
from NatronIExec.gui.job_details import JobDetails
from NatronIExec.gui.parts import Banner, button, quiet
from NatronIExec.gui.qt import Qt, QtCore, QtWidgets, Signal
from NatronIExec.gui.queue_actions import ACTIONS, QueueActions
from NatronIExec.gui.queue_model import FramesModel, JobsModel
from NatronIExec.gui.thumbnails import SIDE, Thumbnails

#: Passing times are counted up this often, while somebody can see them.
TICK_MS = 1000
_JOB_WIDTHS = (190, 120, 330, 130, 70, 110, 110, 220)
_FRAME_WIDTHS = (110, 90, 60, 70, 40, 150, 260, 110)

#: (files, writer) → what was loaded, from the window that the panel is docked in.
Load = Callable[[List[str], Optional[str]], Any]


class QueuePanel(QtWidgets.QWidget):
    """Signals: wallet_wanted(), settings_wanted(), again_wanted()."""

    wallet_wanted = Signal()
    settings_wanted = Signal()
    again_wanted = Signal()

    def __init__(self, bridge: Bridge, load: Load, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.thumbnails = Thumbnails(bridge, self)
        self.jobs = JobsModel(self.thumbnails, self)
        self.frames = FramesModel(self.thumbnails, self)
        self.actions_ = QueueActions(self, load)
        self._wanted: Optional[str] = None
        self._build()
        self._connect()
        self._tick = QtCore.QTimer(self)
        self._tick.setInterval(TICK_MS)
        faults.connect(self._tick.timeout, self._count_up)
        self._take_jobs(list(bridge.jobs.values()), [])
        self._connection_changed(bridge.problem if not bridge.connected else None)
        bridge.listen()

    # building

    def _build(self) -> None:
        self.banner = Banner()
        self.table = _table(self.jobs, _JOB_WIDTHS, QtWidgets.QAbstractItemView.ExtendedSelection)
        self.table.setItemDelegateForColumn(queue_model.BAR, BarDelegate(self.table))
        self.table.setIconSize(QtCore.QSize(40, 22))
        self.table.setContextMenuPolicy(Qt.CustomContextMenu)
        self.empty = quiet("No renders yet. Choose Render → Render on iExec… to send the first one.")
        self.empty.setAlignment(Qt.AlignCenter)
        self.strip, self.legend = FrameStrip(), Legend()
        self.frames_table = _table(self.frames, _FRAME_WIDTHS, QtWidgets.QAbstractItemView.ExtendedSelection)
        self.frames_table.setIconSize(QtCore.QSize(SIDE // 2, SIDE // 4))
        self.log = QtWidgets.QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(2000)
        self.details = JobDetails()
        self.tabs = QtWidgets.QTabWidget()
        for widget, title in ((self.frames_table, "Frames"), (self.log, "Log"), (self.details, "Details")):
            self.tabs.addTab(widget, title)
        self.buttons = {action.name: button(action.title, self.actions_.runner(action), action.tip)
                        for action in ACTIONS if action.in_bar}  # fmt: skip
        self._lay_out()

    def _lay_out(self) -> None:
        bar = QtWidgets.QHBoxLayout()
        for made in self.buttons.values():
            bar.addWidget(made)
        bar.addStretch(1)
        bar.addWidget(button("Wallet…", self.wallet_wanted.emit))
        bar.addWidget(button("Settings…", self.settings_wanted.emit))
        lower = QtWidgets.QWidget()
        below = QtWidgets.QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.strip)
        below.addWidget(self.legend)
        below.addWidget(self.tabs, 1)
        upper = QtWidgets.QStackedWidget()
        upper.addWidget(self.empty)
        upper.addWidget(self.table)
        self.upper = upper
        self.splitter = QtWidgets.QSplitter(Qt.Vertical)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(lower)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(bar)
        column.addWidget(self.banner)
        column.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        connect = faults.connect
        connect(self.bridge.jobs_changed, self._take_jobs)
        connect(self.bridge.frames_changed, self._take_frames)
        connect(self.bridge.connection_changed, self._connection_changed)
        connect(self.table.selectionModel().selectionChanged, self._selection_changed)
        connect(self.table.customContextMenuRequested, self._menu)
        connect(self.table.doubleClicked, lambda: self.actions_.run_named("folder"))
        connect(self.strip.chosen, self._frame_chosen)
        connect(self.tabs.currentChanged, self._show_tab)

    # what is selected

    def selected(self) -> List[Dict[str, Any]]:
        """Rows of the selected jobs, top to bottom."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.jobs.job(at) for at in rows]

    def selected_frames(self) -> List[Dict[str, Any]]:
        rows = sorted(index.row() for index in self.frames_table.selectionModel().selectedRows())
        return [self.frames.rows[at] for at in rows]

    def select(self, job: str) -> None:
        """Choose a job; one that is not there yet is chosen when it comes."""
        at = self.jobs.row_of(job)
        self._wanted = None if at >= 0 else job
        if at >= 0:
            self.table.selectRow(at)
            self.table.scrollTo(self.jobs.index(at, 0))

    def _selection_changed(self) -> None:
        chosen = self.selected()
        job = chosen[0]["id"] if len(chosen) == 1 else None
        if job != self.frames.job:
            self.frames.show(None, ())
            self._show_frames()
            self.log.clear()
            self.details.clear()
            if job is not None:
                self._ask_frames(job)
        self._show_tab()
        self.refresh_actions()

    def _ask_frames(self, job: str) -> None:
        def got(rows: List[Dict[str, Any]]) -> None:
            self.frames.show(job, rows)
            self._show_frames()

        self.asker.ask("frames", "frames", {"job": job}, got, self.failed)

    def _show_frames(self) -> None:
        self.strip.show_frames(self.frames.rows)
        self.legend.show_frames(self.frames.rows)

    def _frame_chosen(self, at: int) -> None:
        self.frames_table.selectRow(at)
        self.frames_table.scrollTo(self.frames.index(at, 0))

    def _show_tab(self) -> None:
        """Log and details are asked for only when somebody looks."""
        chosen = self.selected()
        if len(chosen) != 1:
            return
        job = chosen[0]["id"]
        if self.tabs.currentWidget() is self.log:
            args: Dict[str, Any] = {"job": job, "tail": 500}
            frames = self.selected_frames()
            if frames:
                args["task"] = frames[0]["chunk"]
            self.asker.ask("log", "logs", args, self._show_log, self.failed)
        elif self.tabs.currentWidget() is self.details:
            self.asker.ask("details", "show", {"job": job}, self.details.show_sheet, self.failed)

    def _show_log(self, answer: Dict[str, Any]) -> None:
        self.log.setPlainText("\n".join(answer["lines"]))
        bar = self.log.verticalScrollBar()
        bar.setValue(bar.maximum())

    # what the engine says

    def _take_jobs(self, rows: Sequence[Dict[str, Any]], removed: Sequence[str]) -> None:
        self.jobs.change(rows, removed)
        self.upper.setCurrentWidget(self.table if self.jobs.rows else self.empty)
        if self._wanted is not None:
            self.select(self._wanted)
        self.refresh_actions()

    def _take_frames(self, job: str, rows: Sequence[Dict[str, Any]]) -> None:
        if job == self.frames.job:
            self.frames.change(rows)
            self._show_frames()

    def _connection_changed(self, problem: Optional[NatronIExecError]) -> None:
        self.jobs.lost_since_s = None if problem is None else self.bridge.last_event_s or time.time()
        if problem is None:
            if self.banner.level == "error":
                self.banner.clear()
            if self.frames.job is not None:
                self._ask_frames(self.frames.job)
        else:
            heard = words.ago(self.bridge.last_event_s)
            self.banner.say(
                "error", f"{problem.title} Last update {heard}.", problem.remedy, ("Try now", self.bridge.reconnect)
            )
        self.jobs.tick()
        self.refresh_actions()

    def failed(self, problem: NatronIExecError) -> None:
        """An action did not work: said in the panel, with the way out where there is one."""
        wallet: Tuple[Any, ...] = (("Wallet…", self.wallet_wanted.emit),)
        self.banner.say_error(problem, *(wallet if problem.code in ("wallet-locked", "wallet", "funds") else ()),
                              ("Dismiss", self.banner.clear))  # fmt: skip

    def refresh_actions(self) -> None:
        rows = self.selected()
        for action in ACTIONS:
            made = self.buttons.get(action.name)
            if made is not None:
                reason = self.actions_.reason(action, rows)
                made.setEnabled(not reason)
                made.setToolTip(reason or action.tip)

    def _menu(self, position: QtCore.QPoint) -> None:
        menu = self.actions_.menu(self.selected())
        menu.popup(self.table.viewport().mapToGlobal(position))

    def _count_up(self) -> None:
        self.jobs.tick()

    @faults.guarded
    def showEvent(self, event: Any) -> None:
        self._tick.start()
        self.jobs.tick()

    @faults.guarded
    def hideEvent(self, event: Any) -> None:
        self._tick.stop()


def _table(model: Any, widths: Sequence[int], selection: Any) -> QtWidgets.QTableView:
    table = QtWidgets.QTableView()
    table.setModel(model)
    table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
    table.setSelectionMode(selection)
    table.setAlternatingRowColors(True)
    table.setStyleSheet(theme.ITEMS)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setHighlightSections(False)
    for at, width in enumerate(widths):
        table.setColumnWidth(at, width)
    return table
