"""What the artist sees, types and clicks before a render is bought."""

from dataclasses import replace

import pytest
from shapes import plan_sheet, scan_sheet, wallet_state, writer_row
from wire_client import WireClient

from NatronIExec.errors import EngineMismatch, EngineNotFound
from NatronIExec.gui import parts
from NatronIExec.gui.bridge import Bridge
from NatronIExec.gui.parts import choose, item_of
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets
from NatronIExec.gui.submit_dialog import SubmitDialog


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


def press(dialog, key):
    for kind in (QtCore.QEvent.KeyPress, QtCore.QEvent.KeyRelease):
        QtWidgets.QApplication.sendEvent(dialog, QtGui.QKeyEvent(kind, key, Qt.NoModifier))


def test_two_clicks_when_nothing_is_wrong(open_dialog, engine, until):
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    jobs = []
    dialog.submitted.connect(jobs.append)
    dialog.submit.click()
    until(lambda: jobs, "for the job")
    asked = engine.args_of("submit")[0]
    assert asked["plan"] == plan_sheet()["plan"]
    assert asked["max_total_nrlc"] == plan_sheet()["total_nrlc"]
    assert "password" not in asked
    assert not dialog.isVisible()


def test_a_locked_wallet_wants_its_password_and_the_field_is_emptied(open_dialog, engine, until):
    engine.wallet = wallet_state(unlocked=False)
    dialog = open_dialog()
    assert dialog.password.isVisible()
    assert not dialog.submit.isEnabled()
    assert "password" in dialog.submit.toolTip()
    assert dialog.password.echoMode() == QtWidgets.QLineEdit.Password
    dialog.password.setText("correct horse")
    until(dialog.submit.isEnabled, "for Submit")
    dialog.submit.click()
    assert dialog.password.text() == ""
    until(lambda: engine.args_of("submit"), "for the question")
    assert engine.args_of("submit")[0]["password"] == "correct horse"


def test_a_wrong_password_keeps_the_dialog(open_dialog, engine, until):
    engine.wallet = wallet_state(unlocked=False)
    engine.refuse("submit", "wrong-password", "The password is wrong.", "Try again; capitals count.")
    dialog = open_dialog()
    dialog.password.setText("nonsense")
    until(dialog.submit.isEnabled, "for Submit")
    dialog.submit.click()
    until(lambda: "wrong" in dialog.banner.text(), "for the refusal")
    assert dialog.isVisible()
    assert dialog.password.isVisible()


def test_errors_block_and_say_why(open_dialog, engine, until):
    check = {
        "level": "error",
        "code": "missing-file",
        "node": "Read1",
        "title": "A file is gone.",
        "remedy": "Restore it.",
    }
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    dialog = open_dialog(ready=False)
    until(lambda: dialog.checks.banners, "for the checks")
    assert not dialog.submit.isEnabled()
    assert "A file is gone." in dialog.submit.toolTip()
    labels = [button.text() for banner in dialog.checks.banners for button in banner.buttons()]
    assert labels == ["Show node", "Check again"]


def test_another_folder_is_looked_at_again(open_dialog, engine, until):
    """Whether frames can be put there is a check like the others."""
    check = {
        "level": "error",
        "code": "out-folder",
        "node": "Write1",
        "title": "/full cannot be written.",
        "remedy": "",
    }
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check] if args["out"] == "/full" else [])
    dialog = open_dialog()
    for folder, says in (("/full", "/full cannot be written."), ("/free", "Render 20 frames")):
        dialog.destination.out.setText(folder)
        dialog.destination.out.editingFinished.emit()
        until(lambda says=says: says in dialog.submit.toolTip(), "for the check")


def test_warnings_can_be_put_aside(open_dialog, engine):
    check = {"level": "warning", "code": "script", "node": "Read1", "title": "A script runs.", "remedy": ""}
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    dialog = open_dialog()
    ignore = dialog.checks.banners[0].buttons()[-1]
    assert ignore.text() == "Ignore"
    ignore.click()
    assert dialog.checks.banners == []


def test_disabled_writers_are_grey_with_their_reason(open_dialog, engine):
    rows = [writer_row("Write1"), writer_row("Off", enabled=False, reason="It is disabled in Natron.")]
    engine.answers["scan"] = lambda args: scan_sheet(writers=rows)
    dialog = open_dialog()
    assert dialog.writers.chosen() == ["Write1"]
    off = dialog.writers.list.topLevelItem(1)
    assert off.isDisabled()
    assert [off.text(1), off.toolTip(1)] == ["It is disabled in Natron."] * 2


