"""The render queue: all jobs, the frames of the chosen one, what can be done with them. Docked like Natron's panels."""

from __future__ import annotations

import time
from typing import Any, Callable, List, Optional, Sequence, Tuple

from NatronIExec import wording
from NatronIExec.errors import EngineGone, NatronIExecError
from NatronIExec.gui import faults, layout_state
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.qt import Qt, QtCore, QtWidgets, Signal
from NatronIExec.gui.render_queue import queue_models
from NatronIExec.gui.render_queue.frame_bar import BarDelegate
from NatronIExec.gui.render_queue.job_pane import JobPane
from NatronIExec.gui.render_queue.queue_actions import ACTIONS, QueueActions
from NatronIExec.gui.render_queue.queue_models import JobsModel
from NatronIExec.gui.render_queue.thumbnails import Thumbnails
from NatronIExec.gui.widgets import Banner, button, quiet, table
from NatronIExec.shapes import FrameRow, JobRow, NoticeEvent

#: Passing times are counted up this often, while somebody can see them.
TICK_MS = 1000
_JOB_WIDTHS = (170, 110, 240, 90, 70, 120, 140, 90, 110)
#: Pixels of the jobs and of what is below them, until the artist moves the border.
_HEIGHTS = [330, 270]

#: Frame rows → what was loaded, from the window that the panel is docked in.
Load = Callable[[List[FrameRow]], Any]


class QueuePanel(QtWidgets.QWidget):
    """Signals: wallet_wanted(), settings_wanted(), again_wanted(JobSheet)."""

    wallet_wanted = Signal()
    settings_wanted = Signal()
    again_wanted = Signal(object)

    def __init__(self, bridge: Bridge, load: Load, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.thumbnails = Thumbnails(bridge, self)
        self.jobs = JobsModel(self.thumbnails, self)
        self.pane = JobPane(bridge, self.thumbnails)
        self.frames, self.tabs = self.pane.frames, self.pane.tabs
        self.log, self.details = self.pane.log, self.pane.details
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
        #: Three things to say, none of which may wipe out another: the engine is gone, what the artist is asked, news.
        self.link, self.banner, self.news = Banner(), Banner(), Banner()
        self.table = table(self.jobs, _JOB_WIDTHS)
        self.table.setAccessibleName("Renders")
        self.table.setItemDelegateForColumn(queue_models.BAR, BarDelegate(self.table))
        self.table.setContextMenuPolicy(Qt.CustomContextMenu)
        self.empty = quiet("No renders yet. Choose Render → Render on iExec… to send the first one.")
        self.empty.setAlignment(Qt.AlignCenter)
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
        self.upper = QtWidgets.QStackedWidget()
        self.upper.addWidget(self.empty)
        self.upper.addWidget(self.table)
        self.splitter = QtWidgets.QSplitter(Qt.Vertical)
        self.splitter.addWidget(self.upper)
        self.splitter.addWidget(self.pane)
        self.splitter.setSizes(_HEIGHTS)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(bar)
        for said in (self.link, self.banner, self.news):
            column.addWidget(said)
        column.addWidget(self.splitter, 1)
        self._parts = {
            "splitter": self.splitter,
            "jobs": self.table.horizontalHeader(),
            "frames": self.pane.frames_table.horizontalHeader(),
        }
        layout_state.restore("queue", self._parts)

    def _connect(self) -> None:
        connect = faults.connect
        connect(self.bridge.jobs_changed, self._take_jobs)
        connect(self.bridge.frames_changed, self.pane.take_frames)
        connect(self.bridge.connection_changed, self._connection_changed)
        connect(self.bridge.notice, self._show_notice)
        connect(self.table.selectionModel().selectionChanged, self._selection_changed)
        connect(self.table.customContextMenuRequested, self._menu)
        connect(self.table.doubleClicked, lambda: self.actions_.run_named("folder"))
        connect(self.pane.failed, self._pane_failed)
        connect(self.pane.menu_wanted, lambda place: self.actions_.menu(self.selected(), of_frames=True).popup(place))

    # what is selected

    def selected(self) -> List[JobRow]:
        """Rows of the selected jobs, top to bottom."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.jobs.job(at) for at in rows]

    def select(self, job: str) -> None:
        """Choose a job; one that is not there yet is chosen when it comes."""
        at = self.jobs.row_of(job)
        self._wanted = None if at >= 0 else job
        if at >= 0:
            self.table.setCurrentIndex(self.jobs.index(at, 0))

    def _selection_changed(self) -> None:
        chosen = self.selected()
        self.pane.show_job(chosen[0]["id"] if len(chosen) == 1 else None)
        self.refresh_actions()

    # what the engine says

    def _take_jobs(self, rows: Sequence[JobRow], removed: Sequence[str]) -> None:
        self.jobs.change(rows, removed)
        self.upper.setCurrentWidget(self.table if self.jobs.rows else self.empty)
        self.pane.setVisible(bool(self.jobs.rows))
        if self._wanted is not None:
            self.select(self._wanted)
        for row in rows:
            self.pane.follow(row["id"])
        self.refresh_actions()

    def _connection_changed(self, problem: Optional[NatronIExecError]) -> None:
        self.jobs.lost_since_s = None if problem is None else self.bridge.heard_s or time.time()
        if problem is None:
            self.link.clear()
            self.pane.ask_frames()
        elif self.link.isHidden():
            self.link.say("error", problem.title, problem.remedy, ("Try now", self.bridge.reconnect))
        self._count_up()
        self.refresh_actions()

    def _show_notice(self, event: NoticeEvent) -> None:
        """The last one, also where a desktop shows none."""
        self.news.say(event["level"], event["title"], event["remedy"], ("Dismiss", self.news.clear))

    # what is said

    def failed(self, problem: NatronIExecError) -> None:
        """An action did not work: said in the panel, with the way out where there is one."""
        wallet: Tuple[Any, ...] = (("Wallet…", self.wallet_wanted.emit),)
        self.banner.say_error(problem, *(wallet if problem.code in ("wallet-locked", "wallet", "funds") else ()),
                              ("Dismiss", self.banner.clear))  # fmt: skip

    def _pane_failed(self, problem: NatronIExecError) -> None:
        """Nobody pressed a button for this. That the engine is lost is said elsewhere, perhaps only after this; once
        found it is asked again."""
        if self.bridge.connected and not isinstance(problem, EngineGone):
            self.failed(problem)

    def say_done(self, text: str) -> None:
        self.banner.say("good", text, "", ("Dismiss", self.banner.clear))

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
        problem = self.bridge.problem
        if not self.bridge.connected and problem is not None:
            self.link.reword(f"{problem.title} Last update {wording.ago(self.bridge.heard_s)}.", problem.remedy)

    @faults.guarded
    def showEvent(self, event: Any) -> None:
        self._tick.start()
        self._count_up()

    @faults.guarded
    def hideEvent(self, event: Any) -> None:
        self._tick.stop()
        layout_state.keep("queue", self._parts)
