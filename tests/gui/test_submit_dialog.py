"""What the artist sees, types and clicks before a render is bought."""

from dataclasses import replace

import pytest
from shapes import plan_sheet, scan_sheet, wallet_state, writer_row
from wire_client import WireClient

from NatronIExec.errors import EngineMismatch, EngineNotFound
from NatronIExec.gui.bridge import Bridge
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


@pytest.mark.parametrize("direction", ["LeftToRight", "RightToLeft"])
def test_small_windows_and_long_names(open_dialog, engine, direction):
    long = "/very" * 60 + "/шот_العربية_####.exr"
    engine.answers["scan"] = lambda args: scan_sheet(writers=[writer_row("W" * 200, file=long)])
    dialog = open_dialog()
    dialog.setLayoutDirection(getattr(Qt, direction))
    dialog.resize(700, 480)
    assert dialog.width() <= 1000
    assert not dialog.grab().isNull()
