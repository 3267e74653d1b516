"""The render queue: rows that change in place, actions with reasons, an engine that comes and goes."""

import time

import pytest
from fake_engine import Refuse
from shapes import frame_row, job_row, plan_sheet, wallet_state

from NatronIExec.errors import EngineGone
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets
from NatronIExec.gui.render_queue import queue_actions, queue_models
from NatronIExec.gui.render_queue.queue_panel import QueuePanel


@pytest.fixture
def loaded():
    return []


@pytest.fixture
def open_panel(bridge, engine, until, loaded):
    made = []

    def show(*rows):
        engine.jobs = list(rows)
        for row in rows:
            engine.frames.setdefault(row["id"], [frame_row(n) for n in range(1, 21)])
        panel = QueuePanel(bridge, lambda frames: loaded.append(frames) or ["Read1"])
        panel.resize(1100, 500)
        panel.show()
        made.append(panel)
        until(lambda: bridge.connected, "for the engine")
        return panel

    yield show
    for panel in made:
        panel.close()


def press(panel, title):
    """Click what the banner offers."""
    next(button for button in panel.banner.buttons() if button.text() == title).click()


def test_an_empty_queue_says_what_to_do(open_panel):
    panel = open_panel()
    assert panel.upper.currentWidget() is panel.empty
    assert "Render on iExec" in panel.empty.text()
    assert not panel.pane.isVisible()
    assert not panel.buttons["cancel"].isEnabled()
    assert panel.buttons["cancel"].toolTip() == "Select a render."


def test_jobs_appear_change_and_go(open_panel, engine, until):
    panel = open_panel(job_row("job-1", created_s=10))
    assert panel.upper.currentWidget() is panel.table
    engine.send_jobs(job_row("job-2", created_s=20, name="other"))
    until(lambda: len(panel.jobs.rows) == 2, "for the row")
    assert panel.jobs.rows[0]["name"] == "other"
    panel.select("job-1")
    engine.send_jobs(job_row("job-1", created_s=10, state="done", state_text="Done", frames_done=20))
    until(lambda: panel.jobs.rows[1]["state"] == "done", "for the change")
    assert [row["id"] for row in panel.selected()] == ["job-1"]
    engine.send_jobs(removed=["job-1"])
    until(lambda: len(panel.jobs.rows) == 1, "for the end")


