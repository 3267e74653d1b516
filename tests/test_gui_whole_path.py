"""Menu → dialog → Submit → frames on disk → Read node: the real engine on the local network; only Natron is small."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
sys.path.insert(0, str(Path(__file__).parent / "gui"))

import fake_natron
import qt_life
from fake_natron import App, Node

from NatronIExec.gui import guard, menu
from NatronIExec.gui.qt import QtWidgets, alive

PASSWORD = "correct horse battery"
PATIENCE_S = 90


class OpenProject(App):
    """A window of Natron with a project on disk, and no pane to dock into: panels float."""

    def saveTempProject(self, path: str) -> bool:
        shutil.copy(self.project, path)
        return True


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])

    def wait(holds: Callable[[], Any]) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            application.processEvents()
            assert time.monotonic() < give_up

    return wait


@pytest.fixture
def natron(orbit: Path, monkeypatch: pytest.MonkeyPatch, until: Any) -> Iterator[OpenProject]:
    monkeypatch.setitem(sys.modules, "NatronGui", fake_natron.module())
    app = OpenProject(orbit, [Node("Write1", "writer", "[Project]/renders/orbit_####.png", selected=True)])
    monkeypatch.setitem(sys.modules["__main__"].__dict__, "app", app)
    monkeypatch.setattr(menu, "_desk", None)
    found: list[BaseException] = []
    monkeypatch.setattr(guard, "fault", found.append)
    yield app
    menu.desk().close()
    app.close()
    qt_life.destroyed_later()
    assert not found


def test_from_the_menu_to_a_read_node(farm: Any, natron: OpenProject, orbit: Path, until: Any) -> None:
    before = orbit.read_bytes()
    farm.call("wallet.lock")
    menu.open_submit()
    dialog = menu.desk().dialogs.shown()[0]
    until(lambda: dialog.draft.plan is not None and dialog.wallet is not None)
    assert not dialog.submit.isEnabled()
    dialog.frames.which.setCurrentText("These frames:")
    dialog.frames.typed.setText("1-3")
    dialog.password.setText(PASSWORD)
    until(lambda: dialog.submit.isEnabled() and dialog.draft.plan and dialog.draft.plan["frames"] == 3)
    most = dialog.draft.plan["total_nrlc"]
    dialog.submit.click()
    until(lambda: menu.desk().bridge.jobs)
    assert not alive(dialog) or not dialog.isVisible()
    until(lambda: [node.name for node in natron.children if node.kind == "reader"])
    (job,) = menu.desk().bridge.jobs.values()
    assert (job["state"], job["frames_done"]) == ("done", 3)
    assert job["paid_nrlc"] <= most
    assert sorted(path.name for path in (orbit.parent / "renders").iterdir()) == [
        f"orbit_{frame:04d}.png" for frame in (1, 2, 3)
    ]
    assert natron.children[-1].filename.getValue() == str(orbit.parent / "renders" / "orbit_####.png")
    assert orbit.read_bytes() == before


def test_no_node_is_made_during_a_question_or_at_the_end(
    farm: Any, natron: OpenProject, orbit: Path, until: Any
) -> None:
    """Frames that come just when Natron asks whether to save, or ends, stay on disk and do nothing to the project."""
    menu.open_submit()
    desk = menu.desk()
    row = {"original": str(orbit)}
    frames = [
        {"file": str(orbit.parent / "renders" / "orbit_0001.png"), "state": "imported", "writer": "Write1", "view": ""}
    ]
    question = QtWidgets.QMessageBox()
    question.setModal(True)
    question.show()
    until(lambda: QtWidgets.QApplication.activeModalWidget() is not None)
    desk._load(row, frames)
    assert [node for node in natron.children if node.kind == "reader"] == []
    question.close()
    until(lambda: [node for node in natron.children if node.kind == "reader"])
    del natron.children[1:]
    natron.window.hide()
    desk._load(row, frames)
    assert [node for node in natron.children if node.kind == "reader"] == []
