"""The services of each network, to be replaced and tried. Looking at a network does not make it the one that is paid
on: that is another setting."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from NatronIExec.gui import faults
from NatronIExec.gui.bridge import Asker
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.gui.widgets import Banner, button, item_of, labelled, quiet

ENDPOINTS = (
    ("rpc", "&Blockchain node:"),
    ("market", "&Market:"),
    ("sms", "Se&crets:"),
    ("ipfs", "&Upload:"),
    ("gateway", "Do&wnload:"),
)


class EndpointsTab(QtWidgets.QWidget):
    """What is typed for one network is kept while another one is looked at."""

    def __init__(self, asker: Asker, banner: Banner, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._asker, self._banner = asker, banner
        self._known: Dict[str, Dict[str, str]] = {}
        self._typed: Dict[str, Dict[str, str]] = {}
        self._shown: Optional[str] = None
        self.network = QtWidgets.QComboBox()
        self.urls: Dict[str, QtWidgets.QLineEdit] = {}
        form = QtWidgets.QFormLayout(self)
        labelled(form, "&Endpoints of:", self.network)
        for kind, title in ENDPOINTS:
            self.urls[kind] = QtWidgets.QLineEdit()
            test = button("Test", self._tester(kind), "Ask it one question.")
            test.setAccessibleName("Test: " + title.replace("&", "").rstrip(":"))
            labelled(form, title, self.urls[kind], test)
        form.addRow(quiet("An empty field means the network's own. Type other URLs only if you run such services."))
        faults.connect(self.network.currentIndexChanged, self._network_changed)

    def show_networks(self, rows: List[Dict[str, Any]]) -> None:
        self._known = {row["name"]: {kind: row["endpoints"].get(kind) or "" for kind in self.urls} for row in rows}
        blocked = self.network.blockSignals(True)
        self.network.clear()
        for row in rows:
            self.network.addItem(row["title"], row["name"])
        self.network.blockSignals(blocked)
        self._network_changed()

    def _network_changed(self) -> None:
        self._keep()
        self._shown = item_of(self.network)
        if self._shown is None:
            return
        typed = self._typed.get(self._shown) or self._known[self._shown]
        for kind, field in self.urls.items():
            field.setText(typed[kind])

    def _keep(self) -> None:
        if self._shown is not None:
            self._typed[self._shown] = {kind: field.text().strip() for kind, field in self.urls.items()}

    def overrides(self, settings: Dict[str, Any]) -> Dict[str, Dict[str, str]]:
        """The settings' endpoints with what was typed: only URLs that were changed, so that the others follow the
        network's own when those move."""
        self._keep()
        found: Dict[str, Dict[str, str]] = {name: dict(urls) for name, urls in settings["endpoints"].items()}
        for name, typed in self._typed.items():
            for kind, url in typed.items():
                if url == self._known[name][kind]:
                    continue
                of_network = found.setdefault(name, {})
                of_network.pop(kind, None)
                if url:
                    of_network[kind] = url
        return {name: urls for name, urls in found.items() if urls}

    def _tester(self, kind: str) -> Any:
        return lambda: self.test(kind)

    def test(self, kind: str) -> None:
        args = {"network": item_of(self.network), "kind": kind, "url": self.urls[kind].text().strip()}
        self._banner.say("info", "Asking {}…".format(args["url"]))

        def answered(answer: Dict[str, Any]) -> None:
            self._banner.say("good", "{} answers in {} ms: {}.".format(args["url"], answer["ms"], answer["answer"]))

        self._asker.ask("test", "test_endpoint", args, answered, self._banner.say_error)