def test_writers_selected_in_the_graph_are_checked_at_first(open_dialog, engine, snapshot, until):
    engine.answers["scan"] = lambda args: scan_sheet(writers=[writer_row("Write1"), writer_row("Write2")])
    dialog = open_dialog(replace(snapshot, selected=("Write2",)))
    assert dialog.writers.chosen() == ["Write2"]
    assert engine.args_of("plan")[-1]["writers"] == ["Write2"]


def test_an_unsaved_project_is_asked_to_be_saved(open_dialog, snapshot):
    dialog = open_dialog(replace(snapshot, original=None), ready=False)
    assert not dialog.submit.isEnabled()
    assert "Save the project" in dialog.submit.toolTip()


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [(EngineNotFound, "pip install natron-iexec"), (EngineMismatch, "natron-iexec engine stop")],
)
def test_an_engine_that_is_not_the_right_one_says_how_to_get_it(application, snapshot, choices, until, kind, remedy):
    class Nobody:
        def connect(self, start=True):
            raise kind("That does not work.", f"Run {remedy}.")

        def close(self):
            return None

    bridge = Bridge(Nobody)
    dialog = SubmitDialog(bridge, lambda: snapshot, choices, lambda: True, lambda name: None)
    dialog.show()
    until(lambda: remedy in dialog.banner.text(), "for the banner")
    assert not dialog.submit.isEnabled()
    assert dialog.submit.toolTip() == "That does not work."
    dialog.close()
    bridge.close()


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ([], "has no writers"),
        ([writer_row("Off", enabled=False, reason="It is disabled in Natron.")], "No writer can be rendered"),
    ],
)
def test_nothing_to_render(open_dialog, engine, until, rows, note):
    check = {"level": "error", "code": "no-writer", "node": "", "title": "Nothing to render.", "remedy": "Add one."}
    engine.answers["scan"] = lambda args: scan_sheet(writers=rows, checks=[check])
    dialog = open_dialog(ready=False)
    until(lambda: note in dialog.writers.note.text(), "for the scan")
    assert dialog.writers.note.isVisible()
    assert not dialog.submit.isEnabled()
    assert "Choose at least one writer." in dialog.submit.toolTip()


def test_a_writer_without_a_file_name(open_dialog, engine):
    engine.answers["scan"] = lambda args: scan_sheet(writers=[writer_row(file="", format="")])
    dialog = open_dialog()
    assert dialog.writers.list.topLevelItem(0).text(1) == "no file name"


@pytest.mark.parametrize(("answer", "sent"), [("Read again", "newer"), ("Send as it was", "older")])
def test_a_project_that_changed_since_it_was_read(bridge, engine, snapshot, choices, until, answer, sent):
    """The artist says which of the two is rendered; nothing is bought before."""
    shots = {
        "older": snapshot,
        "newer": replace(snapshot, project=snapshot.project.with_name("newer.ntp"), digest="another"),
    }
    now = ["older"]
    dialog = SubmitDialog(bridge, lambda: shots[now[0]], choices, lambda: True, lambda name: None)
    dialog.show()
    until(lambda: dialog.wallet and dialog.submit.isEnabled() and not dialog.asker.busy("plan"), "for Submit")
    now[0] = "newer"
    dialog.submit.click()
    assert "changed" in dialog.banner.text()
    assert engine.args_of("submit") == []
    next(button for button in dialog.banner.buttons() if button.text() == answer).click()
    if sent == "newer":
        until(lambda: dialog.submit.isEnabled(), "for the new price")
        dialog.submit.click()
    until(lambda: engine.args_of("submit"), "for the question")
    assert engine.args_of("submit")[0]["project"] == str(shots[sent].project)
    dialog.close()


