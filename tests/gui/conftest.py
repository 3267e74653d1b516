"""A Qt application without a screen, a fake engine that validates what it is asked, and a Natron that is small.

Runs on whatever binding `QT_API` names, also with the system's Python: nothing here needs the engine's packages.
"""

import os
import sys
import time
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
HERE = Path(__file__).parent
for folder in (str(HERE), str(HERE.parents[1])):
    if folder not in sys.path:
        sys.path.insert(0, folder)

import fake_natron  # noqa: E402
import qt_life  # noqa: E402
from fake_engine import FakeEngine  # noqa: E402
from wire_client import WireClient  # noqa: E402

from NatronIExec.gui import guard  # noqa: E402
from NatronIExec.gui.bridge import Bridge  # noqa: E402
from NatronIExec.gui.qt import QtCore, QtWidgets  # noqa: E402
from NatronIExec.gui.submit.remembered_choices import Choices  # noqa: E402
from NatronIExec.gui.submit.submit_dialog import SubmitDialog  # noqa: E402
from NatronIExec.host.project import Snapshot  # noqa: E402

PATIENCE_S = 20


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("NATRON_IEXEC_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def application():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture(autouse=True)
def life(application):
    """What a test made of Qt ends with it, on this thread: nothing is left for the collector to destroy later."""
    before = qt_life.objects()
    yield
    qt_life.destroy(qt_life.left_since(before))
    assert qt_life.left_since(before) == []


@pytest.fixture(autouse=True)
def natron(life, monkeypatch):
    """What NatronGui is inside Natron; it has no window yet. Those that a test opened are closed at its end."""
    monkeypatch.setattr(fake_natron.natron, "apps", [])
    monkeypatch.setitem(sys.modules, "NatronGui", fake_natron.module())
    yield fake_natron.natron
    for app in list(fake_natron.natron.apps):
        app.close()


@pytest.fixture
def until(application):
    """Let Qt work until something holds."""

    def wait(holds, what=""):
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            application.processEvents(QtCore.QEventLoop.AllEvents, 20)
            assert time.monotonic() < give_up, "waited in vain " + what

    return wait


@pytest.fixture(autouse=True)
def no_faults(monkeypatch, life):
    """A bug in a slot fails the test."""
    found = []
    monkeypatch.setattr(guard, "fault", lambda problem: found.append(problem))
    yield found
    assert not found, found


@pytest.fixture
def engine(home):
    made = FakeEngine(home)
    yield made
    made.close()
    assert not made.complaints, made.complaints


@pytest.fixture
def bridge(engine, application, until):
    made = Bridge(lambda: WireClient(engine))
    yield made
    made.close()


@pytest.fixture
def snapshot(tmp_path):
    project = tmp_path / "shot_010.ntp"
    project.write_text("<xml/>")
    return Snapshot(project, project, "shot_010", ("Write1",), (), (1, 20), "")


@pytest.fixture
def choices(tmp_path):
    return Choices(tmp_path / "choices")


@pytest.fixture
def open_dialog(bridge, snapshot, choices, until):
    opened = []

    def show(shot=snapshot, ready=True):
        dialog = SubmitDialog(bridge, lambda: shot, choices, lambda: True, lambda name: None)
        dialog.show()
        opened.append(dialog)
        if ready:
            until(lambda: dialog.draft.plan is not None and dialog.wallet is not None, "for the price")
        return dialog

    yield show
    for dialog in opened:
        dialog.close()
