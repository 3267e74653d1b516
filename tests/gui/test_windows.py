"""All windows of one Natron, and what they do when the engine speaks."""

import pytest
from fake_natron import App, Node
from shapes import frame_row, job_row, job_sheet
from wire_client import WireClient

from NatronIExec.gui import windows as desk_module
from NatronIExec.gui.desktop_notices import DesktopNotices
from NatronIExec.gui.qt import QtCore, alive
from NatronIExec.gui.windows import Desk
from NatronIExec.host.api import NatronWindow


@pytest.fixture
def desk(engine, application, monkeypatch):
    monkeypatch.setattr(desk_module, "EngineClient", lambda: WireClient(engine))
    made = Desk()
    yield made
    made.close()


def rendering(engine, project, **changes):
    row = job_row(original=str(project), **changes)
    engine.jobs = [row]
    return row


def test_frames_go_to_the_window_that_is_still_open(desk, engine, tmp_path, until):
    """Natron ends when the object of a closed window is asked anything."""
    row = rendering(engine, tmp_path / "b.ntp")
    closed, open_one = App(tmp_path / "a.ntp"), App(tmp_path / "b.ntp")
    for app in (closed, open_one):
        desk.open_queue(NatronWindow(app))
    closed.close()
    until(lambda: desk.bridge.jobs, "for the job")
    assert desk._window_of(row).app is open_one
    window = desk._windows[open_one.number]
    open_one.close()
    assert desk._window_of(row) is None
    desk._submitted(window, "job-1")


def test_a_read_node_follows_while_the_rest_renders(desk, engine, tmp_path, until):
    rendering(engine, tmp_path / "b.ntp")
    existing = Node("Read1", "reader", "/show/renders/beauty.####.png")
    app = App(tmp_path / "b.ntp", [existing])
    desk.open_queue(NatronWindow(app))
    until(lambda: desk.bridge.jobs, "for the job")
    engine.send_frames("job-1", [frame_row(3, "imported"), frame_row(4), frame_row(5, "imported", file="/x/a.mov")])
    until(lambda: existing.params["lastFrame"].getValue() == 3, "for the reload")
    assert app.children == [existing]


def test_a_finished_movie_is_no_error(desk, engine, tmp_path, until):
    row = rendering(engine, tmp_path / "b.ntp")
    engine.frames["job-1"] = [frame_row(1, "imported", file="/show/renders/all.mov")]
    app = App(tmp_path / "b.ntp")
    desk.open_queue(NatronWindow(app))
    until(lambda: desk.bridge.jobs, "for the job")
    engine.send_jobs(dict(row, state="done"))
    until(lambda: engine.args_of("frames"), "for the frames")
    engine.notice("The end")
    until(lambda: desk.bridge.jobs["job-1"]["state"] == "done", "for the end")
    assert (app.children, desk.boxes.shown()) == ([], [])


def test_one_wallet_one_settings(desk):
    for open_window in (desk.open_wallet, desk.open_settings):
        open_window()
        open_window()
    assert len(desk.dialogs.shown()) == 2


def test_a_closed_dialog_is_let_go_of(desk, engine, tmp_path, until):
    """It hears of nothing more, so it asks for nothing more."""
    project = tmp_path / "b.ntp"
    app = App(project)
    desk.open_submit(NatronWindow(app))
    dialog = desk.dialogs.shown()[-1]
    until(lambda: dialog.submit.isEnabled() and dialog.wallet, "for Submit")
    dialog.frames.chunk.setValue(3)
    asked = []
    dialog.asker.ask = lambda *question: asked.append(question)
    QtCore.QTimer.singleShot(0, dialog.reject)
    engine._wallet(unlocked=False)
    until(lambda: not desk.bridge.wallet["unlocked"] and not alive(dialog), "for the event")
    assert asked == []


def test_other_settings_begin_with_those_of_the_job(desk, engine, tmp_path, until):
    project = tmp_path / "b.ntp"
    engine.jobs = [job_row(original=str(project), writers=["Write1"])]
    again = job_sheet(engine.jobs[0])
    again["submission"].update(chunk=7, out="/show/elsewhere", frames_of={"Write1": "3,7"})
    engine.answers["show"] = lambda args: again
    queue = desk.open_queue(NatronWindow(App(project)))
    until(lambda: desk.bridge.jobs, "for the job")
    queue.select("job-1")
    queue.actions_.run_named("duplicate")
    until(desk.dialogs.shown, "for the dialog")
    chosen = desk.choices.load(project)
    assert (chosen["chunk"], chosen["out"], chosen["frames"]) == (7, "/show/elsewhere", "3,7")


def test_other_settings_of_another_project_name_it(desk, engine, tmp_path, until):
    engine.jobs = [job_row(original="/show/shot_020.ntp")]
    queue = desk.open_queue(NatronWindow(App(tmp_path / "b.ntp")))
    until(lambda: desk.bridge.jobs, "for the job")
    queue.select("job-1")
    queue.actions_.run_named("duplicate")
    until(lambda: "Open /show/shot_020.ntp" in queue.banner.text(), "for what to do")
    assert not desk.dialogs.shown()


def test_the_icon_goes_with_its_message(application):
    notices = DesktopNotices("Queue", None, has_tray=lambda: True)
    notices.show({"title": "shot_010 is done.", "remedy": ""})
    assert notices.icon.isVisible()
    assert notices.over.isActive()
    notices.over.timeout.emit()
    assert not notices.icon.isVisible()


def test_without_a_tray_there_is_no_icon(application):
    notices = DesktopNotices("Queue", None, has_tray=lambda: False)
    notices.show({"title": "shot_010 is done.", "remedy": ""})
    assert notices.icon is None


def test_news_reach_the_panel_though_the_desktop_is_not_told(desk, engine, tmp_path, until):
    engine.settings["notify"] = False
    queue = desk.open_queue(NatronWindow(App(tmp_path / "b.ntp")))
    until(lambda: not desk._notify, "for the settings")
    engine.notice("shot_010 needs an answer.", "warning", None, "Unlock the wallet.")
    until(lambda: "needs an answer" in queue.news.text(), "for the notice")
    assert desk._tray.icon is None
