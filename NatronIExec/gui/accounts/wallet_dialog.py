"""Accounts, balances, what was spent, and signers elsewhere. Passwords go straight to the engine; their fields are
emptied as they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from NatronIExec import wording
from NatronIExec.errors import BadInput, NatronIExecError
from NatronIExec.gui import faults, layout_state, theme
from NatronIExec.gui.accounts import backups
from NatronIExec.gui.accounts.account_form import FORMS, AccountForm
from NatronIExec.gui.accounts.money_tab import MoneyTab
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.gui.widgets import Banner, button, open_at, quiet, secret_field, take_secret, tree
from NatronIExec.shapes import Ledger, NetworkRow, SettingsFields, WalletState
from NatronIExec.typed_amounts import parse_rlc

_KINDS = {"keystore": "Encrypted file", "external": "External signer"}


class WalletDialog(QtWidgets.QDialog):
    """Modeless. Every button asks the engine and shows its answer; nothing is remembered here."""

    def __init__(self, bridge: Bridge, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.state: Optional[WalletState] = None
        self._fresh: Optional[str] = None
        self._build()
        faults.connect_while_open(self, bridge.wallet_changed, self._wallet_event)
        faults.connect(self.finished, self._finished)
        bridge.listen()
        self._ask("networks", "networks", {}, self._got_networks)
        self._ask("ledger", "ledger", {}, self._got_ledger)

    # building

    def _build(self) -> None:
        self.setWindowTitle("iExec Wallet")
        self.banner = Banner()
        self.money = MoneyTab()
        faults.connect(self.money.network_changed, self._ask_state)
        faults.connect(self.money.move_wanted, self._move)
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self._accounts_tab(), "Accounts")
        self.tabs.addTab(self.money, "Money")
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
        self.accounts.setAccessibleName("Accounts")
        faults.connect(self.accounts.itemSelectionChanged, self._show_actions)
        self.nag = quiet()
        self.nag.setStyleSheet("color: " + theme.WARN + ";")
        self.lock_text = quiet()
        self.password = secret_field("Password")
        self.password.setAccessibleName("Password of the account that pays")
        faults.connect(self.password.returnPressed, lambda: self.unlock.click())
        self.remember = QtWidgets.QCheckBox()
        self.unlock = button("&Unlock", self._unlock)
        self.lock = button("Lock now", lambda: self._do("wallet.lock", {}))
        locking = QtWidgets.QHBoxLayout()
        for widget in (self.lock_text, self.password, self.remember, self.unlock, self.lock):
            locking.addWidget(widget, 1 if widget is self.lock_text else 0)
        self.account_buttons = {
            "wallet.create": button("Create…", lambda: self._open_form("wallet.create")),
            "wallet.import": button("Import…", lambda: self._open_form("wallet.import")),
            "wallet.use": button("Pay from this", lambda: self._do("wallet.use", {"address": self.chosen()})),
            "copy": button("Copy address", self._copy),
            "wallet.export": button("Back up…", lambda: self._open_form("wallet.export")),
            "wallet.change_password": button("Password…", lambda: self._open_form("wallet.change_password")),
            "wallet.remove": button("Remove…", lambda: self._open_form("wallet.remove")),
        }
        bar = QtWidgets.QHBoxLayout()
        for made in self.account_buttons.values():
            bar.addWidget(made)
        bar.addStretch(1)
        self.form = AccountForm()
        faults.connect(self.form.filled, self._form_filled)
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(self.accounts, 1)
        column.addLayout(bar)
        column.addWidget(self.nag)
        column.addWidget(self.form)
        column.addLayout(locking)
        return page

    def _ledger_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.month = QtWidgets.QLabel(wording.UNKNOWN)
        self.ledger = tree(["Render", "When", "Paid", "Refunded", "Network fee", "Network"])
        self.ledger.setAccessibleName("Spending")
        self.ledger.setColumnWidth(0, 170)
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(self.month)
        column.addWidget(self.ledger, 1)
        return page

    def _external_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        self.url = QtWidgets.QLineEdit()
        self.url.setPlaceholderText("http://127.0.0.1:8550 for Clef, http://127.0.0.1:1248 for Frame")
        self.url.setAccessibleName("Address of the signer")
        faults.connect(self.url.returnPressed, lambda: self.connect_button.click())
        self.connect_button = button(
            "Use this signer", lambda: self._do("wallet.external", {"url": self.url.text().strip()})
        )
        self.disconnect_button = button("Use my own accounts", lambda: self._do("wallet.external", {"url": ""}))
        column = QtWidgets.QVBoxLayout(page)
        column.addWidget(
            quiet("Clef, Frame or another program that signs: it asks for each signature, and the key never leaves it.")
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

    def _ask(self, topic: str, verb: str, args: Dict[str, Any], done: Callable[[Any], None]) -> None:
        self.asker.ask(topic, verb, args, done, self.failed)

    def _do(self, verb: str, args: Dict[str, Any]) -> None:
        self.banner.clear()
        self._ask("do", verb, args, self._done)

    def _ask_state(self) -> None:
        name = self.money.chosen()
        if name is not None:
            self._ask("state", "wallet.state", {"network": name}, self.show_state)

    def _done(self, answer: Any) -> None:
        if isinstance(answer, dict) and "backup" in answer:
            self.banner.say("good", "Removed. Its file was moved to " + answer["backup"] + ".")
        elif isinstance(answer, dict) and "path" in answer:
            self._check_backup(Path(answer["path"]))
        elif isinstance(answer, dict) and "account" in answer:
            self._new_account(answer["account"]["address"])
        self.form.close_form()
        self._ask_state()

    def failed(self, problem: NatronIExecError) -> None:
        self.banner.say_error(problem)

    def _unlock(self) -> None:
        self._do("wallet.unlock", {"password": take_secret(self.password), "remember": self.remember.isChecked()})

    def _move(self, verb: str) -> None:
        network = self.money.chosen()
        try:
            amount = parse_rlc(self.money.amount.text())
        except BadInput as problem:
            self.failed(problem)
            return
        if network is None:
            self.failed(BadInput("The networks are not known yet.", "Wait for the engine, then try again."))
            return
        if not amount:
            self.failed(BadInput("How much?", "Type an amount of RLC."))
            return
        self.banner.say("info", "Waiting for the network…")
        self._ask("do", verb, {"network": network, "amount_nrlc": amount}, self._moved)

    def _moved(self, answer: Dict[str, Any]) -> None:
        self.money.amount.clear()
        self.banner.say("good", "Done: {} are deposited for renders.".format(wording.rlc(answer["stake_nrlc"])))
        self._ask_state()

    # backups

    def _new_account(self, address: str) -> None:
        """Chosen at once: what is backed up next is this one."""
        for at in range(self.accounts.topLevelItemCount()):
            item = self.accounts.topLevelItem(at)
            item.setSelected(item.text(2) == address)
        self._fresh = address
        self.banner.say("good", "The account is ready. Back it up: nobody can restore it for you.", "",
                        ("Back up…", lambda: self._open_form("wallet.export")))  # fmt: skip

    def _check_backup(self, file: Path) -> None:
        address = self.form.account or ""
        if not backups.reads_back(file, address):
            remedy = "Back it up again, to another place."
            self.banner.say("error", f"{file} cannot be read again as a backup of this account.", remedy)
            return
        layout_state.note_backup(address)
        self.banner.say("good", f"Backed up to {file}, and read again.", "Keep it and its password in a safe place.")

    # forms

    def _open_form(self, verb: str) -> None:
        self.banner.clear()
        address, warning = self.chosen(), ""
        if verb == "wallet.remove" and self.state is not None and address is not None:
            warning = backups.removal_warning(address, self.state, self.money.title_of(self.state["network"]))
        self.form.open_form(verb, address, warning)

    def _form_filled(self, verb: str, args: Dict[str, Any]) -> None:
        if FORMS[verb].needs_account:
            args["address"] = self.form.account
        self._do(verb, args)

    def chosen(self) -> Optional[str]:
        """The account that was just made, else the selected one, else the one that pays."""
        if self._fresh is not None:
            return self._fresh
        items = self.accounts.selectedItems()
        if items:
            return str(items[0].text(2))
        return self.state["current"] if self.state else None

    def _copy(self) -> None:
        QtWidgets.QApplication.clipboard().setText(self.chosen() or "")

    # showing

    def _got_networks(self, rows: List[NetworkRow]) -> None:
        self.money.show_networks(rows)
        self._ask("settings", "settings.get", {}, self._got_settings)

    def _got_settings(self, settings: SettingsFields) -> None:
        self.money.choose_network(settings["network"])
        self._ask_state()

    def _wallet_event(self, state: WalletState) -> None:
        if self.money.chosen() in (None, state["network"]):
            self.show_state(state)

    def show_state(self, state: WalletState) -> None:
        self.state = state
        chosen = self._fresh or self.chosen()
        self._fresh = None if any(account["address"] == chosen for account in state["accounts"]) else self._fresh
        self.accounts.clear()
        for account in state["accounts"]:
            mark = "●" if account["address"] == state["current"] else ""
            item = QtWidgets.QTreeWidgetItem(
                [mark, account["name"], account["address"], _KINDS.get(account["kind"], account["kind"])]
            )
            item.setToolTip(0, "Renders are paid from this account." if mark else "")
            item.setToolTip(3, account["file"])
            self.accounts.addTopLevelItem(item)
            item.setSelected(account["address"] == chosen)
        self.money.show_state(state)
        if not self.url.isModified():
            self.url.setText(state["external"] or "")
        self._show_actions()
        if state["error"] and not self.banner.isVisible():
            self.banner.say("warning", state["error"]["title"], state["error"]["remedy"])

    def _show_actions(self) -> None:
        state = self.state
        has = bool(state and state["accounts"])
        own = bool(has and state and not state["external"])
        for name, made in self.account_buttons.items():
            made.setEnabled(has if name == "copy" else own or name in ("wallet.create", "wallet.import"))
        unlocked = bool(state and state["unlocked"])
        for widget in (self.password, self.remember, self.unlock):
            widget.setVisible(own and not unlocked)
        self.lock.setVisible(own and unlocked)
        there = bool(state and state["keyring"]["available"])
        backend = state["keyring"]["backend"] if state else None
        self.remember.setEnabled(there)
        self.remember.setText("&Remember in " + (backend or "a keyring"))
        self.remember.setToolTip("" if there else "There is no keyring on this machine.")
        address = self.chosen()
        self.nag.setVisible(bool(own and address and not layout_state.has_backup(address)))
        self.nag.setText("No backup of this account was made here. Nobody can restore it for you.")
        self.lock_text.setText(_lock_words(state))

    def _got_ledger(self, answer: Ledger) -> None:
        self.month.setText("This month: {}".format(wording.rlc(answer["month_spent_nrlc"])))
        self.ledger.clear()
        for row in answer["entries"]:
            cells = [row["name"], wording.clock(row["at_s"]), wording.rlc(row["paid_nrlc"])]
            cells += [wording.rlc(row["refunded_nrlc"]), wording.eth(row["gas_wei"]), row["network"]]
            self.ledger.addTopLevelItem(QtWidgets.QTreeWidgetItem(cells))

    def _finished(self) -> None:
        self.password.clear()
        self.form.close_form()
        self.asker.drop()


def _lock_words(state: Optional[WalletState]) -> str:
    if state is None:
        return "Asking the engine…"
    if state["external"]:
        return "Signed elsewhere: " + state["external"]
    if not state["accounts"]:
        return "There is no account yet: create or import one."
    if state["unlocked"]:
        return "Unlocked. It locks itself when it is not used."
    keyring = state["keyring"]
    return "Locked; its password is in {}.".format(keyring["backend"]) if keyring["remembered"] else "Locked."
