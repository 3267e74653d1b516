"""What can be done with the selected jobs: when, in which words, and through which verb. Nothing here is modal: what
costs money shows its price in the panel's banner and waits for a click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence

from NatronIExec.errors import NatronIExecError
from NatronIExec.frames import format_frames
from NatronIExec.gui import faults, words
from NatronIExec.gui.qt import QtCore, QtGui, QtWidgets

Row = Dict[str, Any]
_OVER = ("done", "partly", "failed", "cancelled", "held")


@dataclass(frozen=True)
class Action:
    """`reason` says why it cannot be done with these rows; empty when it can."""

    name: str
    title: str
    tip: str
    reason: Callable[[Sequence[Row]], str]
    in_bar: bool = False
    of_frames: bool = False


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
           of_frames=True),
    Action("cancel", "Cancel", "Stop what can be stopped; says what is bought already.",
           lambda rows: _each(rows, lambda r: r["state"] not in _OVER or r["held"], "It is over."), True),
    Action("claim", "Claim refund", "Get the money of frames back that were not delivered in time.",
           lambda rows: _each(rows, lambda r: r["state"] not in _OVER and bool(r["refund_at_s"]), "Nothing is late.")),
    Action("import", "Import frames", "Bring the frames into their folder again.",
           lambda rows: _each(rows, lambda r: bool(r["paid_nrlc"]), "Nothing was rendered yet.")),
    Action("folder", "Open folder", "Open the folder that holds the frames.", _one, True),
    Action("read", "Load as Read", "A Read node with these frames beside their Write node.",
           lambda rows: _one(rows) or ("" if rows[0]["frames_done"] else "No frame is here yet."), True),
    Action("log", "Show log", "What happened, or what the renderer printed.", _one),
    Action("details", "Details", "Ids and transactions.", _one),
    Action("duplicate", "Render again with other settings…", "Opens the dialog for this project.", _one),
    Action("bundle", "Export what was sent…", "The files and the manifest, as a folder.", _one),
    Action("remove", "Remove from list", "Frames are never deleted.",
           lambda rows: _each(rows, lambda r: r["state"] in _OVER, "It is under way: cancel it first."), True),
)  # fmt: skip
_NAMED = {action.name: action for action in ACTIONS}


class QueueActions(QtCore.QObject):
    """The panel's hands. `load(files, writer)` makes or reloads a Read node."""

    def __init__(self, panel: Any, load: Callable[[List[str], Optional[str]], Any]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._load = load
        self._do: Dict[str, Callable[[Sequence[Row]], None]] = {
            "rest": lambda rows: self._price(rows[0], None),
            "again": lambda rows: self._price(rows[0], self._chosen_frames()),
            "cancel": lambda rows: self._each(rows, "cancel", self._cancelled),
            "claim": lambda rows: self._each(rows, "claim", self._claimed),
            "import": lambda rows: self._each(rows, "import", self._imported),
            "remove": lambda rows: self._each(rows, "remove", lambda answer: None),
            "folder": self._open_folder,
            "read": self._load_as_read,
            "log": lambda rows: panel.tabs.setCurrentWidget(panel.log),
            "details": lambda rows: panel.tabs.setCurrentWidget(panel.details),
            "duplicate": lambda rows: panel.again_wanted.emit(),
            "bundle": self._export,
        }

    def run_named(self, name: str) -> None:
        self.run(_NAMED[name])

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
        if not reason and action.of_frames and self._panel.frames.job != rows[0]["id"]:
            return "Its frames are not known yet."
        return reason

    def menu(self, rows: Sequence[Row]) -> QtWidgets.QMenu:
        menu = QtWidgets.QMenu(self._panel)
        menu.setToolTip("")
        for action in ACTIONS:
            entry = menu.addAction(action.title)
            reason = self.reason(action, rows)
            entry.setEnabled(not reason)
            entry.setStatusTip(reason or action.tip)
            faults.connect(entry.triggered, self.runner(action))
        return menu

    def _each(self, rows: Sequence[Row], verb: str, done: Callable[[Any], None]) -> None:
        for row in rows:
            self._panel.bridge.ask(verb, {"job": row["id"]}, done, self._panel.failed)

    # money

    def _chosen_frames(self) -> Dict[str, str]:
        """By writer: the same number of another writer is another frame, and was not chosen."""
        numbers: Dict[str, List[int]] = {}
        for frame in self._panel.selected_frames() or self._panel.frames.rows:
            numbers.setdefault(frame["writer"], []).append(frame["frame"])
        return {writer: format_frames(found) for writer, found in numbers.items()}

    def _price(self, row: Row, frames: Optional[Dict[str, str]]) -> None:
        """What it costs, before it is bought; a paused job just goes on."""
        panel = self._panel
        if row["state"] == "paused" and frames is None:
            panel.asker.ask("retry", "retry", {"job": row["id"]}, lambda answer: panel.banner.clear(), panel.failed)
            return
        args: Dict[str, Any] = {"retry": row["id"]}
        if frames:
            args["frames_of"] = frames
        panel.banner.say("info", "Asking for the price…")
        panel.asker.ask("retry", "plan", args, lambda plan: self._offer(row, frames, plan), panel.failed)

    def _offer(self, row: Row, frames: Optional[Dict[str, str]], plan: Dict[str, Any]) -> None:
        panel = self._panel
        problems = [problem for problem in plan["problems"] if problem["code"] != "wallet-locked"]
        if problems:
            panel.banner.say("error", problems[0]["title"], problems[0]["remedy"], ("Dismiss", panel.banner.clear))
            return
        text = "Rendering {} of {} costs at most {}.".format(
            words.count(plan["frames"], "frame"), row["name"], words.rlc(plan["total_nrlc"])
        )
        buy = ("Render", lambda: self._buy(row, frames, plan))
        panel.banner.say("info", text, "Nothing is spent yet.", buy, ("Not now", panel.banner.clear))

    def _buy(self, row: Row, frames: Optional[Dict[str, str]], plan: Dict[str, Any]) -> None:
        panel = self._panel
        args = {"job": row["id"], "plan": plan["plan"], "max_total_nrlc": plan["total_nrlc"]}
        if frames:
            args["frames_of"] = frames
        panel.banner.clear()
        panel.asker.ask("retry", "retry", args, lambda answer: panel.select(answer["job"]), panel.failed)

    def _cancelled(self, answer: Dict[str, List[str]]) -> None:
        """Honest: what no longer happens, and what is paid all the same."""
        self._panel.banner.say(
            "info", " ".join(answer["stopped"]), " ".join(answer["bought"]), ("Dismiss", self._panel.banner.clear)
        )

    def _claimed(self, answer: Dict[str, Any]) -> None:
        text = "{} claimed, {} back.".format(words.count(answer["tasks"], "task"), words.rlc(answer["refund_nrlc"]))
        self._panel.banner.say("good", text, "", ("Dismiss", self._panel.banner.clear))

    def _imported(self, answer: Dict[str, Any]) -> None:
        text = "{} brought to {}, {} were there.".format(
            words.count(answer["imported"], "frame"), answer["folder"], answer["skipped"]
        )
        self._panel.banner.say("good", text, "", ("Dismiss", self._panel.banner.clear))

    # files

    def _open_folder(self, rows: Sequence[Row]) -> None:
        QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(rows[0]["out"]))

    def _load_as_read(self, rows: Sequence[Row]) -> None:
        panel = self._panel

        def got(frames: List[Dict[str, Any]]) -> None:
            groups: Dict[Any, List[str]] = {}
            for frame in frames:
                if frame["file"] and frame["state"] == "imported":
                    groups.setdefault((frame["writer"], frame["view"]), []).append(frame["file"])
            try:
                for (writer, _), files in groups.items():
                    self._load(files, writer)
            except NatronIExecError as problem:
                panel.failed(problem)

        panel.asker.ask("read", "frames", {"job": rows[0]["id"]}, got, panel.failed)

    def _export(self, rows: Sequence[Row]) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self._panel, "Export what was sent")
        if folder:
            args = {"job": rows[0]["id"], "to": "{}/{}-sent".format(folder, rows[0]["name"])}
            self._panel.asker.ask("bundle", "bundle", args, self._exported, self._panel.failed)

    def _exported(self, answer: Dict[str, str]) -> None:
        self._panel.banner.say("good", "Exported to " + answer["path"] + ".", "", ("Dismiss", self._panel.banner.clear))
