"""Settings: network and endpoints, limits, folders, how long things are kept. The engine holds and checks them."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from NatronIExec import __version__, paths
from NatronIExec.errors import BadInput, NatronIExecError
from NatronIExec.gui import faults, words
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.parts import Banner, button, choose, item_of, open_at, quiet
from NatronIExec.gui.qt import QtWidgets, Signal

ENDPOINTS = (
    ("rpc", "Chain (RPC)"),
    ("market", "Market"),
    ("sms", "Secrets"),
    ("ipfs", "Upload"),
    ("gateway", "Download"),
)
_CAPS = (("job_cap_nrlc", "At most a render (RLC):"), ("day_cap_nrlc", "At most a day (RLC):"))
_TIMES = (("lock_after_s", "Lock the wallet after (min):", 60), ("keep_inputs_days", "Keep uploads (days):", 1))


class SettingsDialog(QtWidgets.QDialog):
    """Signals: saved(settings)."""

    saved = Signal(object)

    def __init__(self, bridge: Bridge, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.settings: Dict[str, Any] = {}
        self.networks: Dict[str, Dict[str, Any]] = {}
        self._build()
        faults.connect(self.finished, self.asker.drop)
        self.asker.ask("networks", "networks", {}, self._got_networks, self.failed)

    def _build(self) -> None:
        self.setWindowTitle("iExec Settings")
        self.banner = Banner()
        self.network = QtWidgets.QComboBox()
        faults.connect(self.network.currentIndexChanged, self._show_endpoints)
        self.fields: Dict[str, QtWidgets.QLineEdit] = {}
        self.urls: Dict[str, QtWidgets.QLineEdit] = {}
        form = QtWidgets.QFormLayout()
        form.addRow("Network:", self.network)
        for kind, title in ENDPOINTS:
            self.urls[kind] = QtWidgets.QLineEdit()
            line = QtWidgets.QHBoxLayout()
            line.addWidget(self.urls[kind], 1)
            line.addWidget(button("Test", self._tester(kind), "Ask it one question."))
            form.addRow(title + ":", line)
        for name, title in (*_CAPS, *((name, title) for name, title, _ in _TIMES)):
            self.fields[name] = QtWidgets.QLineEdit()
            form.addRow(title, self.fields[name])
        for name, _ in _CAPS:
            self.fields[name].setPlaceholderText("no limit")
        self.out = QtWidgets.QLineEdit()
        self.out.setPlaceholderText("Where each writer says")
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self.out, 1)
        line.addWidget(button("Choose…", self._choose_folder))
        form.addRow("Frames go to:", line)
        self.notify = QtWidgets.QCheckBox("Tell me on the desktop when a render ends or needs an answer")
        form.addRow("", self.notify)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.banner)
        column.addLayout(form)
        column.addWidget(quiet(f"Version {__version__}. State and logs are in {paths.home()}."))
        column.addWidget(quiet("To update: pip install --upgrade natron-iexec, then restart Natron."))
        buttons = QtWidgets.QHBoxLayout()
        buttons.addStretch(1)
        self.save = button("Save", self._save)
        self.save.setEnabled(False)
        buttons.addWidget(button("Close", self.reject))
        buttons.addWidget(self.save)
        column.addLayout(buttons)
        open_at(self, 620, 480)

    def failed(self, problem: NatronIExecError) -> None:
        self.banner.say_error(problem)

    def _got_networks(self, rows: List[Dict[str, Any]]) -> None:
        self.networks = {row["name"]: row for row in rows}
        blocked = self.network.blockSignals(True)
        for row in rows:
            self.network.addItem(row["title"], row["name"])
        self.network.blockSignals(blocked)
        self.asker.ask("settings", "settings.get", {}, self.show_settings, self.failed)

    def show_settings(self, settings: Dict[str, Any]) -> None:
        self.settings = settings
        choose(self.network, settings["network"])
        for name, _ in _CAPS:
            value = settings[name]
            self.fields[name].setText("" if value is None else words.rlc(value).replace(" RLC", ""))
        for name, _, unit in _TIMES:
            self.fields[name].setText(f"{settings[name] / unit:g}")
        self.out.setText(settings["output_folder"] or "")
        self.notify.setChecked(bool(settings["notify"]))
        self._show_endpoints()
        self.save.setEnabled(True)

    def _show_endpoints(self) -> None:
        name = item_of(self.network)
        if name in self.networks:
            for kind, field in self.urls.items():
                field.setText(self.networks[name]["endpoints"].get(kind) or "")

    def _tester(self, kind: str) -> Callable[[], None]:
        return lambda: self._test(kind)

    def _test(self, kind: str) -> None:
        args = {"network": item_of(self.network), "kind": kind, "url": self.urls[kind].text().strip()}
        self.banner.say("info", "Asking {}…".format(args["url"]))

        def answered(answer: Dict[str, Any]) -> None:
            self.banner.say("good", "{} answers in {} ms: {}.".format(args["url"], answer["ms"], answer["answer"]))

        self.asker.ask("test", "test_endpoint", args, answered, self.failed)

    def _choose_folder(self) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self, "Where frames go")
        if folder:
            self.out.setText(str(folder))

    def changes(self) -> Dict[str, Any]:
        """What differs from what the engine has. Raises BadInput for what is no amount or number."""
        name = item_of(self.network)
        wanted: Dict[str, Any] = {"network": name, "notify": self.notify.isChecked()}
        wanted["output_folder"] = self.out.text().strip() or None
        for cap, _ in _CAPS:
            wanted[cap] = words.parse_rlc(self.fields[cap].text())
        for field, title, unit in _TIMES:
            wanted[field] = _number(self.fields[field].text(), title) * unit
        known = self.networks.get(name, {}).get("endpoints", {})
        urls = {kind: field.text().strip() for kind, field in self.urls.items()}
        if any(urls[kind] != (known.get(kind) or "") for kind in urls):
            wanted["endpoints"] = {**self.settings["endpoints"], name: {k: url for k, url in urls.items() if url}}
        return {key: value for key, value in wanted.items() if self.settings.get(key) != value}

    def _save(self) -> None:
        try:
            changes = self.changes()
        except BadInput as problem:
            self.failed(problem)
            return
        self.asker.ask("save", "settings.set", {"changes": changes}, self._saved, self.failed)

    def _saved(self, settings: Dict[str, Any]) -> None:
        self.saved.emit(settings)
        self.accept()


def _number(text: str, title: str) -> int:
    try:
        number = int(float(text.replace(",", ".")))
    except ValueError:
        number = -1
    if number < 0:
        raise BadInput("{} needs a number.".format(title.rstrip(":")), "Type 0 or more.")
    return number
