"""Opens the windows as a dense screen shows them; run by test_keyboard_and_screens with QT_SCALE_FACTOR set."""

import math
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from fake_engine import FakeEngine  # noqa: E402
from shapes import frame_row, job_row  # noqa: E402
from wire_client import WireClient  # noqa: E402

from NatronIExec.gui import theme  # noqa: E402
from NatronIExec.gui.accounts.wallet_dialog import WalletDialog  # noqa: E402
from NatronIExec.gui.bridge import Bridge  # noqa: E402
from NatronIExec.gui.qt import QtWidgets  # noqa: E402
from NatronIExec.gui.render_queue.queue_panel import QueuePanel  # noqa: E402
from NatronIExec.gui.submit.remembered_choices import Choices  # noqa: E402
from NatronIExec.gui.submit.submit_dialog import SubmitDialog  # noqa: E402
from NatronIExec.host.project import Snapshot  # noqa: E402


def main(scale):
    application = QtWidgets.QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shot.ntp"
        project.write_text("<xml/>")
        snapshot = Snapshot(project, project, "shot", ("Write1",), (), (1, 20), "")
        engine = FakeEngine(Path(folder))
        engine.jobs = [job_row("job-1")]
        engine.frames["job-1"] = [frame_row(n) for n in range(1, 21)]
        bridge = Bridge(lambda: WireClient(engine))
        choices = Choices(Path(folder) / "choices")
        dialog = SubmitDialog(bridge, lambda: snapshot, choices, lambda: True, lambda name: None)
        windows = [dialog, QueuePanel(bridge, lambda files, writer: None), WalletDialog(bridge)]
        for window in windows:
            window.show()
        while not (dialog.submit.isEnabled() and bridge.jobs):
            application.processEvents()
        for window in windows:
            look(window, scale)
            window.close()
        bridge.close()
        engine.close()


def look(window, scale):
    picture = window.grab()
    assert picture.devicePixelRatio() == scale, picture.devicePixelRatio()
    assert picture.width() == math.ceil(window.width() * scale) or picture.width() == int(window.width() * scale)
    for button in window.findChildren(QtWidgets.QPushButton):
        if button.isVisible():
            assert button.width() >= button.sizeHint().width(), button.text()
    assert theme.mark("error").devicePixelRatio() >= scale


main(float(sys.argv[1]))
