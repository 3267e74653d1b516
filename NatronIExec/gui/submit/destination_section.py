"""Where it is rendered and paid from: network, wallet, worker group, privacy, and where frames go."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from NatronIExec import wording
from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.widgets import ElidedLabel, button, choose, item_of, label_for, quiet
from NatronIExec.shapes import NetworkRow, WalletState, WorkerpoolRow

#: More tasks than this on offer are as good as endless, and their number says nothing.
PLENTY = 100_000
#: docs/confidential.md says the same at length. Results are removed by nobody, inputs where the storage forgets.
PUBLIC_NOTE = "Anyone can read this project while it renders, and its images for good."
PUBLIC_KEPT_NOTE = "Anyone can read this project and its images, for good: the storage removes nothing."
CONFIDENTIAL_NOTE = (
    "Only the sealed worker can read this project, only you its frames. Others see how many tasks and files there are, "
    "their rough sizes, when, and which account paid."
)
KEPT_NOTE = " The sealed files stay in the storage."


class DestinationSection(QtWidgets.QGroupBox):
    """Signals: changed(), folder_changed(), network_changed(name), wallet_wanted()."""

    changed = Signal()
    folder_changed = Signal()
    network_changed = Signal(object)
    wallet_wanted = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__("Where", parent)
        self._rows: Optional[List[WorkerpoolRow]] = None  # not known yet
        self._showing = False
        self._out = ""
        self._networks: Dict[str, NetworkRow] = {}
        self.network = QtWidgets.QComboBox()
        self.wallet = ElidedLabel("…")
        self.wallet_button = button("Wallet…", self.wallet_wanted.emit)
        self.group = QtWidgets.QComboBox()
        self.group.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToContentsOnFirstShow)
        self.group.setMinimumContentsLength(18)
        self.group_note = quiet()
        self.privacy = QtWidgets.QComboBox()
        self.privacy.addItem("Public", False)
        self.privacy.addItem("Confidential", True)
        self.privacy_note = quiet(PUBLIC_NOTE)
        self.out = QtWidgets.QLineEdit()
        self.out.setPlaceholderText("Each writer's own folder")
        self.out_button = button("Choose…", self._choose_folder)
        self._lay_out()
        faults.connect(self.network.currentIndexChanged, self._network_changed)
        for box in (self.group, self.privacy):
            faults.connect(box.currentIndexChanged, self._changed)
        faults.connect(self.out.editingFinished, self._out_edited)

    def _lay_out(self) -> None:
        wallet = QtWidgets.QHBoxLayout()
        wallet.addWidget(self.wallet, 1)
        wallet.addWidget(self.wallet_button)
        out = QtWidgets.QHBoxLayout()
        out.addWidget(self.out, 1)
        out.addWidget(self.out_button)
        form = QtWidgets.QFormLayout(self)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.AllNonFixedFieldsGrow)
        form.addRow("&Network:", self.network)
        form.addRow("Wallet:", wallet)
        form.addRow("Worker &group:", self.group)
        form.addRow("", self.group_note)
        form.addRow("Pri&vacy:", self.privacy)
        form.addRow("", self.privacy_note)
        form.addRow(label_for("&Frames go to:", self.out), out)

    def show_choice(self, choice: Dict[str, Any]) -> None:
        self._showing = True
        choose(self.privacy, bool(choice["confidential"]))
        self._out = choice["out"] or ""
        self.out.setText(self._out)
        self.out.setToolTip(choice["out"] or "")
        self._showing = False
        self._say_notes()

    def show_networks(self, rows: Sequence[NetworkRow], chosen: str) -> None:
        self._networks = {row["name"]: row for row in rows}
        self._showing = True
        self.network.clear()
        for row in rows:
            self.network.addItem(row["title"] + ("" if row["available"] else " – not running"), row["name"])
        choose(self.network, chosen)
        self._showing = False
        self._say_notes()

    def usual_privacy(self, network: Optional[str]) -> bool:
        """Confidential where what is bought runs in an enclave anyway."""
        row = self._networks.get(network or "")
        return row is not None and row["confidential"]

    def show_privacy(self, confidential: bool) -> None:
        self._showing = True
        choose(self.privacy, confidential)
        self._showing = False
        self._say_notes()

    def show_groups(self, rows: Optional[Sequence[WorkerpoolRow]], chosen: Optional[str]) -> None:
        """Cheapest first; None while they are asked for. One that does not fit stays in the list, with its reason."""
        if rows is not None and self._rows == list(rows):
            return  # the list may be open
        self._rows = None if rows is None else list(rows)
        self._showing = True
        self.group.clear()
        self.group.addItem("The cheapest that fits", None)
        for row in rows or ():
            text = "{}, {} a task".format(
                row["name"] or wording.short_address(row["workerpool"]), wording.rlc(row["task_price_nrlc"])
            )
            self.group.addItem(text + ("" if row["fits"] else " – does not fit"), row["workerpool"])
        choose(self.group, chosen)
        self._showing = False
        self._say_notes()

    def choose_network(self, name: Optional[str]) -> bool:
        """Whether there is such a network. Nobody is told of it."""
        at = self.network.findData(name)
        if at >= 0:
            self._showing = True
            self.network.setCurrentIndex(at)
            self._showing = False
        return bool(at >= 0)

    def choose_group(self, workerpool: Optional[str]) -> None:
        """One that offers nothing now counts as none. Nobody is told of it."""
        self._showing = True
        self.group.setCurrentIndex(max(0, self.group.findData(workerpool)))
        self._showing = False
        self._say_notes()

    def show_groups_problem(self, text: str) -> None:
        self._rows = []
        self.group_note.setText(text)

    def show_wallet(self, state: Optional[WalletState]) -> None:
        self.wallet.setText(wallet_line(state))
        self.wallet_button.setText("Create a wallet…" if state is not None and not state["current"] else "Wallet…")

    def choice(self) -> Dict[str, Any]:
        return {
            "network": item_of(self.network),
            "workerpool": item_of(self.group),
            "confidential": bool(item_of(self.privacy)),
            "out": self.out.text().strip() or None,
        }

    def _network_changed(self) -> None:
        if not self._showing and self.network.currentIndex() >= 0:
            self.network_changed.emit(item_of(self.network))

    def _changed(self) -> None:
        self._say_notes()
        if not self._showing:
            self.changed.emit()

    def _out_edited(self) -> None:
        """Also told when the keyboard only passed through."""
        out = self.out.text().strip()
        if out != self._out:
            self._out = out
            self.folder_changed.emit()

    def _say_notes(self) -> None:
        network = self._networks.get(item_of(self.network) or "")
        kept = network is not None and not network["forgets"]
        if item_of(self.privacy):
            self.privacy_note.setText(CONFIDENTIAL_NOTE + (KEPT_NOTE if kept else ""))
        else:
            self.privacy_note.setText(PUBLIC_KEPT_NOTE if kept else PUBLIC_NOTE)
        if self._rows is None:
            self.group_note.setText("Asking who offers work…")
            return
        wanted = item_of(self.group)
        row = next((row for row in self._rows if row["workerpool"] == wanted), None)
        if row is None:
            row = next((row for row in self._rows if row["fits"]), None)
        if row is None:
            self.group_note.setText("No worker group offers its work now." if not self._rows else "None of them fits.")
        else:
            self.group_note.setText(group_line(row))

    def _choose_folder(self) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self, "Where frames go", self.out.text())
        if folder:
            self.out.setText(folder)
            self._out_edited()


def group_line(row: WorkerpoolRow) -> str:
    """`iExec workers: up to 50 min a task, 500 tasks left`, or why it does not fit."""
    name = row["name"] or wording.short_address(row["workerpool"])
    if not row["fits"]:
        return "{} does not fit: {}.".format(name, (row["reason"] or "ask them").rstrip("."))
    return "{}: up to {} a task{}.".format(
        name,
        wording.duration(row["time_limit_s"]),
        ", {} left".format(wording.count(row["volume"], "task")) if row["volume"] < PLENTY else "",
    )


def wallet_line(state: Optional[WalletState]) -> str:
    if state is None:
        return "…"
    if not state["current"]:
        return "You have no wallet yet."
    names = [account["name"] for account in state["accounts"] if account["address"] == state["current"]]
    name = "".join(names[:1]) or wording.short_address(state["current"])
    lock = "with an external signer" if state["external"] else "unlocked" if state["unlocked"] else "locked"
    amount = "balance not known (offline)" if state["balance"] is None else wording.balance(state["balance"])
    return f"{name}, {lock} · {amount}"