def test_frames_of_the_selected_job(open_panel, engine, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    until(lambda: len(panel.frames.rows) == 20, "for the frames")
    engine.send_frames("job-1", [frame_row(7, state="imported", file="/r/a.0007.png", size=5000)])
    until(lambda: panel.frames.rows[6]["state"] == "imported", "for frame 7")
    assert panel.pane.strip.runs()[1] == (6, 7, "imported")
    assert panel.pane.strip.row_at(panel.pane.strip.width() * 6.5 / 20) == 6
    assert "1 here" in panel.pane.legend._label.text()


def test_log_and_details_are_asked_for_when_they_are_looked_at(open_panel, engine, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    assert engine.args_of("logs") == []
    panel.actions_.run_named("log")
    until(lambda: "line 4" in panel.log.toPlainText(), "for the log")
    panel.actions_.run_named("details")
    until(lambda: "Deal" in panel.details.text(), "for the details")


def test_rendering_again_shows_its_price_before_it_is_bought(open_panel, engine, until):
    panel = open_panel(job_row(state="partly", frames_failed=2))
    panel.select("job-1")
    panel.actions_.run_named("rest")
    until(lambda: "costs at most" in panel.banner.text(), "for the price")
    assert engine.args_of("retry") == []
    press(panel, "Render")
    until(lambda: engine.args_of("retry"), "for the question")
    asked = engine.args_of("retry")[0]
    assert asked == {"job": "job-1", "plan": plan_sheet()["plan"], "max_total_nrlc": plan_sheet()["total_nrlc"]}


def test_only_the_chosen_frames_are_rendered_again(open_panel, engine, until):
    panel = open_panel(job_row(state="done", writers=["Write1", "Write2"]))
    engine.frames["job-1"] = [frame_row(n, "imported", writer=w) for w in ("Write1", "Write2") for n in (1, 2, 3)]
    panel.select("job-1")
    until(lambda: len(panel.frames.rows) == 6, "for the frames")
    panel.pane.frames_table.selectRow(4)
    panel.actions_.run_named("again")
    until(lambda: "costs at most" in panel.banner.text(), "for the price")
    assert engine.args_of("plan") == [{"retry": "job-1", "frames_of": {"Write2": "2"}}]
    press(panel, "Render")
    until(lambda: engine.args_of("retry"), "for the question")
    assert engine.args_of("retry")[0]["frames_of"] == {"Write2": "2"}


def test_nothing_is_rendered_again_before_its_frames_are_known(open_panel, engine, until):
    held = engine.hold("frames")
    panel = open_panel(job_row(state="done"))
    panel.select("job-1")
    again = next(entry for entry in panel.actions_.menu(panel.selected()).actions() if "these again" in entry.text())
    assert not again.isEnabled()
    panel.actions_.run_named("again")
    held.set()
    until(lambda: panel.frames.rows, "for the frames")
    assert engine.args_of("plan") == []
    panel.actions_.run_named("again")
    until(lambda: engine.args_of("plan"), "for the question")
    assert engine.args_of("plan") == [{"retry": "job-1", "frames_of": {"Write1": "1-20"}}]


def test_cancel_is_honest(open_panel, engine, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    panel.buttons["cancel"].click()
    assert "5 tasks stay paid (0.5 RLC)" in panel.banner.text()
    press(panel, "Go on rendering")
    assert not panel.banner.isVisible()
    assert engine.args_of("cancel") == []
    panel.buttons["cancel"].click()
    press(panel, "Stop")
    until(lambda: "2 tasks are paid" in panel.banner.text(), "for the answer")
    assert engine.args_of("cancel") == [{"job": "job-1"}]


def test_cancel_before_anything_is_bought(open_panel):
    panel = open_panel(job_row("job-1", paid_nrlc=0, state="uploading"), job_row("job-2", paid_nrlc=0, created_s=5))
    panel.table.selectAll()
    panel.buttons["cancel"].click()
    assert panel.banner.text() == "Stop 2 renders?\nNothing is bought yet, and nothing will be."


@pytest.mark.parametrize(
    ("changes", "name", "enabled"),
    [
        ({"state": "done", "frames_failed": 0}, "rest", False),
        ({"state": "held", "held": True}, "rest", True),
        ({"state": "paused"}, "rest", True),
        ({"state": "done"}, "cancel", False),
        ({"state": "rendering"}, "remove", False),
        ({"state": "done"}, "remove", True),
        ({"frames_done": 0}, "read", False),
    ],
)
def test_actions_are_offered_when_they_make_sense(open_panel, changes, name, enabled):
    panel = open_panel(job_row(**changes))
    panel.select("job-1")
    assert panel.buttons[name].isEnabled() is enabled
    assert panel.buttons[name].toolTip()


def test_the_menu_holds_every_action(open_panel):
    panel = open_panel(job_row())
    panel.select("job-1")
    titles = [entry.text() for entry in panel.actions_.menu(panel.selected()).actions()]
    assert "Load as Read" in titles
    assert "Remove from list" in titles


def test_frames_are_loaded(open_panel, engine, until, loaded):
    panel = open_panel(job_row(frames_done=1))
    engine.frames["job-1"] = [frame_row(1, state="imported", file="/r/a.0001.png"), frame_row(2)]
    panel.select("job-1")
    panel.actions_.run_named("read")
    until(lambda: loaded, "for the frames")
    assert loaded == [engine.frames["job-1"]]


def test_a_failed_action_is_said_in_the_panel(open_panel, engine, until):
    engine.refuse("remove", "conflict", "It is under way.", "Cancel it first.")
    panel = open_panel(job_row(state="done"))
    panel.select("job-1")
    panel.actions_.run_named("remove")
    until(lambda: "under way" in panel.banner.text(), "for the refusal")


def test_an_engine_that_is_gone_is_said_and_found_again(open_panel, engine, bridge, until):
    panel = open_panel(job_row())
    engine.drop_clients()
    until(lambda: not bridge.connected, "for the loss")
    assert "Last update just now" in panel.link.text()
    assert "as of" in panel.jobs.data(panel.jobs.index(0, 2))
    bridge.reconnect()
    until(lambda: bridge.connected and not panel.link.isVisible(), "for the engine")


def test_timers_stop_when_nobody_looks(open_panel):
    panel = open_panel(job_row())
    assert panel._tick.isActive()
    panel.hide()
    assert not panel._tick.isActive()
    panel.show()
    assert panel._tick.isActive()


def test_an_engine_that_is_gone_takes_no_offer_away(open_panel, engine, bridge, until):
    panel = open_panel(job_row(state="partly", frames_failed=2))
    panel.select("job-1")
    panel.actions_.run_named("rest")
    until(lambda: "costs at most" in panel.banner.text(), "for the price")
    offered, buttons = panel.banner.text(), panel.banner.buttons()
    engine.drop_clients()
    until(lambda: panel.link.isVisible(), "for the loss")
    bridge.reconnect()
    until(lambda: bridge.connected, "for the engine")
    assert (panel.banner.text(), panel.banner.buttons()) == (offered, buttons)


def test_a_question_that_was_cut_off_before_the_loss_is_known_takes_no_offer_away(open_panel, engine, until):
    """Each question has a line of its own, and may hear of the end first."""
    panel = open_panel(job_row(state="partly", frames_failed=2))
    panel.banner.say("info", "An offer.")
    panel.pane.failed.emit(EngineGone("The render engine stopped.", "It is started again."))
    assert (panel.bridge.connected, panel.banner.text()) == (True, "An offer.")


def test_the_last_update_is_counted_up(open_panel, engine, bridge, until):
    panel = open_panel(job_row())
    engine.drop_clients()
    until(lambda: panel.link.isVisible(), "for the loss")
    button = panel.link.buttons()[0]
    bridge.heard_s -= 125
    panel._count_up()
    assert "Last update 2 min ago" in panel.link.text()
    assert panel.link.buttons() == [button]


def test_an_answer_is_a_sign_of_life(bridge, engine, until):
    bridge.listen()
    until(lambda: bridge.connected, "for the engine")
    bridge.heard_s = None
    bridge._inbox.post("alive")
    until(lambda: bridge.heard_s is not None, "for the time")


def locked(engine):
    """The wallet is locked until somebody says the password."""
    engine.wallet = wallet_state(unlocked=False)

    def retry(args):
        if args.get("password") != "correct horse":
            raise Refuse("wrong-password", "This is not the password.", "Type it again.")
        engine._wallet(unlocked=True)
        return {"job": "job-1"}

    engine.answers["retry"] = retry
    problem = {"code": "wallet-locked", "title": "The wallet is locked.", "remedy": "Unlock it.", "details": {}}
    engine.answers["plan"] = lambda args: plan_sheet(problems=[problem])


def test_a_locked_wallet_is_opened_where_the_price_is(open_panel, engine, bridge, until):
    locked(engine)
    panel = open_panel(job_row(state="partly", frames_failed=2))
    panel.select("job-1")
    panel.actions_.run_named("rest")
    until(lambda: panel.banner.secret is not None, "for the offer")
    field = panel.banner.secret
    assert field.echoMode() == QtWidgets.QLineEdit.Password
    field.setText("wrong")
    press(panel, "Render")
    assert field.text() == ""
    until(lambda: "not the password" in panel.banner.text(), "for the refusal")
    assert "costs at most 0.5 RLC" in panel.banner.text()
    panel.banner.secret.setText("correct horse")
    panel.banner.secret.returnPressed.emit()
    until(lambda: bridge.wallet["unlocked"], "for the wallet")
    assert [args.get("password") for args in engine.args_of("retry")] == ["wrong", "correct horse"]


def test_a_password_is_gone_when_the_offer_is(open_panel, engine, until):
    locked(engine)
    panel = open_panel(job_row(state="partly", frames_failed=2))
    panel.select("job-1")
    panel.actions_.run_named("rest")
    until(lambda: panel.banner.secret is not None, "for the offer")
    field = panel.banner.secret
    field.setText("typed")
    press(panel, "Not now")
    assert field.text() == ""
    assert panel.banner.secret is None
    assert engine.args_of("retry") == []


def test_a_paused_job_goes_on_with_the_password(open_panel, engine, bridge, until):
    locked(engine)
    error = {"code": "wallet-locked", "title": "The wallet is locked.", "remedy": "", "details": {}}
    panel = open_panel(job_row(state="paused", error=error))
    panel.select("job-1")
    panel.actions_.run_named("rest")
    panel.banner.secret.setText("correct horse")
    press(panel, "Go on")
    until(lambda: bridge.wallet["unlocked"], "for the wallet")
    assert engine.args_of("retry") == [{"job": "job-1", "password": "correct horse"}]


def test_refunds_are_claimed_once_they_are_due(open_panel, engine, until):
    engine.wallet = wallet_state(unlocked=False)
    panel = open_panel(
        job_row("job-1", refund_at_s=time.time() + 3600), job_row("job-2", refund_at_s=1000, created_s=5)
    )
    panel.select("job-1")
    claim = queue_actions.by_name("claim")
    assert panel.actions_.reason(claim, panel.selected()) == "Nothing is late."
    panel.select("job-2")
    panel.actions_.run(claim)
    panel.banner.secret.setText("correct horse")
    press(panel, "Claim refund")
    until(lambda: "2 tasks claimed, 0.2 RLC back." in panel.banner.text(), "for the answer")
    assert engine.args_of("claim") == [{"job": "job-2", "password": "correct horse"}]


def test_frames_that_change_before_their_list_comes(open_panel, engine, until):
    held = engine.hold("frames")
    panel = open_panel(job_row())
    panel.select("job-1")
    until(lambda: engine.args_of("frames"), "for the question")
    engine.send_frames("job-1", [frame_row(7, "imported")])
    until(lambda: panel.pane._early, "for the event")
    held.set()
    until(lambda: panel.frames.rows, "for the frames")
    assert panel.frames.rows[6]["state"] == "imported"
    assert "1 here" in panel.pane.legend._label.text()


def test_an_older_job_takes_no_selection_away(open_panel, engine, until):
    panel = open_panel(job_row("job-3", created_s=30), job_row("job-1", created_s=10))
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    rows = [job_row("job-0", created_s=5), job_row("job-2", created_s=20), job_row("job-4", created_s=40)]
    engine.send_jobs(*rows)
    until(lambda: len(panel.jobs.rows) == 5, "for the rows")
    assert [row["id"] for row in panel.jobs.rows] == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert [panel.jobs.row_of(f"job-{n}") for n in range(5)] == [4, 3, 2, 1, 0]
    assert [row["id"] for row in panel.selected()] == ["job-1"]
    assert panel.frames.rows


def test_names_of_worker_groups_are_not_addresses(open_panel):
    panel = open_panel(job_row("job-1", workerpool="iExec worker group"), job_row("job-2", created_s=5))
    cells = [panel.jobs.data(panel.jobs.index(at, queue_models.GROUP)) for at in range(2)]
    assert cells == ["iExec worker group", "0x8eF2…abab"]


def test_a_state_of_a_newer_engine(open_panel, engine, until):
    panel = open_panel(job_row(state="dreaming", state_text="dreaming"))
    engine.frames["job-1"] = [frame_row(1, "dreamt"), frame_row(2)]
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    panel.grab()
    assert panel.frames.data(panel.frames.index(0, queue_models.FRAME_STATE)) == "dreamt"
    assert "1 dreamt" in panel.pane.legend._label.text()
    assert len(engine.complaints) == 2  # the fake engine knows no such states either
    engine.complaints.clear()


def test_the_log_follows_the_job_and_the_selection(open_panel, engine, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    panel.actions_.run_named("log")
    until(lambda: "line 4" in panel.log.toPlainText(), "for the log")
    engine.answers["logs"] = lambda args: {"lines": ["later", str(args.get("task"))]}
    engine.send_frames("job-1", [frame_row(9, "rendering")])
    until(lambda: "later" in panel.log.toPlainText(), "for what happened since")
    panel.pane.frames_table.selectRow(8)
    until(lambda: panel.log.toPlainText() == "later\n2", "for the log of that task")


def test_details_follow_the_job_and_can_be_copied(open_panel, engine, until):
    networks = engine.answers["networks"]
    engine.answers["networks"] = lambda args: [dict(row, explorer="https://explorer.example/") for row in networks({})]
    panel = open_panel(job_row())
    panel.select("job-1")
    panel.actions_.run_named("details")
    transaction = "0x" + "aa" * 32
    until(lambda: f'href="https://explorer.example/tx/{transaction}"' in panel.details.toHtml(), "for the link")
    panel.details.selectAll()
    assert transaction in panel.details.textCursor().selectedText()
    engine.jobs = [job_row(paid_nrlc=0, most_nrlc=500_000_000)]
    engine.send_jobs(*engine.jobs)
    until(lambda: "0 of 0.5 RLC" in panel.details.text(), "for what happened since")


def test_nothing_is_asked_for_while_nobody_looks(open_panel, engine, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    panel.actions_.run_named("log")
    until(lambda: "line 4" in panel.log.toPlainText(), "for the log")
    panel.hide()
    panel.pane.follow("job-1")
    assert not panel.pane._follow.isActive()


def test_news_are_shown_in_the_panel_too(open_panel, engine, until):
    panel = open_panel(job_row())
    engine.notice("shot_010 is done.", "info", "job-1", "Its frames are in /show/renders.")
    until(lambda: "shot_010 is done." in panel.news.text(), "for the notice")
    panel.news.buttons()[0].click()
    assert not panel.news.isVisible()


def test_frames_have_a_menu(open_panel, until):
    panel = open_panel(job_row(state="done", frames_done=0))
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    menu = panel.actions_.menu(panel.selected(), of_frames=True)
    entries = {entry.text(): entry for entry in menu.actions()}
    assert set(entries) == {"Render these again", "Open folder", "Load as Read", "Show log"}
    assert entries["Load as Read"].toolTip() == "No frame is here yet."
    assert panel.actions_.menu(panel.selected()) is menu
    assert not hasattr(menu, "toolTipsVisible") or menu.toolTipsVisible()


def test_columns_and_borders_stay_where_they_were_put(open_panel):
    panel = open_panel(job_row())
    panel.table.setColumnWidth(queue_models.STATE, 333)
    panel.pane.frames_table.setColumnWidth(0, 77)
    panel.splitter.setSizes([100, 300])
    panel.hide()
    other = open_panel(job_row())
    assert other.table.columnWidth(queue_models.STATE) == 333
    assert other.pane.frames_table.columnWidth(0) == 77
    upper, lower = other.splitter.sizes()
    assert upper < lower / 2


def test_the_settings_of_a_job_are_asked_for_again(open_panel, until):
    panel = open_panel(job_row())
    asked = []
    panel.again_wanted.connect(asked.append)
    panel.select("job-1")
    panel.actions_.run_named("duplicate")
    until(lambda: asked, "for the job")
    assert asked[0]["submission"]["chunk"] == 4


def test_the_strip_takes_the_keyboard(open_panel, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    strip = panel.pane.strip
    assert strip.focusPolicy() == Qt.StrongFocus
    chosen = []
    for key in (Qt.Key_Right, Qt.Key_Right, Qt.Key_Left, Qt.Key_End, Qt.Key_Right, Qt.Key_Home, Qt.Key_Left):
        QtWidgets.QApplication.sendEvent(strip, QtGui.QKeyEvent(QtCore.QEvent.KeyPress, key, Qt.NoModifier))
        chosen.append(panel.pane.selected_frames()[0]["frame"])
    assert chosen == [1, 2, 1, 20, 20, 1, 1]
    panel.grab()


def test_the_strip_marks_what_is_selected(open_panel, until):
    panel = open_panel(job_row())
    panel.select("job-1")
    until(lambda: panel.frames.rows, "for the frames")
    panel.pane.frames_table.selectRow(11)
    assert panel.pane.strip._current == 11
    panel.pane.frames_table.clearSelection()
    assert panel.pane.strip._current == -1
