"""Settings: what to render on, limits, folders, storage, endpoints. The engine holds and checks them."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional

from NatronIExec import __version__, paths, wording
from NatronIExec.errors import BadInput, NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.bridge import Asker, Bridge
from NatronIExec.gui.preferences.endpoints_tab import EndpointsTab
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.widgets import Banner, button, choose, item_of, labelled, open_at, quiet
from NatronIExec.typed_amounts import parse_rlc

_CAPS = (("job_cap_nrlc", "At &most a render (RLC):"), ("day_cap_nrlc", "At most a &day (RLC):"))
#: Setting, label, seconds or days a unit, and the least that makes sense.
_TIMES = (
    ("lock_after_s", "&Lock the wallet after (min):", 60, 60),
    ("keep_inputs_days", "&Keep uploads (days):", 1, 0),
)
_STORAGES = (("An IPFS node", "ipfs"), ("A bucket (S3)", "s3"))
_S3 = (("endpoint", "&Endpoint:", "Amazon's"), ("bucket", "&Bucket:", ""), ("prefix", "&Folder in it:", "none"),
       ("region", "&Region:", "us-east-1"))  # fmt: skip


class SettingsDialog(QtWidgets.QDialog):
    """Signals: saved(settings)."""

    saved = Signal(object)

    def __init__(self, bridge: Bridge, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.bridge, self.asker = bridge, Asker(bridge)
        self.settings: Dict[str, Any] = {}
        self._build()
        faults.connect(self.finished, self.asker.drop)
        self.asker.ask("networks", "networks", {}, self._got_networks, self.failed)

    # building

    def _build(self) -> None:
        self.setWindowTitle("iExec Settings")
        self.banner = Banner()
        self.fields: Dict[str, QtWidgets.QLineEdit] = {}
        self.endpoints = EndpointsTab(self.asker, self.banner)
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self._renders_tab(), "Renders")
        self.tabs.addTab(self._storage_tab(), "Storage")
        self.tabs.addTab(self.endpoints, "Endpoints")
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.banner)
        column.addWidget(self.tabs, 1)
        column.addWidget(quiet(f"Version {__version__}. State and logs are in {paths.home()}."))
        column.addWidget(quiet("To update: pip install --upgrade natron-iexec, then restart Natron."))
        buttons = QtWidgets.QHBoxLayout()
        buttons.addStretch(1)
        self.save = button("&Save", self._save)
        self.save.setEnabled(False)
        self.save.setDefault(True)
        buttons.addWidget(button("Close", self.reject))
        buttons.addWidget(self.save)
        column.addLayout(buttons)
        open_at(self, 620, 460)

    def _renders_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        form = QtWidgets.QFormLayout(page)
        self.network = QtWidgets.QComboBox()
        labelled(form, "Render &on:", self.network)
        for name, title in (*_CAPS, *((name, title) for name, title, _, _ in _TIMES)):
            self.fields[name] = QtWidgets.QLineEdit()
            labelled(form, title, self.fields[name])
        for name, _ in _CAPS:
            self.fields[name].setPlaceholderText("no limit")
        self.out = QtWidgets.QLineEdit()
        self.out.setPlaceholderText("Where each writer says")
        labelled(form, "&Frames go to:", self.out, button("Choose…", self._choose_folder))
        self.notify = QtWidgets.QCheckBox("&Tell me on the desktop when a render ends or needs an answer")
        form.addRow("", self.notify)
        return page

    def _storage_tab(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        form = QtWidgets.QFormLayout(page)
        self.storage = QtWidgets.QComboBox()
        for title, value in _STORAGES:
            self.storage.addItem(title, value)
        labelled(form, "&Upload to:", self.storage)
        self.s3: Dict[str, QtWidgets.QLineEdit] = {}
        for name, title, hint in _S3:
            self.s3[name] = QtWidgets.QLineEdit()
            self.s3[name].setPlaceholderText(hint)
            labelled(form, title, self.s3[name])
        note = "Where the project and its files are uploaded for the workers. The keys of a bucket come from its own "
        form.addRow(quiet(note + "configuration (AWS profile), never from here. The IPFS node is among the endpoints."))
        faults.connect(self.storage.currentIndexChanged, self._storage_changed)
        self._storage_changed()
        return page

    # showing

    def failed(self, problem: NatronIExecError) -> None:
        self.banner.say_error(problem)

    def _got_networks(self, rows: List[Dict[str, Any]]) -> None:
        self.endpoints.show_networks(rows)
        for row in rows:
            self.network.addItem(row["title"], row["name"])
        self.asker.ask("settings", "settings.get", {}, self.show_settings, self.failed)

    def show_settings(self, settings: Dict[str, Any]) -> None:
        self.settings = settings
        choose(self.network, settings["network"])
        choose(self.endpoints.network, settings["network"])
        for name, _ in _CAPS:
            value = settings[name]
            self.fields[name].setText("" if value is None else wording.rlc(value).replace(" RLC", ""))
        for name, _, unit, _ in _TIMES:
            self.fields[name].setText(f"{settings[name] / unit:g}")
        self.out.setText(settings["output_folder"] or "")
        self.notify.setChecked(bool(settings["notify"]))
        choose(self.storage, settings["storage"])
        for name, field in self.s3.items():
            field.setText(settings["s3"].get(name) or "")
        self.save.setEnabled(True)

    def _storage_changed(self) -> None:
        for field in self.s3.values():
            field.setEnabled(item_of(self.storage) == "s3")

    def _choose_folder(self) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self, "Where frames go")
        if folder:
            self.out.setText(str(folder))

    # saving

    def changes(self) -> Dict[str, Any]:
        """What differs from what the engine has. Raises BadInput for what is no amount or number."""
        wanted: Dict[str, Any] = {"network": item_of(self.network), "notify": self.notify.isChecked()}
        wanted["output_folder"] = self.out.text().strip() or None
        for cap, _ in _CAPS:
            wanted[cap] = parse_rlc(self.fields[cap].text())
        for field, title, unit, least in _TIMES:
            wanted[field] = _number(self.fields[field].text(), title, unit, least)
        wanted["endpoints"] = self.endpoints.overrides(self.settings)
        wanted["storage"] = item_of(self.storage)
        typed = {name: field.text().strip() for name, field in self.s3.items()}
        if typed != {name: self.settings["s3"].get(name) or "" for name in typed}:
            wanted["s3"] = typed
        if wanted["storage"] == "s3" and not typed["bucket"]:
            raise BadInput("The bucket has no name.", "Type it under Storage, or upload to an IPFS node.")
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


def _number(text: str, title: str, unit: int, least: int) -> int:
    """Seconds or days of what was typed in `unit`s. Raises BadInput."""
    try:
        number = float(text.replace(",", ".")) * unit
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or round(number) < least:
        name = title.replace("&", "").rstrip(":")
        raise BadInput(f"{name} needs a number.", f"Type {least // unit} or more.")
    return round(number)
