# Run inside the real Natron by test_natron_contract, as its initGui.py: each promise, one line of the report, the end.
import os
import sys
import traceback
from pathlib import Path

from qtpy import QtCore, QtWidgets

sys.path[:0] = os.environ["NATRON_CONTRACT_PATH"].split(os.pathsep)
OUT = Path(os.environ["NATRON_CONTRACT_OUT"])


def natron_contract_answer():
    """Natron asks whether to look for updates at its first start, and whether to save when a window is closed. A timer
    of its own: none fires again while it is being served."""
    dialog = QtWidgets.QApplication.activeModalWidget()  # no list of all windows, of which one may be closing
    for button in dialog.findChildren(QtWidgets.QPushButton) if dialog is not None else ():
        if button.text().replace("&", "") in ("No", "Discard"):
            button.click()
            return


def natron_contract_look():
    from NatronIExec.host import api

    app = api.natron().getGuiInstance(0)
    shown = [widget for widget in QtWidgets.QApplication.topLevelWidgets() if widget.isVisible()]
    if app is not None and any(isinstance(widget, QtWidgets.QMainWindow) for widget in shown):
        natron_contract_looking.stop()
        natron_contract_run(app)


def natron_contract_run(app):
    import natron_contract

    with (OUT / "report.txt").open("w", encoding="utf-8") as report:
        for promise in natron_contract.PROMISES:
            folder = OUT / promise.__name__
            folder.mkdir()
            try:
                promise(app, folder)
                report.write(promise.__name__ + "\n")
            except Exception:
                report.write(traceback.format_exc())
            report.flush()
    os._exit(0)


natron_contract_looking, natron_contract_answering = QtCore.QTimer(), QtCore.QTimer()
natron_contract_looking.timeout.connect(natron_contract_look)
natron_contract_answering.timeout.connect(natron_contract_answer)
for natron_contract_timer in (natron_contract_looking, natron_contract_answering):
    natron_contract_timer.start(200)
