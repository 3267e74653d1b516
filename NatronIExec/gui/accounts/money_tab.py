"""What the account has on a network, and moving it between the wallet and the deposit that pays for renders."""

from __future__ import annotations

from typing import List, Optional

from NatronIExec import wording
from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.widgets import button, choose, item_of, labelled, quiet
from NatronIExec.shapes import NetworkRow, WalletState

_VALUES = (
    ("rlc", "In the wallet:"),
    ("stake", "Deposited for renders:"),
    ("locked", "In running renders:"),
    ("eth", "For network fees:"),
)


class MoneyTab(QtWidgets.QWidget):
    """Signals: network_changed(), move_wanted(verb)."""

    network_changed = Signal()
    move_wanted = Signal(object)

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._networks: List[NetworkRow] = []
        self.network = QtWidgets.QComboBox()
        faults.connect(self.network.currentIndexChanged, self.network_changed.emit)
        self.values = {name: QtWidgets.QLabel(wording.UNKNOWN) for name, _ in _VALUES}
        self.faucet = quiet()
        self.amount = QtWidgets.QLineEdit()
        self.amount.setPlaceholderText("RLC, like 0.25")
        self.deposit = button("&Deposit", lambda: self.move_wanted.emit("wallet.deposit"), "Deposited RLC pay renders.")
        self.withdraw = button("W&ithdraw", lambda: self.move_wanted.emit("wallet.withdraw"), "Back to the wallet.")
        form = QtWidgets.QFormLayout(self)
        labelled(form, "&Network:", self.network)
        for name, title in _VALUES:
            form.addRow(title, self.values[name])
        labelled(form, "&Move:", self.amount, self.deposit, self.withdraw)
        form.addRow(self.faucet)

    def chosen(self) -> Optional[str]:
        """The name of the network that is shown; None while none is known."""
        name: Optional[str] = item_of(self.network)
        return name

    def title_of(self, network: str) -> str:
        return next((str(row["title"]) for row in self._networks if row["name"] == network), network)

    def show_networks(self, rows: List[NetworkRow]) -> None:
        self._networks = rows
        blocked = self.network.blockSignals(True)
        self.network.clear()
        for row in rows:
            self.network.addItem(row["title"], row["name"])
        self.network.blockSignals(blocked)

    def choose_network(self, name: str) -> None:
        blocked = self.network.blockSignals(True)
        choose(self.network, name)
        self.network.blockSignals(blocked)

    def show_state(self, state: WalletState) -> None:
        held = state["balance"]
        self.values["rlc"].setText(wording.rlc(held["rlc_nrlc"] if held else None))
        self.values["stake"].setText(wording.rlc(held["stake_nrlc"] if held else None))
        self.values["locked"].setText(wording.rlc(held["locked_nrlc"] if held else None))
        self.values["eth"].setText(wording.eth_held(held["eth_wei"] if held else None))
        faucet = next((row["faucet"] for row in self._networks if row["name"] == state["network"]), None)
        self.faucet.setText(f"For test money: {faucet}" if faucet else "")
        for widget in (self.amount, self.deposit, self.withdraw):
            widget.setEnabled(bool(state["unlocked"]))