def test_two_natrons_see_the_same_renders(engine, snapshot, choices, until):
    bridges = [Bridge(lambda: WireClient(engine)) for _ in range(2)]
    dialogs = [SubmitDialog(one, lambda: snapshot, choices, lambda: True, lambda name: None) for one in bridges]
    for dialog in dialogs:
        dialog.show()
    until(lambda: all(d.wallet and d.submit.isEnabled() and not d.asker.busy("plan") for d in dialogs), "for Submit")
    for dialog in dialogs:
        dialog.submit.click()
    until(lambda: all(len(bridge.jobs) == 2 for bridge in bridges), "for both renders in both")
    for bridge in bridges:
        bridge.close()


def test_escape_closes_and_enter_spends_nothing(open_dialog, engine, until):
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    press(dialog, Qt.Key_Return)
    assert dialog.isVisible()
    press(dialog, Qt.Key_Escape)
    assert not dialog.isVisible()
    assert engine.args_of("submit") == []


def test_what_was_bought_is_not_hidden_by_escape(open_dialog, engine, until):
    """The answer to Submit is shown, a refusal too, whatever is pressed meanwhile."""
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    engine.refuse("submit", "funds", "There is too little RLC.")
    answer = engine.hold("submit")
    dialog.submit.click()
    press(dialog, Qt.Key_Escape)
    dialog.close()
    assert dialog.isVisible()
    assert not dialog.cancel.isEnabled()
    answer.set()
    until(lambda: "too little" in dialog.banner.text(), "for the refusal")
    assert dialog.cancel.isEnabled()
    press(dialog, Qt.Key_Escape)
    assert not dialog.isVisible()


def test_a_full_disk_does_not_keep_from_rendering(open_dialog, engine, choices, until):
    """Choices that cannot be remembered are no reason; the password is gone all the same."""
    choices._folder.parent.joinpath("file").write_text("")
    choices._folder = choices._folder.parent / "file" / "below"
    engine.wallet = wallet_state(unlocked=False)
    dialog = open_dialog()
    dialog.password.setText("correct horse")
    until(dialog.submit.isEnabled, "for Submit")
    dialog.submit.click()
    until(lambda: engine.args_of("submit"), "for the question")
    until(lambda: not dialog.isVisible(), "for the job")
    again = open_dialog()
    again.password.setText("typed")
    again.close()
    assert again.password.text() == ""


def test_the_projects_range_follows_the_project(bridge, engine, snapshot, choices, until):
    shots = [snapshot]
    dialog = SubmitDialog(bridge, lambda: shots[0], choices, lambda: True, lambda name: None)
    dialog.show()
    until(lambda: dialog.draft.plan, "for the price")
    choose(dialog.frames.which, "project")
    until(lambda: engine.args_of("scan")[-1]["frames"] == "1-20", "for the scan")
    shots[0] = replace(snapshot, frame_range=(5, 30), digest="another")
    dialog.read_again()
    until(lambda: engine.args_of("scan")[-1]["frames"] == "5-30", "for the scan")
    assert "5–30" in dialog.frames.which.currentText()
    dialog.close()
    assert choices.load(snapshot.original)["frames_from"] == "project"


def test_typed_frames_of_an_older_memory_stay_typed(choices, snapshot):
    """All frames instead of ten would cost more."""
    choices._write(choices._file(snapshot.original), {"frames": "1-10"})
    assert choices.load(snapshot.original)["frames_from"] == "typed"


def test_a_preset_brings_its_network_and_group(open_dialog, engine, choices, until):
    pool = "0x" + "77" * 20
    dialog = open_dialog()
    dialog.choices.save_preset("big", dict(dialog.draft.choice, network="arbitrum", workerpool=pool))
    dialog.choices.save_preset("small", dict(dialog.draft.choice, network="arbitrum-sepolia", workerpool=pool))
    for name, network in (("small", "arbitrum-sepolia"), ("big", "arbitrum")):
        engine.asked.clear()
        dialog._preset_chosen(name)
        until(lambda: engine.args_of("plan") and dialog.draft.plan, "for the price")
        assert [(args["network"], args["workerpool"]) for args in engine.args_of("plan")] == [(network, pool)]
        assert item_of(dialog.destination.network) == network
        until(lambda: not dialog.asker.busy("groups"), "for the groups")
        assert item_of(dialog.destination.group) == pool


def test_why_a_submit_failed_stays_until_the_artist_does_something(open_dialog, engine, until):
    engine.refuse("submit", "funds", "There is too little RLC.")
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    dialog.submit.click()
    until(lambda: "too little" in dialog.banner.text(), "for the refusal")
    dialog.start_plan()
    until(lambda: dialog.draft.plan, "for the price")
    assert "too little" in dialog.banner.text()
    dialog.frames.chunk.setValue(3)
    assert dialog.banner.text() == ""


