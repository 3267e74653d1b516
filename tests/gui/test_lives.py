"""The life of each window of ours beside Python's collector, which works on another thread here.

A collector that finds a Qt object which only it would end destroys it there and then, which ends Natron.
"""

import gc
import threading
import weakref

import pytest
import qt_life
from fake_natron import App
from shapes import job_row
from wire_client import WireClient

from NatronIExec.gui import windows as windows_module
from NatronIExec.gui.qt import alive
from NatronIExec.gui.windows import Desk
from NatronIExec.host.api import NatronWindow


@pytest.fixture
def desk(engine, application, monkeypatch):
    monkeypatch.setattr(windows_module, "EngineClient", lambda: WireClient(engine))
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def natron_window(tmp_path, until):
    """In front, as it is when its menu is used."""
    project = tmp_path / "shot.ntp"
    project.write_text("<xml/>")
    app = App(project, panes=("pane3",))
    app.window.activateWindow()
    until(app.window.isActiveWindow, "for the window")
    return NatronWindow(app)


@pytest.fixture
def collect(until):
    """Python's collector, all of it, on another thread while Qt works on this one."""

    def now():
        thread = threading.Thread(target=gc.collect)
        thread.start()
        until(lambda: not thread.is_alive(), "for the collector")

    return now


def submit_dialog(desk, window, until, meanwhile):
    desk.open_submit(window)
    (dialog,) = desk.dialogs.shown()
    meanwhile()
    until(lambda: dialog.draft.plan is not None and dialog.wallet is not None, "for the price")
    dialog.frames.chunk.setValue(3)
    meanwhile()
    until(lambda: dialog.draft.plan is not None, "for the next price")
    dialog.presets.fill()
    return dialog


def wallet_dialog(desk, window, until, meanwhile):
    desk.open_wallet()
    (dialog,) = desk.dialogs.shown()
    meanwhile()
    until(lambda: dialog.state is not None, "for the wallet")
    for verb in ("wallet.import", "wallet.create"):
        dialog._open_form(verb)
    return dialog


def settings_dialog(desk, window, until, meanwhile):
    desk.open_settings()
    (dialog,) = desk.dialogs.shown()
    meanwhile()
    until(dialog.save.isEnabled, "for the settings")
    dialog.endpoints.test("rpc")
    until(lambda: "answers" in dialog.banner.text(), "for the answer")
    return dialog


def message_box(desk, window, until, meanwhile):
    desk._show_fault("It went wrong.", "Try again.", "details")
    (box,) = desk.boxes.shown()
    return box


def nothing():
    """What happens meanwhile, when it is nothing."""


DIALOGS = [submit_dialog, wallet_dialog, settings_dialog, message_box]


def closed_and_forgotten(opened, until, meanwhile):
    """Close what `opened()` gives, without a reference to it."""
    before = qt_life.objects()
    dialog = opened()
    gone = weakref.ref(dialog)
    meanwhile()
    dialog.close()
    del dialog
    meanwhile()
    until(lambda: gone() is None, "for its end")
    left = [type(found).__name__ for found in qt_life.left_since(before)]
    assert left == []


@pytest.mark.parametrize("opened", DIALOGS)
def test_a_dialog_is_gone_before_any_collector_could_end_it(desk, natron_window, until, opened):
    """Without the collector nothing of it is left: no dialog, and no button or timer that Python would destroy."""
    with qt_life.no_collector():
        closed_and_forgotten(lambda: opened(desk, natron_window, until, nothing), until, nothing)
        assert desk.dialogs.shown() == desk.boxes.shown() == []


@pytest.mark.parametrize("opened", DIALOGS)
def test_a_dialog_lives_beside_a_collector_on_another_thread(desk, natron_window, until, collect, opened):
    closed_and_forgotten(lambda: opened(desk, natron_window, until, collect), until, collect)


@pytest.mark.parametrize("opened", DIALOGS)
def test_a_dialog_ends_with_natrons_window(desk, natron_window, until, collect, opened):
    """It is a child of it, and is never told that it is closed."""
    main = natron_window.app.window
    dialog = opened(desk, natron_window, until, collect)
    assert dialog.parentWidget() is main
    main.close()
    until(lambda: not alive(dialog), "for its end")
    collect()
    desk.bridge.wallet_changed.emit(None)
    desk.bridge.connection_changed.emit(None)


def test_a_panel_lives_beside_a_collector_on_another_thread(desk, engine, natron_window, until, collect):
    engine.jobs = [job_row(f"job-{at}") for at in range(5)]
    queue = desk.open_queue(natron_window)
    until(lambda: desk.bridge.jobs, "for the jobs")
    for at in range(5):
        queue.select(f"job-{at}")
        queue.actions_.menu(queue.selected())
        engine.notice(f"news {at}")
        collect()
        until(lambda at=at: queue.frames.job == f"job-{at}" and f"news {at}" in queue.news.text(), "for the frames")
    assert alive(queue)
    assert queue.thumbnails.parent() is queue


def test_the_panel_of_a_closed_window_hears_nothing_more(desk, engine, natron_window, until, collect):
    """Natron destroys the panel with its window; events of the engine go on."""
    queue = desk.open_queue(natron_window)
    until(lambda: desk.bridge.connected, "for the engine")
    natron_window.app.window.close()
    until(lambda: not alive(queue), "for its end")
    collect()
    engine.send_jobs(job_row("job-9"))
    until(lambda: "job-9" in desk.bridge.jobs, "for the event")


def test_the_desk_leaves_nothing(engine, application, natron_window, until, monkeypatch):
    monkeypatch.setattr(windows_module, "EngineClient", lambda: WireClient(engine))
    before = qt_life.objects()
    with qt_life.no_collector():
        desk = Desk()
        for opened in DIALOGS[1:]:
            opened(desk, natron_window, until, nothing)
            for dialog in desk.dialogs.shown():
                dialog.close()
        desk.open_wallet()
        desk.close()
        qt_life.destroyed_later()
        known = {id(thing) for thing in before}
        assert [type(left) for left in qt_life.objects() if id(left) not in known] == []
