"""Render on iExec: from the project on screen to a submitted job, in two clicks when nothing is wrong.

What the artist does is here; where the fields stand is in `submit_form`, the talk with the engine in `submit_talk`.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.qt import Signal
from NatronIExec.gui.submit.submit_requests import SubmitTalk
from NatronIExec.gui.widgets import take_secret
from NatronIExec.shapes import CheckRow


class SubmitDialog(SubmitTalk):
    """Signals: submitted(job id), wallet_wanted()."""

    submitted = Signal(object)

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._connect()
        self.show_choice()
        self.begin()

    def _connect(self) -> None:
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
        self._take_usual_privacy()
        self.wallet = None
        self.destination.show_wallet(None)
        self.destination.show_groups(None, None)
        self.draft.plan = None
        self._ask_wallet()
        self._ask_groups()
        self._plan_soon.start()
        self.refresh()

    def _ignore(self, check: CheckRow) -> None:
        self.draft.ignore(check)
        self.show_checks()
        self.refresh()

    def _stop_scan(self) -> None:
        self.asker.cancel("scan")
        self.draft.scan_problem = "Reading the project was stopped."
        self._say("scan", "info", self.draft.scan_problem, "", ("Read again", self.read_again))
        self.refresh()

    def _preset_chosen(self, name: str) -> None:
        kept = self.choices.preset(name)
        network, workerpool = kept.pop("network"), kept.pop("workerpool")
        self.draft.choice.update(kept)
        self.show_choice()
        if network != self.draft.choice["network"] and self.destination.choose_network(network):
            self._network_changed(network, workerpool)
            if kept["confidential"] is not None:
                self.draft.choice["confidential"] = kept["confidential"]
                self.destination.show_privacy(kept["confidential"])
        else:
            self.destination.choose_group(workerpool)
        self.start_scan()

    def _save_preset(self, name: str) -> None:
        self.collect()
        self.choices.save_preset(name, self.draft.choice)

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

    # Buying

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

    # The end

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

    def _remember(self) -> None:
        if self.draft.scan is not None:
            self.collect()
            self.choices.save(self.draft.snapshot.original, self.draft.choice)
