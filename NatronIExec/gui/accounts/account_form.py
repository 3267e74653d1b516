"""The fields that an account's action needs, shown below the list. Secrets are masked and emptied as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.widgets import button, choose, heading, item_of, labelled, quiet, secret_field, take_secret

SOURCES = (("An encrypted file", "file"), ("A private key", "key"), ("A recovery phrase", "mnemonic"))
#: Field kinds.
TEXT, SECRET, NEW_SECRET, SAVE_FILE, SOURCE = "text", "secret", "new secret", "save file", "source"


@dataclass(frozen=True)
class Form:
    """`fields`: (name of the verb's argument, label, kind)."""

    title: str
    go: str
    fields: Tuple[Tuple[str, str, str], ...]
    needs_account: bool = True
    note: str = ""


FORMS: Dict[str, Form] = {
    "wallet.create": Form(
        "A new account", "Create",
        (("name", "Name", TEXT), ("password", "New password", NEW_SECRET)), False,
        "Nobody can restore it without its file and password: back it up afterwards.",
    ),
    "wallet.import": Form(
        "An account that you have", "Import",
        (("name", "Name", TEXT), ("source", "From", SOURCE), ("password", "New password", NEW_SECRET)), False,
    ),
    "wallet.export": Form(
        "Back up", "Back up", (("to", "To", SAVE_FILE), ("password", "Its password", SECRET)), True,
        "The file stays encrypted under the same password.",
    ),
    "wallet.change_password": Form(
        "Another password", "Change",
        (("password", "Old password", SECRET), ("new_password", "New password", NEW_SECRET)),
    ),
    "wallet.remove": Form(
        "Remove", "Remove", (("password", "Its password", SECRET),), True,
        "Its file is moved aside, not destroyed.",
    ),
}  # fmt: skip


class AccountForm(QtWidgets.QFrame):
    """Signals: filled(verb, arguments). The arguments hold secrets: they go to the engine and nowhere else."""

    filled = Signal(object, object)

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QtWidgets.QFrame.StyledPanel)
        self.verb = ""
        self.account: Optional[str] = None
        self.fields: Dict[str, Any] = {}
        self._column = QtWidgets.QVBoxLayout(self)
        self._inner: Optional[QtWidgets.QWidget] = None
        self.hide()

    def open_form(self, verb: str, account: Optional[str], warning: str = "") -> None:
        self.close_form()
        form = FORMS[verb]
        self.verb, self.account = verb, account
        inner = QtWidgets.QWidget()
        lines = QtWidgets.QFormLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addRow(heading(form.title + (" " + account if form.needs_account and account else "")))
        for name, label, kind in form.fields:
            self._add_field(lines, name, label, kind)
        if form.note:
            lines.addRow(quiet(form.note))
        self.warning = quiet(warning)
        self.warning.setStyleSheet("color: " + theme.WARN + ";")
        self.warning.setVisible(bool(warning))
        lines.addRow(self.warning)
        self.problem = quiet()
        self.go = button(form.go, self._fill)
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self.problem, 1)
        line.addWidget(button("Not now", self.close_form))
        line.addWidget(self.go)
        lines.addRow(line)
        self._inner = inner  # from here on it is complete, and can be checked
        self._column.addWidget(inner)
        self.show()
        self._check()
        next(iter(self.fields.values())).setFocus()

    def close_form(self) -> None:
        """Whatever was typed is gone."""
        for field in self.fields.values():
            if isinstance(field, QtWidgets.QLineEdit):
                field.clear()
        self.fields = {}
        if self._inner is not None:
            self._inner.hide()
            self._inner.deleteLater()
            self._inner = None
        self.hide()

    def _add_field(self, lines: QtWidgets.QFormLayout, name: str, label: str, kind: str) -> None:
        if kind == SOURCE:
            self._add_source(lines)
            return
        field = QtWidgets.QLineEdit() if kind in (TEXT, SAVE_FILE) else secret_field()
        self.fields[name] = field
        faults.connect(field.textChanged, self._check)
        faults.connect(field.returnPressed, self._fill)
        if kind == SAVE_FILE:
            labelled(lines, label + ":", field, button("Choose…", lambda: self._browse(field, True)))
            return
        labelled(lines, label + ":", field)
        if kind == NEW_SECRET:
            again = self.fields[name + " again"] = secret_field()
            again.setPlaceholderText("the same again")
            again.setAccessibleName(label + ", again")
            faults.connect(again.textChanged, self._check)
            faults.connect(again.returnPressed, self._fill)
            lines.addRow("", again)

    def _add_source(self, lines: QtWidgets.QFormLayout) -> None:
        """A file with its password, a key, or the words of a recovery phrase."""
        source = self.fields["source"] = QtWidgets.QComboBox()
        for title, value in SOURCES:
            source.addItem(title, value)
        file, self.fields["file_password"] = QtWidgets.QLineEdit(), secret_field("password of that file")
        self.fields["file"] = file
        self.fields["secret"] = secret_field()
        self._file_row = _with_button(file, lambda: self._browse(file, False))
        labelled(lines, "From:", source)
        file.setAccessibleName("File")
        self.fields["file_password"].setAccessibleName("Password of that file")
        self.fields["secret"].setAccessibleName("Key or recovery phrase")
        for widget in (self._file_row, self.fields["file_password"], self.fields["secret"]):
            lines.addRow("", widget)
        for field in (file, self.fields["file_password"], self.fields["secret"]):
            faults.connect(field.textChanged, self._check)
            faults.connect(field.returnPressed, self._fill)
        faults.connect(source.currentIndexChanged, self._source_changed)
        choose(source, "file")
        self._source_changed()

    def _source_changed(self) -> None:
        from_file = item_of(self.fields["source"]) == "file"
        self._file_row.setVisible(from_file)
        self.fields["file_password"].setVisible(from_file)
        self.fields["secret"].setVisible(not from_file)
        self._check()

    def _browse(self, field: QtWidgets.QLineEdit, save: bool) -> None:
        ask = QtWidgets.QFileDialog.getSaveFileName if save else QtWidgets.QFileDialog.getOpenFileName
        chosen = ask(self, "Back up the account" if save else "Choose a keystore file")
        path = chosen[0] if isinstance(chosen, tuple) else chosen
        if path:
            field.setText(str(path))

    def problems(self) -> List[str]:
        """What is still to be typed."""
        found = []
        for name, label, kind in FORMS[self.verb].fields:
            text = self.fields[name].text() if kind not in (SOURCE,) else ""
            if kind in (SECRET, SAVE_FILE) and not text:
                found.append(f"{label} is missing.")
            if kind == NEW_SECRET and len(text) < 8:
                found.append("The new password needs at least 8 characters.")
            elif kind == NEW_SECRET and text != self.fields[name + " again"].text():
                found.append("The new password and its repetition differ.")
        if "source" in self.fields:
            wanted = "file" if item_of(self.fields["source"]) == "file" else "secret"
            if not self.fields[wanted].text():
                found.append("Choose the file." if wanted == "file" else "Type the key or phrase.")
        return found

    def _check(self) -> None:
        if self._inner is None:
            return
        found = self.problems()
        self.go.setEnabled(not found)
        self.problem.setText(found[0] if found else "")

    def _fill(self) -> None:
        if self.problems():
            return
        args: Dict[str, Any] = {}
        for name, _, kind in FORMS[self.verb].fields:
            if kind != SOURCE:
                args[name] = take_secret(self.fields[name]) if "secret" in kind else self.fields[name].text()
        if "source" in self.fields:
            source = item_of(self.fields["source"])
            if source == "file":
                args["file"] = self.fields["file"].text()
                args["file_password"] = take_secret(self.fields["file_password"])
            else:
                args[source] = take_secret(self.fields["secret"])
        for name, field in self.fields.items():
            if name.endswith(" again"):
                field.clear()
        self.filled.emit(self.verb, args)


def _with_button(field: QtWidgets.QLineEdit, action: Any) -> QtWidgets.QWidget:
    row = QtWidgets.QWidget()
    line = QtWidgets.QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(field, 1)
    line.addWidget(button("Choose…", action))
    return row
