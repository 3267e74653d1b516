"""What it costs, before anything is spent: exactly what the chain can take, and when money comes back."""

from __future__ import annotations

from typing import Dict, Optional

from NatronIExec import wording
from NatronIExec.errors import BadInput
from NatronIExec.gui import faults
from NatronIExec.gui.qt import Qt, QtWidgets, Signal
from NatronIExec.gui.widgets import quiet
from NatronIExec.shapes import PlanSheet, SettingsFields
from NatronIExec.typed_amounts import parse_rlc

_ROWS = (
    ("tasks", "Workers"),
    ("app", "Renderer"),
    ("gas", "Network fee, at most"),
    ("total", "Most you can spend"),
    ("refund", "Refund"),
    ("after", "Left in your wallet"),
)


class PriceSheet(QtWidgets.QGroupBox):
    """Signals: changed() when the limit for this render was edited."""

    changed = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__("Price", parent)
        self.values: Dict[str, QtWidgets.QLabel] = {}
        form = QtWidgets.QFormLayout(self)
        for key, title in _ROWS:
            value = QtWidgets.QLabel(wording.UNKNOWN)
            value.setTextInteractionFlags(Qt.TextSelectableByMouse)
            value.setWordWrap(True)
            self.values[key] = value
            form.addRow(title + ":", value)
        for widget in (self.values["total"], form.labelForField(self.values["total"])):
            widget.setStyleSheet("font-weight: bold;")
        self.cap = QtWidgets.QLineEdit()
        self.cap.setPlaceholderText("no limit of its own")
        self.cap.setToolTip("Submit refuses to spend more than this on this render.")
        form.addRow("My &limit (RLC):", self.cap)
        self.note = quiet()
        form.addRow(self.note)
        faults.connect(self.cap.textChanged, self.changed.emit)

    def show_cap(self, nrlc: Optional[int]) -> None:
        self.cap.setText("" if nrlc is None else wording.rlc_number(nrlc))

    def cap_nrlc(self) -> Optional[int]:
        """Raises BadInput for text that is no amount."""
        return parse_rlc(self.cap.text())

    def cap_problem(self) -> str:
        try:
            self.cap_nrlc()
        except BadInput as problem:
            return str(problem)
        return ""

    def show_caps(self, settings: SettingsFields) -> None:
        parts = []
        if settings.get("job_cap_nrlc"):
            parts.append("{} a render".format(wording.rlc(settings["job_cap_nrlc"])))
        if settings.get("day_cap_nrlc"):
            parts.append("{} a day".format(wording.rlc(settings["day_cap_nrlc"])))
        self.note.setText("Your limits in the settings: {}.".format(" and ".join(parts)) if parts else "")

    def show_waiting(self) -> None:
        for value in self.values.values():
            value.setEnabled(False)

    def show_unknown(self) -> None:
        for value in self.values.values():
            value.setEnabled(False)
            value.setText(wording.UNKNOWN)

    def show_plan(self, plan: PlanSheet) -> None:
        if plan["workerpool"] is None:
            self.show_unknown()
            return
        texts = {
            "tasks": "{} × {}".format(wording.count(plan["tasks"], "task"), wording.rlc(plan["workerpool_price_nrlc"])),
            "app": "free"
            if not plan["app_price_nrlc"]
            else "{} × {}".format(wording.count(plan["tasks"], "task"), wording.rlc(plan["app_price_nrlc"])),
            "gas": wording.eth(plan["gas_wei"]),
            "total": wording.rlc(plan["total_nrlc"]),
            "refund": "of unfinished frames, after {}".format(wording.duration(plan["refund_s"])),
            "after": wording.rlc(plan["after_nrlc"]),
        }
        for key, text in texts.items():
            self.values[key].setEnabled(True)
            self.values[key].setText(text)
        parts = [wording.count(plan["frames"], "frame"), "in " + wording.count(plan["deals"], "purchase")]
        if plan["chunk"]:
            parts.insert(1, "{} a task".format(plan["chunk"]))
        self.values["tasks"].setToolTip(", ".join(parts))
