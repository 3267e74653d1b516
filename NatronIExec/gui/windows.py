"""Every window of ours in this Natron, and the one bridge that they share. Kept alive for as long as Natron runs."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from NatronIExec.engine.client import EngineClient
from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults, natron_windows
from NatronIExec.gui.accounts.wallet_dialog import WalletDialog
from NatronIExec.gui.bridge import Bridge
from NatronIExec.gui.desktop_notices import DesktopNotices
from NatronIExec.gui.open_dialogs import OpenDialogs
from NatronIExec.gui.preferences.settings_dialog import SettingsDialog
from NatronIExec.gui.qt import QtCore, QtWidgets
from NatronIExec.gui.render_queue.queue_panel import QueuePanel
from NatronIExec.gui.submit.remembered_choices import Choices
from NatronIExec.gui.submit.submit_dialog import SubmitDialog
from NatronIExec.host import project, reader
from NatronIExec.host.api import NatronWindow
from NatronIExec.shapes import FrameRow, JobRow, JobSheet, NoticeEvent, SettingsFields
from NatronIExec.states import BROUGHT_HOME

PANEL = "iExec Render Queue"
#: Between two looks whether a question of Natron's was answered.
ANSWERED_MS = 500
#: Frames that arrive within this time are shown by one reload, for which Natron renders its viewers again.
RELOAD_MS = 2000


class Desk:
    """Made on the GUI thread at the first click."""

    def __init__(self) -> None:
        application = QtWidgets.QApplication.instance()
        self.bridge = Bridge(EngineClient, application)
        self.choices = Choices()
        self._windows: Dict[int, NatronWindow] = {}
        self._panels: Dict[int, Any] = {}
        self._queues: Dict[int, QueuePanel] = {}
        #: Something of ours in each main window, which tells whether that is still on screen.
        self._marks: Dict[int, Any] = {}
        self.dialogs, self.boxes = OpenDialogs(), OpenDialogs()
        self._states: Dict[str, str] = {}
        self._tray = DesktopNotices(PANEL, application)
        self._notify = True
        self._arrived: Dict[str, List[FrameRow]] = {}
        self._reload_soon = QtCore.QTimer(application)
        self._reload_soon.setSingleShot(True)
        self._reload_soon.setInterval(RELOAD_MS)
        faults.connect(self._reload_soon.timeout, self._reload)
        faults.connect(self.bridge.frames_changed, self._frames_changed)
        faults.show_with(self._show_fault)
        faults.connect(self.bridge.jobs_changed, self._jobs_changed)
        faults.connect(self.bridge.notice, self._notice)
        faults.connect(self.bridge.connection_changed, self._connection_changed)
        faults.connect(application.aboutToQuit, self.close)

    def close(self) -> None:
        """Natron ends: all of ours that it does not destroy itself ends before, on the GUI thread."""
        faults.show_with(None)
        self.bridge.close()
        self._tray.close()
        for dialogs in (self.dialogs, self.boxes):
            dialogs.close()
        for ours in (self._reload_soon, self.bridge):
            ours.deleteLater()

    # windows

    def open_submit(self, window: NatronWindow) -> None:
        self._know(window)
        dialog = SubmitDialog(
            self.bridge,
            lambda: project.take(window),
            self.choices,
            window.save,
            window.select_node,
            natron_windows.main_window(),
        )
        faults.connect(dialog.submitted, lambda job: self._submitted(window, job))
        faults.connect(dialog.wallet_wanted, self.open_wallet)
        self.dialogs.show(dialog)

    def open_queue(self, window: NatronWindow) -> QueuePanel:
        """The panel of this window: made once, docked like Natron's own, brought to the front afterwards."""
        self._know(window)
        return self.restore_queue(window)

    def restore_queue(self, window: NatronWindow) -> QueuePanel:
        """The same for a layout that had the panel: another window may be in front."""
        self._windows[window.app_id] = window
        if window.app_id not in self._panels:
            panel = window.new_panel(PANEL)
            queue = QueuePanel(self.bridge, lambda frames: load_frames(window, frames))
            layout = QtWidgets.QVBoxLayout(panel)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.addWidget(queue)
            faults.connect(queue.wallet_wanted, self.open_wallet)
            faults.connect(queue.settings_wanted, self.open_settings)
            faults.connect(queue.again_wanted, lambda sheet: self._again(window, queue, sheet))
            self._panels[window.app_id], self._queues[window.app_id] = panel, queue
            self._marks.setdefault(window.app_id, queue)
        window.show_panel(self._panels[window.app_id], natron_windows.PANEL_COMMAND)
        return self._queues[window.app_id]

    def open_wallet(self) -> None:
        if not self.dialogs.raise_one(WalletDialog):
            self.dialogs.show(WalletDialog(self.bridge, natron_windows.main_window()))

    def open_settings(self) -> None:
        if self.dialogs.raise_one(SettingsDialog):
            return
        dialog = SettingsDialog(self.bridge, natron_windows.main_window())
        faults.connect(dialog.saved, self._settings_saved)
        self.dialogs.show(dialog)

    def _know(self, window: NatronWindow) -> None:
        """Its menu was used, so its main window is in front."""
        self._windows[window.app_id] = window
        mark = natron_windows.leave_mark() if window.app_id not in self._marks else None
        if mark is not None:
            self._marks[window.app_id] = mark

    def _again(self, window: NatronWindow, queue: QueuePanel, sheet: JobSheet) -> None:
        """The dialog as it was for this job: what was chosen then becomes what was chosen last."""
        original, shown = sheet["original"], window.project_file()
        if str(shown) != original:
            remedy = f"Open {original}, then choose this again."
            queue.banner.say("info", f"{sheet['name']} is another project.", remedy, ("Dismiss", queue.banner.clear))
            return
        self.choices.save(shown, choice_of(sheet["submission"]))
        self.open_submit(window)

    def _submitted(self, window: NatronWindow, job: str) -> None:
        if window.is_open():
            self.open_queue(window).select(job)

    # what the engine says

    def _connection_changed(self, problem: Optional[NatronIExecError]) -> None:
        if problem is None:
            self.bridge.ask("settings.get", {}, self._settings_saved, lambda _: None)

    def _settings_saved(self, settings: SettingsFields) -> None:
        self._notify = bool(settings["notify"])

    def _jobs_changed(self, rows: List[JobRow], removed: List[str]) -> None:
        """Frames of a job that ended while its project is open are shown beside their writer."""
        for row in rows:
            before = self._states.get(row["id"])
            self._states[row["id"]] = row["state"]
            if before not in (None, *BROUGHT_HOME) and row["state"] in BROUGHT_HOME:
                self._ask_frames(row)

    def _ask_frames(self, row: JobRow) -> None:
        self.bridge.ask(
            "frames",
            {"job": row["id"]},
            lambda frames: self._load(row, frames),
            lambda problem: faults.log(str(problem)),
        )

    def _load(self, row: JobRow, frames: List[FrameRow]) -> None:
        """Into the window that shows the job's project now: it may have been closed since the frames were asked for."""
        if self._natron_asks():
            QtCore.QTimer.singleShot(ANSWERED_MS, faults.guarded(lambda: self._load(row, frames)))
            return
        window = self._window_of(row)
        if window is not None:
            load_frames(window, frames)

    def _frames_changed(self, job: str, rows: List[FrameRow]) -> None:
        """Frames that come while others still render are seen by the Read nodes that there are."""
        self._arrived.setdefault(job, []).extend(rows)
        if not self._reload_soon.isActive():
            self._reload_soon.start()

    def _reload(self) -> None:
        if self._natron_asks():
            self._reload_soon.start()
            return
        arrived, self._arrived = self._arrived, {}
        for job, frames in arrived.items():
            window = self._window_of(self.bridge.jobs.get(job))
            if window is not None:
                for _, files in reader.sequences(frames):
                    reader.reload_frames(window, files)

    def _natron_asks(self) -> bool:
        """Whether to save, perhaps: no time to change its nodes."""
        return QtWidgets.QApplication.activeModalWidget() is not None

    def _window_of(self, row: Optional[JobRow]) -> Optional[NatronWindow]:
        """The window that shows a job's project. None when it is being closed, as at the end of Natron: it makes no
        nodes then."""
        self._windows = {number: window for number, window in self._windows.items() if window.is_open()}
        if row is None:
            return None
        for number, window in self._windows.items():
            mark = self._marks.get(number)
            on_screen = mark is None or natron_windows.is_on_screen(mark)
            if on_screen and str(window.project_file()) == row["original"]:
                return window
        return None

    def _notice(self, event: NoticeEvent) -> None:
        """On the desktop: a job ended, or needs an answer. The panels say it too."""
        if self._notify:
            self._tray.show(event)

    def _show_fault(self, title: str, remedy: str, details: str) -> None:
        """One box at a time, never modal: Natron goes on."""
        if self.boxes.shown():
            return
        box = QtWidgets.QMessageBox(natron_windows.main_window())
        box.setWindowTitle("iExec")
        box.setText(title)
        box.setInformativeText(remedy)
        if details:
            box.setDetailedText(details)
        box.setModal(False)
        self.boxes.show(box)


def load_frames(window: NatronWindow, frames: List[FrameRow]) -> List[str]:
    """A Read node for each writer and view whose frames are here; those that read them already are reloaded."""
    return [reader.show_frames(window, files, writer)[0] for writer, files in reader.sequences(frames)]


def choice_of(submission: Dict[str, Any]) -> Dict[str, Any]:
    """What the dialog can show of a job. One that rendered frames again names them by writer, which is one range when
    all writers have the same."""
    ranges = set(submission["frames_of"].values())
    return {**submission, "frames": ranges.pop()} if len(ranges) == 1 else submission
