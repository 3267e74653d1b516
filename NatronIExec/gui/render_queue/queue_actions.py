"""What can be done with the selected jobs: when, in which words, and through which verb. Nothing here is modal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Protocol, Sequence

from NatronIExec import wording
from NatronIExec.errors import NatronIExecError
from NatronIExec.frames import format_frames
from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore, QtGui, QtWidgets
from NatronIExec.gui.render_queue.confirmations import Panel, QueueOffers
from NatronIExec.gui.render_queue.job_pane import JobPane
from NatronIExec.gui.render_queue.queue_models import FramesModel
from NatronIExec.job_wording import is_late
from NatronIExec.shapes import FrameRow, JobRow
from NatronIExec.states import is_over, is_settled

Row = JobRow


@dataclass(frozen=True)
class Action:
    """`reason` says why it cannot be done with these rows; empty when it can."""

    name: str
    title: str
    tip: str
    reason: Callable[[Sequence[Row]], str]
    in_bar: bool = False
    #: Of a job's frames, not of the job: also in the menu of the frames.
    of_frames: bool = False
    #: Needs the list of frames.
    names_frames: bool = False


def _one(rows: Sequence[Row]) -> str:
    return "" if len(rows) == 1 else "Select one render."


def _some(rows: Sequence[Row]) -> str:
    return "" if rows else "Select a render."


def _each(rows: Sequence[Row], holds: Callable[[Row], bool], reason: str) -> str:
    return _some(rows) or ("" if all(holds(row) for row in rows) else reason)


def _retry_reason(rows: Sequence[Row]) -> str:
    return _one(rows) or (
        "" if rows[0]["frames_failed"] or rows[0]["held"] or rows[0]["state"] in ("paused", "cancelled", "failed")
        else "Nothing is left to render: no frame failed."
    )  # fmt: skip


ACTIONS: Sequence[Action] = (
    Action("rest", "Render the rest", "Render what failed, or what the test frames left.", _retry_reason, True),
    Action("again", "Render these again", "Render the selected frames again (all, when none is selected).", _one,
           of_frames=True, names_frames=True),
    Action("cancel", "Cancel", "Stop what can be stopped; asks first, and says what stays paid.",
           lambda rows: _each(rows, lambda r: not is_over(r["state"]), "It is over."), True),
    Action("claim", "Claim refund", "Get the money of frames back that were not delivered in time.",
           lambda rows: _each(rows, lambda r: not is_settled(r["state"]) and is_late(r), "Nothing is late.")),
    Action("import", "Import frames", "Bring the frames into their folder again.",
           lambda rows: _each(rows, lambda r: bool(r["paid_nrlc"]), "Nothing was rendered yet.")),
    Action("folder", "Open folder", "Open the folder that holds the frames.", _one, True, True),
    Action("read", "Load as Read", "A Read node with these frames beside their Write node.",
           lambda rows: _one(rows) or ("" if rows[0]["frames_done"] else "No frame is here yet."), True, True),
    Action("log", "Show log", "What happened, or what the renderer printed.", _one, of_frames=True),
    Action("details", "Details", "Ids and transactions.", _one),
    Action("duplicate", "Render again with other settings…", "Opens the dialog for this project.", _one),
    Action("bundle", "Export what was sent…", "The files and the manifest, as a folder.", _one),
    Action("remove", "Remove from list", "Frames are never deleted.",
           lambda rows: _each(rows, lambda r: is_settled(r["state"]), "It is under way: cancel it first."), True),
)  # fmt: skip
_NAMED = {action.name: action for action in ACTIONS}


def by_name(name: str) -> Action:
    return _NAMED[name]


class ActionPanel(Panel, Protocol):
    """What of the queue's panel an action needs: which jobs and frames are selected, and its tabs."""

    again_wanted: Any
    frames: FramesModel
    pane: JobPane
    tabs: QtWidgets.QTabWidget
    log: QtWidgets.QWidget
    details: QtWidgets.QWidget

    def selected(self) -> List[JobRow]: ...

    def say_done(self, text: str) -> None: ...


