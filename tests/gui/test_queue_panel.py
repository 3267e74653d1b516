"""The render queue: rows that change in place, actions with reasons, an engine that comes and goes."""

import pytest
from shapes import frame_row, job_row, plan_sheet

from NatronIExec.gui.queue_panel import QueuePanel


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
        panel = QueuePanel(bridge, lambda files, writer: loaded.append((files, writer)))
        panel.resize(1100, 500)
        panel.show()
        made.append(panel)
        until(lambda: bridge.connected, "for the engine")
        return panel

    yield show
    for panel in made:
        panel.close()


def test_an_empty_queue_says_what_to_do(open_panel):
    panel = open_panel()
    assert panel.upper.currentWidget() is panel.empty
    assert "Render on iExec" in panel.empty.text()
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
    assert panel.strip.runs()[1] == (6, 7, "imported")
    assert panel.strip.row_at(panel.strip.width() * 6.5 / 20) == 6
    assert "1 here" in panel.legend._label.text()


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
    buy = next(button for button in panel.banner.buttons() if button.text() == "Render")
    buy.click()
    until(lambda: engine.args_of("retry"), "for the question")
    asked = engine.args_of("retry")[0]
    assert asked == {"job": "job-1", "plan": plan_sheet()["plan"], "max_total_nrlc": plan_sheet()["total_nrlc"]}


def test_only_the_chosen_frames_are_rendered_again(open_panel, engine, until):
    panel = open_panel(job_row(state="done", writers=["Write1", "Write2"]))
    engine.frames["job-1"] = [frame_row(n, "imported", writer=w) for w in ("Write1", "Write2") for n in (1, 2, 3)]
    panel.select("job-1")
    until(lambda: len(panel.frames.rows) == 6, "for the frames")
    panel.frames_table.selectRow(4)
    panel.actions_.run_named("again")
    until(lambda: "costs at most" in panel.banner.text(), "for the price")
    assert engine.args_of("plan") == [{"retry": "job-1", "frames_of": {"Write2": "2"}}]
    panel.banner.buttons()[0].click()
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
    until(lambda: "2 tasks are paid" in panel.banner.text(), "for the answer")


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


def test_frames_are_loaded_by_writer(open_panel, engine, until, loaded):
    panel = open_panel(job_row(frames_done=1))
    engine.frames["job-1"] = [frame_row(1, state="imported", file="/r/a.0001.png"), frame_row(2)]
    panel.select("job-1")
    panel.actions_.run_named("read")
    until(lambda: loaded, "for the frames")
    assert loaded == [(["/r/a.0001.png"], frame_row(1)["writer"])]


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
    assert "Last update" in panel.banner.text()
    assert "as of" in panel.jobs.data(panel.jobs.index(0, 2))
    bridge.reconnect()
    until(lambda: bridge.connected and not panel.banner.isVisible(), "for the engine")


def test_timers_stop_when_nobody_looks(open_panel):
    panel = open_panel(job_row())
    assert panel._tick.isActive()
    panel.hide()
    assert not panel._tick.isActive()
    panel.show()
    assert panel._tick.isActive()
