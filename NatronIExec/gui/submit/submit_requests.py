"""What the submit dialog asks the engine, and what it does with the answers.

It never waits: each change starts a scan or a price question in the engine, a newer one makes the older answer
unwanted, and Submit says in its tooltip what it still waits for.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from NatronIExec import wording
from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.qt import QtCore, QtWidgets, Signal
from NatronIExec.gui.submit.remembered_choices import Choices
from NatronIExec.gui.submit.submission_draft import Draft
from NatronIExec.gui.submit.submit_form import SubmitForm
from NatronIExec.host import project
from NatronIExec.shapes import NetworkRow, PlanSheet, ScanSheet, SettingsFields, WalletState, WireError, WorkerpoolRow

#: Typing pauses this long before the engine is asked.
PAUSE_MS = 300


class SubmitTalk(SubmitForm):
    """Signals: wallet_wanted()."""

    wallet_wanted = Signal()

    def __init__(
        self,
        bridge: Bridge,
        take_snapshot: Callable[[], project.Snapshot],
        choices: Choices,
        save_project: Callable[[], bool],
        select_node: Callable[[str], None],
        parent: Optional[QtWidgets.QWidget] = None,
    ) -> None:
        snapshot = take_snapshot()
        super().__init__(Draft(snapshot, choices.load(snapshot.original)), choices, parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.choices = choices
        self._take_snapshot, self._save_project, self._select_node = take_snapshot, save_project, select_node
        self.settings: SettingsFields = {}
        self.wallet: Optional[WalletState] = None
        self._first_scan = True
        #: What the banner speaks of: scan, plan or submit. News of the same replace it, other news do not.
        self._topic = ""
        self._scan_soon, self._plan_soon = self._timer(self.start_scan), self._timer(self.start_plan)

    def _timer(self, action: Callable[[], None]) -> QtCore.QTimer:
        timer = QtCore.QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(PAUSE_MS)
        faults.connect(timer.timeout, action)
        return timer

    # Asking the engine

    def begin(self) -> None:
        """Ask for everything that the dialog shows, and read the project."""
        self.bridge.listen()
        if self.draft.snapshot.original is None:
            self.writers.show_reading(self.draft.snapshot.writers)
            self._say(
                "scan",
                "warning",
                "This project was never saved.",
                "Save it once, so that its frames have a home. Nothing is sent before you press Submit.",
                ("Save project…", self._save_and_read),
            )
            self.refresh()
            return
        self.asker.ask("settings", "settings.get", {}, self._got_settings, self._show_problem)
        self.writers.show_reading(self.draft.snapshot.writers)
        self.refresh()

    def start_scan(self) -> None:
        self.collect()
        self.draft.scan_problem, self.draft.plan = "", None
        if self.draft.frames_problem:
            self.asker.cancel("scan")
            self.refresh()
            return
        self.show_progress(0, 0, "Reading the project…")
        self.asker.ask("scan", "scan", self.draft.submission(), self._got_scan, self._scan_failed, self.show_progress)
        self.refresh()

    def start_plan(self) -> None:
        self.collect()
        self.draft.plan, self.draft.plan_problem = None, ""
        blocked = self.draft.scan is None or self.asker.busy("scan") or not self.draft.choice["writers"]
        if blocked or any(check["level"] == "error" for check in self.draft.checks()):
            self.price.show_unknown()
            self.asker.cancel("plan")
            self.refresh()
            return
        self.price.show_waiting()
        self.asker.ask("plan", "plan", self.draft.submission(), self._got_plan, self._plan_failed)
        self.refresh()

    def _ask_wallet(self) -> None:
        network = {"network": self.draft.choice["network"]}
        self.asker.ask("wallet", "wallet.state", network, self._wallet_changed, self._show_problem)

    def _ask_groups(self) -> None:
        """Worker groups of the chosen network, and whether they have room for this render once its size is known."""
        args = {"network": self.draft.choice["network"], "confidential": bool(self.draft.choice["confidential"])}
        if self.draft.plan is not None:
            args["tasks"] = self.draft.plan["tasks"]
        self.asker.ask("groups", "workerpools", args, self._got_groups, self._groups_failed)

    def read_again(self, snapshot: Optional[project.Snapshot] = None) -> None:
        """Take the project as it is on screen now."""
        self._unsay(self._topic)
        self.draft.snapshot = snapshot or self._take_snapshot()
        self.show_project()
        if self.draft.snapshot.original is None:
            self.begin()
        else:
            self.start_scan()

    def _save_and_read(self) -> None:
        if self._save_project():
            self.draft.snapshot = self._take_snapshot()
            self.draft.choice = self.choices.load(self.draft.snapshot.original)
            self._unsay("scan")
            self.show_project()
            self.show_choice()
            self.begin()

    # Answers

    def _got_settings(self, settings: SettingsFields) -> None:
        self.settings = settings
        self.price.show_caps(settings)
        if self.draft.choice["network"] is None:
            self.draft.choice["network"] = settings["network"]
        self.asker.ask("networks", "networks", {}, self._got_networks, self._show_problem)

    def _got_networks(self, rows: List[NetworkRow]) -> None:
        if self.draft.choice["network"] not in [row["name"] for row in rows]:
            self.draft.choice["network"] = self.settings["network"]
        self.destination.show_networks(rows, self.draft.choice["network"])
        if self.draft.choice["confidential"] is None:
            self._take_usual_privacy()
        self._ask_wallet()
        self._ask_groups()
        self.start_scan()

    def _take_usual_privacy(self) -> None:
        usual = self.destination.usual_privacy(self.draft.choice["network"])
        self.draft.choice["confidential"] = usual
        self.destination.show_privacy(usual)

    def _got_groups(self, rows: List[WorkerpoolRow]) -> None:
        self.destination.show_groups(rows, self.draft.choice["workerpool"])

    def _groups_failed(self, problem: NatronIExecError) -> None:
        self.destination.show_groups_problem(str(problem))

    def _got_scan(self, scan: ScanSheet) -> None:
        self.draft.scan = scan
        self._unsay("scan")
        if self._first_scan:
            self.draft.choice["writers"] = self.draft.first_choice(scan["writers"])
        self.show_scan(scan)
        if self._first_scan:
            self._first_scan = False
            if set(self.draft.choice["writers"]) != {row["name"] for row in scan["writers"] if row["enabled"]}:
                self.start_scan()
                return
        self.start_plan()

    def _scan_failed(self, problem: NatronIExecError) -> None:
        self.draft.scan_problem = problem.title
        self.price.show_unknown()
        self._say_error("scan", problem, ("Read again", self.read_again))
        self.refresh()

    def _got_plan(self, plan: PlanSheet) -> None:
        self.draft.plan = plan
        self.price.show_plan(plan)
        self._ask_groups()
        problems = self.draft.plan_problems(self.wallet)
        if not problems:
            self._unsay("plan")
        elif self._topic in ("", "plan"):
            title, remedy = problems[0]["title"], problems[0]["remedy"]
            self._say("plan", "warning", title, remedy, *self._ways_out(problems[0]))
        self.refresh()

    def _ways_out(self, problem: WireError) -> Any:
        if problem["code"] in ("funds", "wallet", "wallet-locked", "keyring"):
            return (("Wallet…", self.wallet_wanted.emit),)
        return (("Ask again", self._plan_again),)

    def _plan_again(self) -> None:
        self._unsay(self._topic)
        self.start_plan()

    def _plan_failed(self, problem: NatronIExecError) -> None:
        self.draft.plan_problem = problem.title
        self.price.show_unknown()
        self._say_error("plan", problem, ("Ask again", self._plan_again))
        self.refresh()

    def _show_problem(self, problem: NatronIExecError) -> None:
        self.draft.scan_problem = problem.title
        self._say_error("scan", problem, ("Try again", self._try_again))
        self.refresh()

    def _try_again(self) -> None:
        self._unsay(self._topic)
        self.bridge.reconnect()
        self.begin()

    def _wallet_event(self, state: WalletState) -> None:
        """The wallet was used, locked or filled; the event may speak of another network than ours."""
        network = self.draft.choice["network"]
        if state["network"] == network:
            self._wallet_changed(state)
        elif network is not None:
            self._ask_wallet()

    def _wallet_changed(self, state: WalletState) -> None:
        changed = self.wallet is None or _purse(self.wallet) != _purse(state)
        self.wallet = state
        self.destination.show_wallet(state)
        if changed and self.draft.plan is not None:
            self._plan_soon.start()
        self.refresh()

    def _connection_changed(self, problem: Optional[NatronIExecError]) -> None:
        if problem is None and self.draft.scan_problem and self.draft.snapshot.original is not None:
            self._unsay("scan")
            self.begin()

    # What can be done now

    def _say(self, topic: str, level: str, title: str, remedy: str, *actions: Any) -> None:
        self._topic = topic
        self.banner.say(level, title, remedy, *actions)

    def _say_error(self, topic: str, problem: NatronIExecError, *actions: Any) -> None:
        self._say(topic, "error", problem.title, problem.remedy, *actions)

    def _unsay(self, topic: str) -> None:
        """What was said of `topic` holds no longer; anything else stays."""
        if topic == self._topic:
            self._topic = ""
            self.banner.clear()

    def _blockers(self) -> List[str]:
        if self.asker.busy("submit"):
            return ["The render is being handed to the engine."]
        scanning = self.asker.busy("scan") or self._scan_soon.isActive()
        pricing = self.asker.busy("plan") or self._plan_soon.isActive()
        return self.draft.blockers(self.wallet, bool(self.password.text()), scanning, pricing)

    def refresh(self) -> None:
        """Show what can be done now, and why what cannot."""
        blockers = self._blockers()
        plan = self.draft.plan
        ready = (
            "Render {} for at most {}.".format(wording.count(plan["frames"], "frame"), wording.rlc(plan["total_nrlc"]))
            if plan
            else ""
        )
        self.show_blockers(blockers, ready)
        self.cancel.setEnabled(not self.asker.busy("submit"))
        self.password.setVisible(self.draft.needs_password(self.wallet))
        scanning, busy = self.asker.busy("scan"), self.asker.busy("plan") or self.asker.busy("submit")
        starting = self.asker.busy("settings") or self.asker.busy("networks")
        self.progress.setVisible(scanning or busy or starting)
        self.stop.setVisible(scanning)
        if not scanning:
            first = "" if self.draft.snapshot.original is None else (blockers[0] if blockers else "Ready.")
            self.show_progress(0, 0, first)


def _purse(state: WalletState) -> Any:
    """What of a wallet changes a plan."""
    return state["current"], state["unlocked"], state["network"], state["balance"]