class QueueActions(QtCore.QObject):
    """The panel's hands. `load(frame rows)` makes or reloads Read nodes and returns those."""

    def __init__(self, panel: ActionPanel, load: Callable[[List[FrameRow]], Any]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._load = load
        self._shown = QtWidgets.QMenu(panel)
        if hasattr(self._shown, "setToolTipsVisible"):  # not in Qt4
            self._shown.setToolTipsVisible(True)
        offers = QueueOffers(panel)
        self._do: Dict[str, Callable[[Sequence[Row]], None]] = {
            "rest": lambda rows: offers.price(rows[0], None),
            "again": lambda rows: offers.price(rows[0], self._chosen_frames()),
            "cancel": offers.cancel,
            "claim": offers.claim,
            "import": lambda rows: self._each(rows, "import", self._imported),
            "remove": lambda rows: self._each(rows, "remove", lambda answer: None),
            "folder": self._open_folder,
            "read": self._load_as_read,
            "log": lambda rows: panel.tabs.setCurrentWidget(panel.log),
            "details": lambda rows: panel.tabs.setCurrentWidget(panel.details),
            "duplicate": self._duplicate,
            "bundle": self._export,
        }

    def run_named(self, name: str) -> None:
        self.run(by_name(name))

    def runner(self, action: Action) -> Callable[[], None]:
        """A slot for `action` that takes no arguments (buttons send whether they are checked)."""
        return lambda: self.run(action)

    def run(self, action: Action) -> None:
        rows = self._panel.selected()
        if not self.reason(action, rows):
            self._do[action.name](rows)

    def reason(self, action: Action, rows: Sequence[Row]) -> str:
        """Why not now; empty when it can be done. Frames that are not known yet cannot be named to the engine, which
        would take that for those that failed."""
        reason = action.reason(rows)
        if not reason and action.names_frames and self._panel.frames.job != rows[0]["id"]:
            return "Its frames are not known yet."
        return reason

    def menu(self, rows: Sequence[Row], of_frames: bool = False) -> QtWidgets.QMenu:
        """The one menu, filled anew: one for every right click would stay for as long as the panel."""
        self._shown.clear()
        for action in ACTIONS:
            if of_frames and not action.of_frames:
                continue
            entry = self._shown.addAction(action.title)
            reason = self.reason(action, rows)
            entry.setEnabled(not reason)
            entry.setToolTip(reason or action.tip)
            faults.connect(entry.triggered, self.runner(action))
        return self._shown

    def _each(self, rows: Sequence[Row], verb: str, done: Callable[[Any], None]) -> None:
        for row in rows:
            self._panel.bridge.ask(verb, {"job": row["id"]}, done, self._panel.failed)

    def _chosen_frames(self) -> Dict[str, str]:
        """By writer: the same number of another writer is another frame, and was not chosen."""
        numbers: Dict[str, List[int]] = {}
        for frame in self._panel.pane.selected_frames() or self._panel.frames.rows:
            numbers.setdefault(frame["writer"], []).append(frame["frame"])
        return {writer: format_frames(found) for writer, found in numbers.items()}

    def _duplicate(self, rows: Sequence[Row]) -> None:
        panel = self._panel
        panel.asker.ask("again", "show", {"job": rows[0]["id"]}, panel.again_wanted.emit, panel.failed)

    def _imported(self, answer: Dict[str, Any]) -> None:
        text = "{} brought to {}, {} were there.".format(
            wording.count(answer["imported"], "frame"), answer["folder"], answer["skipped"]
        )
        self._panel.say_done(text)

    # files

    def _open_folder(self, rows: Sequence[Row]) -> None:
        QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(rows[0]["out"]))

    def _load_as_read(self, rows: Sequence[Row]) -> None:
        panel = self._panel

        def got(frames: List[FrameRow]) -> None:
            try:
                if not self._load(frames):
                    panel.banner.say("info", "These frames are no images, so they are not loaded.",
                                     "Open their folder instead.", ("Dismiss", panel.banner.clear))  # fmt: skip
            except NatronIExecError as problem:
                panel.failed(problem)

        panel.asker.ask("read", "frames", {"job": rows[0]["id"]}, got, panel.failed)

    def _export(self, rows: Sequence[Row]) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self._panel, "Export what was sent")
        if folder:
            args = {"job": rows[0]["id"], "to": "{}/{}-sent".format(folder, rows[0]["name"])}
            self._panel.asker.ask("bundle", "bundle", args, self._exported, self._panel.failed)

    def _exported(self, answer: Dict[str, str]) -> None:
        self._panel.say_done("Exported to " + answer["path"] + ".")
