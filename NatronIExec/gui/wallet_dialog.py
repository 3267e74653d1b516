"""Accounts, balances, what was spent, and signers elsewhere. Passwords go straight to the engine; their fields are
emptied as they are read."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from NatronIExec.errors import BadInput, NatronIExecError
from NatronIExec.gui import faults, words
from NatronIExec.gui.account_form import FORMS, AccountForm
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.parts import Banner, button, item_of, open_at, quiet, secret_field, take_secret, tree
from NatronIExec.gui.qt import QtWidgets


class WalletDialog(QtWidgets.QDialog):
    """Modeless. Every button asks the engine and shows its answer; nothing is remembered here."""

    def __init__(self, bridge: Bridge, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.state: Optional[Dict[str, Any]] = None
        self.networks: List[Dict[str, Any]] = []
        self._build()
        faults.connect(bridge.wallet_changed, self._wallet_event)
        faults.connect(self.finished, self._finished)
        bridge.listen()
        self._ask("networks", "networks", {}, self._got_networks)
        self._ask("ledger", "ledger", {}, self._got_ledger)

    # building

    def _build(self) -> None:
        self.setWindowTitle("iExec Wallet")
        self.banner = Banner()
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self._accounts_tab(), "Accounts")
        self.tabs.addTab(self._money_tab(), "Money")
        self.tabs.addTab(self._ledger_tab(), "Spending")
        self.tabs.addTab(self._external_tab(), "External signer")
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.banner)
        column.addWidget(self.tabs, 1)
        line = QtWidgets.QHBoxLayout()
        line.addStretch(1)
        line.addWidget(button("Close", self.reject))
        column.addLayout(line)
        open_at(self, 640, 460)

    def _accounts_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.accounts = tree(["", "Name", "Address", "Where"])
        for at, width in enumerate((28, 130, 330)):
            self.accounts.setColumnWidth(at, width)
        faults.connect(self.accounts.itemSelectionChanged, self._show_actions)
        self.lock_text = quiet()
        self.password = secret_field("Password")
        self.remember = QtWidgets.QCheckBox("Remember in the keyring")
        self.unlock = button("Unlock", self._unlock)
        self.lock = button("Lock now", lambda: self._do("wallet.lock", {}))
        locking = QtWidgets.QHBoxLayout()
        for widget in (self.lock_text, self.password, self.remember, self.unlock, self.lock):
            locking.addWidget(widget, 1 if widget is self.lock_text else 0)
        self.actions = {
            "wallet.create": button("Create…", lambda: self._open_form("wallet.create")),
            "wallet.import": button("Import…", lambda: self._open_form("wallet.import")),
            "wallet.use": button("Pay from this", lambda: self._do("wallet.use", {"address": self.chosen()})),
            "copy": button("Copy address", self._copy),
            "wallet.export": button("Back up…", lambda: self._open_form("wallet.export")),
            "wallet.change_password": button("Password…", lambda: self._open_form("wallet.change_password")),
            "wallet.remove": button("Remove…", lambda: self._open_form("wallet.remove")),
        }
        bar = QtWidgets.QHBoxLayout()
        for made in self.actions.values():
            bar.addWidget(made)
        bar.addStretch(1)
        self.form = AccountForm()
        faults.connect(self.form.filled, self._form_filled)
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(self.accounts, 1)
        column.addLayout(bar)
        column.addWidget(self.form)
        column.addLayout(locking)
        return page

    def _money_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.network = QtWidgets.QComboBox()
        faults.connect(self.network.currentIndexChanged, self._ask_state)
        self.values = {name: QtWidgets.QLabel(words.UNKNOWN) for name in ("rlc", "stake", "locked", "eth")}
        self.faucet = quiet()
        self.amount = QtWidgets.QLineEdit()
        self.amount.setPlaceholderText("RLC, like 0.25")
        self.deposit = button("Deposit", lambda: self._move("wallet.deposit"), "To the stake, which pays renders.")
        self.withdraw = button("Withdraw", lambda: self._move("wallet.withdraw"), "From the stake back to the wallet.")
        line = QtWidgets.QHBoxLayout()
        for widget in (self.amount, self.deposit, self.withdraw):
            line.addWidget(widget)
        form = QtWidgets.QFormLayout(page)
        form.addRow("Network:", self.network)
        titles = {"rlc": "In the wallet:", "stake": "Staked, free:", "locked": "Locked by renders:", "eth": "For gas:"}
        for name, title in titles.items():
            form.addRow(title, self.values[name])
        form.addRow("Move:", line)
        form.addRow(self.faucet)
        return page

    def _ledger_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.month = QtWidgets.QLabel(words.UNKNOWN)
        self.ledger = tree(["Render", "When", "Paid", "Refunded", "Gas", "Network"])
        self.ledger.setColumnWidth(0, 170)
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(self.month)
        column.addWidget(self.ledger, 1)
        return page

    def _external_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.url = QtWidgets.QLineEdit()
        self.url.setPlaceholderText("http://127.0.0.1:8550")
        self.connect_button = button(
            "Use this signer", lambda: self._do("wallet.external", {"url": self.url.text().strip()})
        )
        self.disconnect_button = button("Use my own accounts", lambda: self._do("wallet.external", {"url": ""}))
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(
            quiet("Clef or another program that signs: it asks you for each signature, and the key never leaves it.")
        )
        column.addWidget(self.url)
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self.connect_button)
        line.addWidget(self.disconnect_button)
        line.addStretch(1)
        column.addLayout(line)
        column.addStretch(1)
        return page

    # asking

    def _use_signer(self, url: str) -> None:
        self._do("wallet.external", {"url": url})

    def _ask(self, topic: str, verb: str, args: Dict[str, Any], done: Callable[[Any], None]) -> None:
        self.asker.ask(topic, verb, args, done, self.failed)

    def _do(self, verb: str, args: Dict[str, Any]) -> None:
        self.banner.clear()
        self._ask("do", verb, args, self._done)

    def _ask_state(self) -> None:
        name = item_of(self.network)
        if name is not None:
            self._ask("state", "wallet.state", {"network": name}, self.show_state)

    def _done(self, answer: Any) -> None:
        if isinstance(answer, dict) and "backup" in answer:
            self.banner.say("good", "Removed. Its file was moved to " + answer["backup"] + ".")
        elif isinstance(answer, dict) and "path" in answer:
            self.banner.say("good", "Backed up to " + answer["path"] + ".", "Keep it and its password in a safe place.")
        elif isinstance(answer, dict) and "account" in answer:
            self.banner.say("good", "The account is ready. Back it up: nobody can restore it for you.", "",
                            ("Back up…", lambda: self._open_form("wallet.export")))  # fmt: skip
        self.form.close_form()
        self._ask_state()

    def failed(self, problem: NatronIExecError) -> None:
        self.banner.say_error(problem)

    def _unlock(self) -> None:
        self._do("wallet.unlock", {"password": take_secret(self.password), "remember": self.remember.isChecked()})

    def _move(self, verb: str) -> None:
        try:
            amount = words.parse_rlc(self.amount.text())
        except BadInput as problem:
            self.failed(problem)
            return
        if item_of(self.network) is None:
            self.failed(BadInput("The networks are not known yet.", "Wait for the engine, then try again."))
            return
        if not amount:
            self.failed(BadInput("How much?", "Type an amount of RLC."))
            return
        self.banner.say("info", "Waiting for the network…")
        self._ask("do", verb, {"network": item_of(self.network), "amount_nrlc": amount}, self._moved)

    def _moved(self, answer: Dict[str, Any]) -> None:
        self.amount.clear()
        self.banner.say("good", "Done: {} are staked.".format(words.rlc(answer["stake_nrlc"])))
        self._ask_state()

    # forms

    def _open_form(self, verb: str) -> None:
        self.banner.clear()
        self.form.open_form(verb, self.chosen())

    def _form_filled(self, verb: str, args: Dict[str, Any]) -> None:
        if FORMS[verb].needs_account:
            args["address"] = self.chosen()
        self._do(verb, args)

    def chosen(self) -> Optional[str]:
        """The selected account, else the one that pays."""
        items = self.accounts.selectedItems()
        if items:
            return str(items[0].text(2))
        return self.state["current"] if self.state else None

    def _copy(self) -> None:
        QtWidgets.QApplication.clipboard().setText(self.chosen() or "")

    # showing

    def _got_networks(self, rows: List[Dict[str, Any]]) -> None:
        self.networks = rows
        blocked = self.network.blockSignals(True)
        for row in rows:
            self.network.addItem(row["title"], row["name"])
        self.network.blockSignals(blocked)
        self._ask("settings", "settings.get", {}, self._got_settings)

    def _got_settings(self, settings: Dict[str, Any]) -> None:
        for at in range(self.network.count()):
            if self.network.itemData(at) == settings["network"]:
                self.network.setCurrentIndex(at)
        self._ask_state()

    def _wallet_event(self, state: Dict[str, Any]) -> None:
        if item_of(self.network) in (None, state["network"]):
            self.show_state(state)

    def show_state(self, state: Dict[str, Any]) -> None:
        self.state = state
        chosen = self.chosen()
        self.accounts.clear()
        for account in state["accounts"]:
            mark = "●" if account["address"] == state["current"] else ""
            item = QtWidgets.QTreeWidgetItem([mark, account["name"], account["address"], account["kind"]])
            item.setToolTip(0, "Renders are paid from this account." if mark else "")
            item.setToolTip(3, account["file"])
            self.accounts.addTopLevelItem(item)
            item.setSelected(account["address"] == chosen)
        self._show_money(state)
        self._show_actions()
        if state["error"] and not self.banner.isVisible():
            self.banner.say("warning", state["error"]["title"], state["error"]["remedy"])

    def _show_money(self, state: Dict[str, Any]) -> None:
        balance = state["balance"] or {}
        shown: Tuple[Tuple[str, str], ...] = (
            ("rlc", words.rlc(balance.get("rlc_nrlc"))),
            ("stake", words.rlc(balance.get("stake_nrlc"))),
            ("locked", words.rlc(balance.get("locked_nrlc"))),
            ("eth", words.eth(balance.get("eth_wei"))),
        )
        for name, text in shown:
            self.values[name].setText(text)
        faucet = next((row["faucet"] for row in self.networks if row["name"] == state["network"]), None)
        self.faucet.setText(f"Test money: {faucet}." if faucet else "")

    def _show_actions(self) -> None:
        state = self.state
        has = bool(state and state["accounts"])
        own = bool(has and not (state or {}).get("external"))
        for name, made in self.actions.items():
            made.setEnabled(has if name == "copy" else own or name in ("wallet.create", "wallet.import"))
        unlocked = bool(state and state["unlocked"])
        for widget in (self.password, self.remember, self.unlock):
            widget.setVisible(own and not unlocked)
        self.lock.setVisible(own and unlocked)
        keyring = (state or {}).get("keyring") or {}
        self.remember.setEnabled(bool(keyring.get("available")))
        backend = keyring.get("backend")
        self.remember.setToolTip(f"In {backend}." if backend else "There is no keyring on this machine.")
        for widget in (self.amount, self.deposit, self.withdraw):
            widget.setEnabled(unlocked)
        self.lock_text.setText(_lock_words(state))

    def _got_ledger(self, answer: Dict[str, Any]) -> None:
        self.month.setText("This month: {}".format(words.rlc(answer["month_spent_nrlc"])))
        self.ledger.clear()
        for row in answer["entries"]:
            cells = [row["name"], words.clock(row["at_s"]), words.rlc(row["paid_nrlc"])]
            cells += [words.rlc(row["refunded_nrlc"]), words.eth(row["gas_wei"]), row["network"]]
            self.ledger.addTopLevelItem(QtWidgets.QTreeWidgetItem(cells))

    def _finished(self) -> None:
        self.password.clear()
        self.form.close_form()
        self.asker.drop()


def _lock_words(state: Optional[Dict[str, Any]]) -> str:
    if state is None:
        return "Asking the engine…"
    if state["external"]:
        return "Signed elsewhere: " + state["external"]
    if not state["accounts"]:
        return "There is no account yet: create or import one."
    if state["unlocked"]:
        return "Unlocked. It locks itself when it is not used."
    return "Locked." if not state["keyring"]["remembered"] else "Locked; its password is in the keyring."
