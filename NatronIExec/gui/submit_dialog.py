"""Render on iExec: from the project on screen to a submitted job, in two clicks when nothing is wrong.

The dialog never waits: each change starts a scan or a price question in the engine, a newer one makes the older answer
unwanted, and Submit says in its tooltip what it still waits for.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults, words
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.choices import Choices
from NatronIExec.gui.draft import Draft
from NatronIExec.gui.parts import take_secret
from NatronIExec.gui.qt import QtCore, QtWidgets, Signal
from NatronIExec.gui.submit_form import SubmitForm
from NatronIExec.host import project

#: Typing pauses this long before the engine is asked.
PAUSE_MS = 300


class SubmitDialog(SubmitForm):
    """Signals: submitted(job id), wallet_wanted()."""

    submitted = Signal(object)
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
        self.settings: Dict[str, Any] = {}
        self.wallet: Optional[Dict[str, Any]] = None
        self._first_scan = True
        #: What the banner speaks of: scan, plan or submit. News of the same replace it, other news do not.
        self._topic = ""
        self._connect()
        self.show_choice()
        self.begin()

    def _connect(self) -> None:
        self._scan_soon, self._plan_soon = self._timer(self.start_scan), self._timer(self.start_plan)
        connect = faults.connect
        connect(self.writers.changed, self._project_choice_changed)
        connect(self.frames.changed, self._project_choice_changed)
        connect(self.files.changed, self._project_choice_changed)
        connect(self.files.export_wanted, self._export)
        connect(self.destination.folder_changed, self._project_choice_changed)
        connect(self.destination.changed, self._price_choice_changed)
        connect(self.destination.network_changed, self._network_changed)
        connect(self.destination.wallet_wanted, self.wallet_wanted.emit)
        connect(self.price.changed, self._cap_changed)
        connect(self.checks.ignored, self._ignore)
        connect(self.checks.node_wanted, self._select_node)
        connect(self.checks.again_wanted, self.read_again)
        connect(self.stop.clicked, self._stop_scan)
        connect(self.submit.clicked, self.start_submit)
        connect(self.password.textChanged, self.refresh)
        connect(self.presets.chosen, self._preset_chosen)
        connect(self.presets.save_wanted, self._save_preset)
        faults.connect_while_open(self, self.bridge.wallet_changed, self._wallet_event)
        faults.connect_while_open(self, self.bridge.connection_changed, self._connection_changed)
        connect(self.finished, self._finished)

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

    def start_submit(self) -> None:
        if self._blockers():
            self.refresh()
            return
        fresh = self._take_snapshot()
        if (fresh.digest, fresh.original) != (self.draft.snapshot.digest, self.draft.snapshot.original):
            self._say(
                "submit",
                "warning",
                "The project changed since it was read.",
                "Read it again to render it as it is now, or send it as it was.",
                ("Read again", lambda: self.read_again(fresh)),
                ("Send as it was", self._send),
            )
            return
        self._send()

    def _send(self) -> None:
        plan = self.draft.plan
        if plan is None:
            return
        self._unsay(self._topic)
        self._remember()
        args = self.draft.submission()
        args.update(plan=plan["plan"], max_total_nrlc=plan["total_nrlc"])
        password = take_secret(self.password)
        if password:
            args["password"] = password
        self.asker.ask("submit", "submit", args, self._got_job, self._submit_failed)
        self.refresh()

    def read_again(self, snapshot: Optional[project.Snapshot] = None) -> None:
        """Take the project as it is on screen now."""
        self._unsay(self._topic)
        self.draft.snapshot = snapshot or self._take_snapshot()
        self.show_project()
        if self.draft.snapshot.original is None:
            self.begin()
        else:
            self.start_scan()

    # Answers

    def _got_settings(self, settings: Dict[str, Any]) -> None:
        self.settings = settings
        self.price.show_caps(settings)
        if self.draft.choice["network"] is None:
            self.draft.choice["network"] = settings["network"]
        self.asker.ask("networks", "networks", {}, self._got_networks, self._show_problem)

    def _got_networks(self, rows: List[Dict[str, Any]]) -> None:
        if self.draft.choice["network"] not in [row["name"] for row in rows]:
            self.draft.choice["network"] = self.settings["network"]
        self.destination.show_networks(rows, self.draft.choice["network"])
        self._ask_wallet()
        self._ask_groups()
        self.start_scan()

    def _ask_wallet(self) -> None:
        network = {"network": self.draft.choice["network"]}
        self.asker.ask("wallet", "wallet.state", network, self._wallet_changed, self._show_problem)

    def _ask_groups(self) -> None:
        """Worker groups of the chosen network, and whether they have room for this render once its size is known."""
        args = {"network": self.draft.choice["network"], "confidential": self.draft.choice["confidential"]}
        if self.draft.plan is not None:
            args["tasks"] = self.draft.plan["tasks"]
        self.asker.ask("groups", "workerpools", args, self._got_groups, self._groups_failed)

    def _got_groups(self, rows: List[Dict[str, Any]]) -> None:
        self.destination.show_groups(rows, self.draft.choice["workerpool"])

    def _groups_failed(self, problem: NatronIExecError) -> None:
        self.destination.show_groups_problem(str(problem))

    def _got_scan(self, scan: Dict[str, Any]) -> None:
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

    def _got_plan(self, plan: Dict[str, Any]) -> None:
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

    def _ways_out(self, problem: Dict[str, Any]) -> Any:
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

    def _got_job(self, answer: Dict[str, Any]) -> None:
        self.submitted.emit(answer["job"])
        self.accept()

    def _submit_failed(self, problem: NatronIExecError) -> None:
        self.refresh()
        if problem.code in ("wrong-password", "wallet-locked"):
            self._say_error("submit", problem)
            self.password.show()
            self.password.setFocus()
        elif problem.code == "price-cap":
            self._say_error("submit", problem, ("Show the new price", self._plan_again))
        else:
            self._say_error("submit", problem, ("Wallet…", self.wallet_wanted.emit))

    def _show_problem(self, problem: NatronIExecError) -> None:
        self.draft.scan_problem = problem.title
        self._say_error("scan", problem, ("Try again", self._try_again))
        self.refresh()

    def _try_again(self) -> None:
        self._unsay(self._topic)
        self.bridge.reconnect()
        self.begin()

    def _wallet_event(self, state: Dict[str, Any]) -> None:
        """The wallet was used, locked or filled; the event may speak of another network than ours."""
        network = self.draft.choice["network"]
        if state["network"] == network:
            self._wallet_changed(state)
        elif network is not None:
            self._ask_wallet()

    def _wallet_changed(self, state: Dict[str, Any]) -> None:
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

    # What the artist does

    def _project_choice_changed(self) -> None:
        self._unsay("submit")
        self.draft.plan = None
        self.collect()
        self.refresh()
        self._scan_soon.start()

    def _price_choice_changed(self) -> None:
        self._unsay("submit")
        self.draft.plan = None
        self.collect()
        self.refresh()
        self._plan_soon.start()

    def _cap_changed(self) -> None:
        """The price stays as it is, but not whether it can be paid."""
        self._unsay("submit")
        self.collect()
        self._plan_soon.start()
        self.refresh()

    def _network_changed(self, name: str, workerpool: Optional[str] = None) -> None:
        self._unsay("submit")
        self.draft.choice.update(network=name, workerpool=workerpool)
        self.wallet = None
        self.destination.show_wallet(None)
        self.destination.show_groups(None, None)
        self.draft.plan = None
        self._ask_wallet()
        self._ask_groups()
        self._plan_soon.start()
        self.refresh()

    def _ignore(self, check: Dict[str, Any]) -> None:
        self.draft.ignore(check)
        self.show_checks()
        self.refresh()

    def _stop_scan(self) -> None:
        self.asker.cancel("scan")
        self.draft.scan_problem = "Reading the project was stopped."
        self._say("scan", "info", self.draft.scan_problem, "", ("Read again", self.read_again))
        self.refresh()

    def _save_and_read(self) -> None:
        if self._save_project():
            self.draft.snapshot = self._take_snapshot()
            self.draft.choice = self.choices.load(self.draft.snapshot.original)
            self._unsay("scan")
            self.show_project()
            self.show_choice()
            self.begin()

    def _preset_chosen(self, name: str) -> None:
        kept = self.choices.preset(name)
        network, workerpool = kept.pop("network"), kept.pop("workerpool")
        self.draft.choice.update(kept)
        self.show_choice()
        if network != self.draft.choice["network"] and self.destination.choose_network(network):
            self._network_changed(network, workerpool)
        else:
            self.destination.choose_group(workerpool)
        self.start_scan()

    def _export(self, folder: str) -> None:
        """All that would be sent, in a folder of its own; nothing is bought."""
        self.collect()
        args = dict(self.draft.submission(), to=f"{folder}/{self.draft.snapshot.name}-to-send")
        self._say("export", "info", "What would be sent is being exported…", "")
        self.asker.ask("export", "bundle", args, self._exported, self._export_failed)

    def _exported(self, answer: Dict[str, str]) -> None:
        self._say("export", "good", "Exported to {}.".format(answer["path"]), "", ("Dismiss", self._dismiss))

    def _export_failed(self, problem: NatronIExecError) -> None:
        self._say_error("export", problem, ("Dismiss", self._dismiss))

    def _dismiss(self) -> None:
        self._unsay(self._topic)

    def _save_preset(self, name: str) -> None:
        self.collect()
        self.choices.save_preset(name, self.draft.choice)

    def reject(self) -> None:
        """Close and Escape. Not while the render is being bought: its answer would be heard by nobody."""
        if not self.asker.busy("submit"):
            super().reject()

    def _finished(self) -> None:
        self.password.clear()
        self.asker.drop()
        self._scan_soon.stop()
        self._plan_soon.stop()
        self._remember()

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

    def _remember(self) -> None:
        if self.draft.scan is not None:
            self.collect()
            self.choices.save(self.draft.snapshot.original, self.draft.choice)

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
            "Render {} for at most {}.".format(words.count(plan["frames"], "frame"), words.rlc(plan["total_nrlc"]))
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


def _purse(state: Dict[str, Any]) -> Any:
    """What of a wallet changes a plan."""
    return state["current"], state["unlocked"], state["network"], state["balance"]