def test_another_problem_of_the_price_replaces_the_words(open_dialog, engine, until):
    def problem(title):
        found = {"code": "order-refused", "title": title, "remedy": "", "details": {}}
        engine.answers["plan"] = lambda args: plan_sheet(problems=[found] if title else [])

    problem("Nobody sells that.")
    dialog = open_dialog()
    for title in ("They ask for too much.", ""):
        problem(title)
        dialog.start_plan()
        until(lambda: dialog.draft.plan, "for the price")
        assert dialog.banner.text() == title


def test_a_higher_limit_lets_one_submit(open_dialog, engine, choices, snapshot, until):
    refusal = {"code": "price-cap", "title": "It costs more than your limit.", "remedy": "", "details": {}}
    engine.answers["plan"] = lambda args: plan_sheet(
        problems=[refusal] if (args["max_price_nrlc"] or 10**12) < 10**9 else []
    )
    dialog = open_dialog()
    dialog.price.cap.setText("0.1")
    until(lambda: "more than your limit" in dialog.banner.text(), "for the price")
    assert not dialog.submit.isEnabled()
    dialog.price.cap.setText("2")
    until(dialog.submit.isEnabled, "for Submit")
    assert dialog.banner.text() == ""


def test_groups_say_whether_they_have_room_for_this_render(open_dialog, engine, until):
    dialog = open_dialog()
    until(lambda: not dialog.asker.busy("groups"), "for the groups")
    assert engine.args_of("workerpools")[-1]["tasks"] == plan_sheet()["tasks"]


def test_a_project_saved_as_another_is_read_again(bridge, engine, snapshot, choices, until):
    shots = [snapshot]
    dialog = SubmitDialog(bridge, lambda: shots[0], choices, lambda: True, lambda name: None)
    dialog.show()
    until(lambda: dialog.wallet and dialog.submit.isEnabled(), "for Submit")
    shots[0] = replace(snapshot, original=snapshot.original.with_name("other.ntp"))
    dialog.submit.click()
    assert "changed" in dialog.banner.text()
    dialog.close()


def test_saving_from_the_dialog_goes_on(bridge, engine, snapshot, choices, until):
    shots, saved = [replace(snapshot, original=None)], []

    def save():
        shots[0] = snapshot
        saved.append(True)
        return True

    dialog = SubmitDialog(bridge, lambda: shots[0], choices, save, lambda name: None)
    dialog.show()
    dialog.banner.buttons()[0].click()
    until(lambda: dialog.wallet and dialog.submit.isEnabled(), "for Submit")
    assert (saved, dialog.banner.text()) == ([True], "")
    dialog.close()


def test_a_problem_names_its_node(open_dialog, engine, until):
    check = {"level": "error", "code": "no-file-name", "node": "Write2", "title": "It has no file name.", "remedy": ""}
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    dialog = open_dialog(ready=False)
    until(lambda: dialog.checks.banners, "for the checks")
    assert dialog.submit.toolTip() == "Write2: It has no file name."


def test_checks_do_not_flash_as_windows(open_dialog, engine, monkeypatch):
    check = {"level": "warning", "code": "script", "node": "Read1", "title": "A script runs.", "remedy": ""}
    shown = []
    monkeypatch.setattr(parts.Banner, "show", lambda self: shown.append(self.isWindow()))
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    open_dialog()
    assert shown == [False]


def test_nothing_read_is_not_nothing_wrong(open_dialog, snapshot):
    dialog = open_dialog(replace(snapshot, original=None), ready=False)
    labels = [label.text() for label in dialog.checks.findChildren(QtWidgets.QLabel)]
    assert labels == ["Nothing was read yet."]


def test_what_would_be_sent_can_be_exported(open_dialog, engine, until):
    dialog = open_dialog()
    assert dialog.files.export.isEnabled()
    dialog.files.export_wanted.emit("/work/look")
    until(lambda: "Exported to /work/look/shot_010-to-send." in dialog.banner.text(), "for the answer")
    dialog.banner.buttons()[0].click()
    engine.refuse("bundle", "conflict", "It is there already.")
    dialog.files.export_wanted.emit("/work/look")
    until(lambda: "there already" in dialog.banner.text(), "for the refusal")
    assert engine.args_of("submit") == []


