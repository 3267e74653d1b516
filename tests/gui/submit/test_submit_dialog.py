"""What the artist sees, types and clicks before a render is bought."""

from dataclasses import replace

import pytest
from shapes import plan_sheet, scan_sheet, wallet_state
from wire_client import WireClient

from NatronIExec.errors import EngineMismatch, EngineNotFound
from NatronIExec.gui.bridge import Bridge
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets
from NatronIExec.gui.submit.submit_dialog import SubmitDialog
from NatronIExec.gui.widgets import choose


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


def test_what_would_be_sent_can_be_exported(open_dialog, engine, until):
    dialog = open_dialog()
    assert dialog.files.export.isEnabled()
    dialog.files.export_wanted.emit("/show/look")
    until(lambda: "Exported to /show/look/shot_010-to-send." in dialog.banner.text(), "for the answer")
    dialog.banner.buttons()[0].click()
    engine.refuse("bundle", "conflict", "It is there already.")
    dialog.files.export_wanted.emit("/show/look")
    until(lambda: "there already" in dialog.banner.text(), "for the refusal")
    assert engine.args_of("submit") == []


def test_choices_are_remembered_by_project(open_dialog, snapshot, choices):
    dialog = open_dialog()
    dialog.price.cap.setText("0.75")
    dialog.close()
    assert choices.load(snapshot.original)["max_price_nrlc"] == 750_000_000
    assert open_dialog().price.cap_nrlc() == 750_000_000
