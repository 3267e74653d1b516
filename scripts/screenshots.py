"""Every window in its states, as in Natron, beside a real engine on the local network.

scripts/screenshots [FOLDER]          default: docs/screenshots
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
PASSWORD = "only for pictures"
PATIENCE_S = 60


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    from NatronIExec.devnet.install import install, modules_folder

    modules = install("chain")
    folder = Path(tempfile.mkdtemp(prefix="natron-iexec-pictures-"))
    os.environ["NATRON_IEXEC_DEVNET_MODULES"] = str(modules_folder())
    os.environ["NATRON_IEXEC_HOME"] = str(folder / "state")
    try:
        Stage(folder, modules, target).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """A local network, an engine, a Qt application in Natron's colours, and a project on screen."""

    def __init__(self, folder: Path, modules: Path, target: Path) -> None:
        from natron_look import LOOK

        from NatronIExec import settings
        from NatronIExec.devnet.local_iexec import LocalIexec
        from NatronIExec.devnet.network import _make_known
        from NatronIExec.engine.engine import Engine
        from NatronIExec.gui.qt import QtWidgets
        from NatronIExec.gui.theme import natron_palette
        from NatronIExec.wallet.vault import Vault

        self.folder, self.target = folder, target
        self.local = LocalIexec(folder / "iexec", modules)
        self.local.start()
        _make_known(asdict(self.local.network))
        settings.save(settings.changed(settings.Settings(), {"network": "local", "poll_s": 0.1}))
        self.engine = Engine(vault=Vault(disabled=True), scrypt_n=2)
        self.engine.start()
        self.application = QtWidgets.QApplication([])
        self.application.setStyle("Fusion")
        self.application.setPalette(natron_palette())
        self.application.setStyleSheet(LOOK)
        self.project = folder / "show" / "orbit" / "orbit.ntp"
        shutil.copytree(ROOT / "examples" / "orbit", self.project.parent, ignore=shutil.ignore_patterns("renders"))

    def run(self) -> None:
        from NatronIExec.engine.client import EngineClient
        from NatronIExec.gui.bridge import Bridge

        self.bridge = Bridge(EngineClient)
        self.client = EngineClient()
        self.client.connect(start=False)
        try:
            self.submit_dialog()
            self.queue()
            self.wallet()
            self.settings()
        finally:
            self.bridge.close()
            self.client.close()
            self.engine.stop()
            self.local.stop(False)

    def submit_dialog(self) -> None:
        dialog = self.dialog(self.project)
        self.until(lambda: dialog.draft.plan is not None)
        self.picture(dialog, "submit-no-account")
        dialog.close()
        key = self.local.people["requester"].key
        self.client.call("wallet.import", {"name": "Render purse", "password": PASSWORD, "key": key})
        dialog = self.dialog(self.project)
        self.picture(dialog, "submit-busy")
        self.until(lambda: dialog.draft.plan is not None and dialog.wallet is not None)
        self.picture(dialog, "submit-locked")
        dialog.password.setText(PASSWORD)
        self.until(lambda: dialog.submit.isEnabled())
        self.picture(dialog, "submit-ready")
        dialog.close()
        (self.project.parent / "plates" / "orbit.0007.png").rename(self.folder / "kept.png")
        dialog = self.dialog(self.project)
        self.until(lambda: dialog.draft.scan is not None)
        self.picture(dialog, "submit-missing-input")
        dialog.close()
        (self.folder / "kept.png").rename(self.project.parent / "plates" / "orbit.0007.png")

    def dialog(self, project: Path) -> Any:
        from NatronIExec.gui.submit.remembered_choices import Choices
        from NatronIExec.gui.submit.submit_dialog import SubmitDialog
        from NatronIExec.host.project import Snapshot

        shot = Snapshot(project, project, "orbit", ("Write1",), (), (1, 24), "")
        made = SubmitDialog(self.bridge, lambda: shot, Choices(self.folder / "choices"), lambda: True, lambda _: None)
        made.resize(980, 700)  # the screen here is smaller than a real one
        made.show()
        return made

    def queue(self) -> None:
        from NatronIExec.gui.render_queue.queue_panel import QueuePanel

        panel = QueuePanel(self.bridge, lambda frames: None)
        panel.resize(1180, 560)
        panel.show()
        self.until(lambda: self.bridge.connected)
        self.picture(panel, "queue-empty")
        self.client.call("wallet.unlock", {"password": PASSWORD})
        done = self.submit(frames="1-24", chunk=4)
        self.until(lambda: self.state(done) == "rendering")
        panel.select(done)
        self.until(lambda: any(row["state"] == "imported" for row in panel.frames.rows))
        self.picture(panel, "queue-rendering")
        self.until(lambda: self.state(done) == "done")
        self.local.faults.by_index[1] = "garbage"
        partly = self.submit(frames="1-12", chunk=3, out=str(self.folder / "other"))
        self.until(lambda: self.state(partly) == "partly")
        panel.select(partly)
        self.until(lambda: any(row["state"] == "failed" for row in panel.frames.rows))
        self.settle()
        self.picture(panel, "queue-partly")
        panel.actions_.run_named("rest")
        self.until(lambda: "costs at most" in panel.banner.text())
        self.picture(panel, "queue-retry-price")
        panel.tabs.setCurrentWidget(panel.details)
        self.until(lambda: "Deal" in panel.details.text())
        self.picture(panel, "queue-details")
        panel.close()

    def wallet(self) -> None:
        from NatronIExec.gui.accounts.wallet_dialog import WalletDialog

        dialog = WalletDialog(self.bridge)
        dialog.show()
        self.until(lambda: dialog.state is not None and dialog.ledger.topLevelItemCount() > 0)
        self.picture(dialog, "wallet-accounts")
        dialog._open_form("wallet.import")
        self.picture(dialog, "wallet-import")
        dialog.form.close_form()
        for at, name in ((1, "money"), (2, "spending"), (3, "external")):
            dialog.tabs.setCurrentIndex(at)
            self.picture(dialog, f"wallet-{name}")
        dialog.close()

    def settings(self) -> None:
        from NatronIExec.gui.preferences.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self.bridge)
        dialog.show()
        self.until(lambda: bool(dialog.settings))
        self.picture(dialog, "settings")
        dialog.tabs.setCurrentWidget(dialog.endpoints)
        dialog.endpoints.test("rpc")
        self.until(lambda: "answers in" in dialog.banner.text())
        self.picture(dialog, "settings-endpoints")
        dialog.close()

    def submit(self, **asked: Any) -> str:
        answer = self.client.call("submit", {"project": str(self.project), "network": "local", **asked})
        return str(answer["job"])

    def state(self, job: str) -> str:
        return str(self.bridge.jobs.get(job, {}).get("state"))

    def until(self, holds: Callable[[], bool]) -> None:
        """Let Qt work until it `holds`."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            self.application.processEvents()
            if time.monotonic() > give_up:
                raise SystemExit("A window did not come to the state that should be shown.")
            time.sleep(0.005)

    def settle(self) -> None:
        give_up = time.monotonic() + 1
        while time.monotonic() < give_up:
            self.application.processEvents()
            time.sleep(0.005)

    def picture(self, window: Any, name: str) -> None:
        for _ in range(5):
            self.application.processEvents()
        window.grab().save(str(self.target / f"{name}.png"))
        print(self.target / f"{name}.png")


if __name__ == "__main__":
    main()