def test_choices_are_remembered_by_project(open_dialog, snapshot, choices):
    dialog = open_dialog()
    dialog.price.cap.setText("0.75")
    dialog.close()
    assert choices.load(snapshot.original)["max_price_nrlc"] == 750_000_000
    assert open_dialog().price.cap_nrlc() == 750_000_000


def test_a_limit_below_the_price_disables_submit(open_dialog, until):
    dialog = open_dialog()
    until(dialog.submit.isEnabled, "for Submit")
    dialog.price.cap.setText("0.000001")
    assert not dialog.submit.isEnabled()
    assert "limit" in dialog.submit.toolTip()
    dialog.price.cap.setText("much")
    assert not dialog.submit.isEnabled()


def test_nobody_sells_and_no_price(open_dialog, engine, until):
    problem = {"code": "order-refused", "title": "Nobody sells that.", "remedy": "Try again later.", "details": {}}
    nothing = {name: None for name in ("workerpool", "total_nrlc", "gas_wei", "refund_s", "after_nrlc", "category")}
    nothing.update({"app_price_nrlc": None, "workerpool_price_nrlc": None, "deposit_nrlc": None})
    engine.answers["plan"] = lambda args: plan_sheet(problems=[problem], **nothing)
    dialog = open_dialog()
    assert not dialog.submit.isEnabled()
    assert "Nobody sells that." in dialog.submit.toolTip()
    dialog.price.cap.setText("1")


def test_an_example_is_not_taken_for_what_is_rendered(open_dialog):
    dialog = open_dialog()
    assert dialog.frames.typed.placeholderText() == ""
    choose(dialog.frames.which, "typed")
    assert dialog.frames.typed.placeholderText() == "1-100x2,120"


def test_it_shows_that_it_begins(open_dialog, engine):
    answer = engine.hold("settings.get")
    dialog = open_dialog(ready=False)
    assert dialog.progress.isVisible()
    answer.set()


def test_a_price_without_a_number_of_frames_a_task_says_none(open_dialog, engine):
    engine.answers["plan"] = lambda args: plan_sheet(chunk=0)
    assert open_dialog().price.values["tasks"].toolTip() == "20 frames, in 1 purchase"


@pytest.mark.parametrize("writers", [1, 40])
def test_columns_fit_their_list(open_dialog, engine, until, writers):
    """Also beside a scroll bar; the size of what is sent is not pushed out of sight."""
    rows = [writer_row(f"Write{number}", file="/very/long" * 9 + "/beauty.####.exr") for number in range(writers)]
    engine.answers["scan"] = lambda args: scan_sheet(writers=rows)
    dialog = open_dialog()
    dialog.tabs.setCurrentWidget(dialog.files)
    for listed in (dialog.writers.list, dialog.files.list):
        total = sum(listed.columnWidth(at) for at in range(listed.columnCount()))
        until(lambda listed=listed: listed.viewport().width() > 100, "for the layout")
        assert total == listed.viewport().width()
    item = dialog.writers.list.topLevelItem(0)
    assert (item.text(1), item.toolTip(1)) == ("beauty.####.exr", rows[0]["file"])


@pytest.mark.parametrize("direction", ["LeftToRight", "RightToLeft"])
def test_small_windows_and_long_names(open_dialog, engine, direction):
    long = "/very" * 60 + "/шот_العربية_####.exr"
    engine.answers["scan"] = lambda args: scan_sheet(writers=[writer_row("W" * 200, file=long)])
    dialog = open_dialog()
    dialog.setLayoutDirection(getattr(Qt, direction))
    dialog.resize(700, 480)
    QtWidgets.QApplication.processEvents()
    assert dialog.width() <= 1000
    for widget in (dialog.submit, dialog.cancel, dialog.price, dialog.destination, dialog.writers):
        corner = widget.mapTo(dialog, widget.rect().bottomRight())
        assert dialog.rect().contains(corner), widget
    left, right = (
        dialog.writers.mapTo(dialog, QtCore.QPoint(0, 0)).x(),
        dialog.price.mapTo(dialog, QtCore.QPoint(0, 0)).x(),
    )
    assert (left > right) == (direction == "RightToLeft")
