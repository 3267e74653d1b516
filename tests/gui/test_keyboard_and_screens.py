"""Windows without a mouse, on screens with many dots, with large fonts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shapes import frame_row, job_row

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui.accounts.wallet_dialog import WalletDialog
from NatronIExec.gui.preferences.settings_dialog import SettingsDialog
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets
from NatronIExec.gui.render_queue.queue_panel import QueuePanel
from NatronIExec.gui.submit.submit_dialog import SubmitDialog

HERE = Path(__file__).parent


def press(widget, key, modifiers=Qt.NoModifier):
    for kind in (QtCore.QEvent.KeyPress, QtCore.QEvent.KeyRelease):
        QtWidgets.QApplication.sendEvent(widget, QtGui.QKeyEvent(kind, key, modifiers))


def tab_stops(window, until):
    """The widgets that Tab goes through, pressed as a person does, until it comes round."""
    window.activateWindow()
    until(window.isActiveWindow, "for the window to have the keyboard")
    press(window, Qt.Key_Tab)
    stops = []
    while QtWidgets.QApplication.focusWidget() not in stops:
        stops.append(QtWidgets.QApplication.focusWidget())
        press(stops[-1], Qt.Key_Tab)
        assert len(stops) < 200, "Tab never comes round"
    return stops


@pytest.fixture
def dialog(bridge, snapshot, choices, until):
    made = SubmitDialog(bridge, lambda: snapshot, choices, lambda: True, lambda name: None)
    made.show()
    until(lambda: made.wallet and made.submit.isEnabled() and not made.asker.busy("plan"), "for Submit")
    yield made
    made.close()


def test_tab_goes_as_the_eye_does(dialog, until):
    places = (
        dialog.writers,
        dialog.frames,
        dialog.destination,
        dialog.price,
        dialog.tabs,
        dialog.presets.button,
        dialog.cancel,
        dialog.submit,
    )
    stops = tab_stops(dialog, until)
    visited = [next(n for n, place in enumerate(places) if place is w or place.isAncestorOf(w)) for w in stops]
    first = visited.index(0)
    assert visited[first:] + visited[:first] == sorted(visited)
    assert set(visited) == set(range(len(places)))


def test_every_field_says_what_it_is(dialog):
    """A label with the field for its buddy, or a name: what a screen reader says, and how a letter reaches it."""
    labelled = [label.buddy() for label in dialog.findChildren(QtWidgets.QLabel)]
    kinds = (QtWidgets.QLineEdit, QtWidgets.QComboBox, QtWidgets.QSpinBox, QtWidgets.QTreeWidget)
    fields = [field for kind in kinds for field in dialog.findChildren(kind)]
    nameless = [
        field
        for field in fields
        if field not in labelled and not field.accessibleName() and not isinstance(field.parent(), kinds)
    ]
    assert nameless == []
    texts = [
        widget.text() for kind in (QtWidgets.QLabel, QtWidgets.QPushButton) for widget in dialog.findChildren(kind)
    ]
    letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
    assert len(letters) == len(set(letters)) >= 10


def test_space_presses_the_button_that_has_the_keyboard(dialog, engine, until):
    dialog.activateWindow()
    dialog.submit.setFocus()
    press(dialog.submit, Qt.Key_Space)
    until(lambda: engine.args_of("submit"), "for the question")


@pytest.mark.parametrize("window", [WalletDialog, SettingsDialog])
def test_every_button_is_reached(bridge, until, window):
    made = window(bridge)
    made.show()
    until(lambda: any(button.isEnabled() for button in made.findChildren(QtWidgets.QPushButton)), "for the engine")
    stops = tab_stops(made, until)
    for button in made.findChildren(QtWidgets.QPushButton):
        if button.isVisible() and button.isEnabled() and button.focusPolicy() != Qt.NoFocus:
            assert button in stops, button.text()
    press(made, Qt.Key_Escape)
    assert not made.isVisible()


def cut_off(window):
    """Buttons, labels and boxes that have less room than their words need."""
    kinds = (QtWidgets.QPushButton, QtWidgets.QCheckBox, QtWidgets.QToolButton)
    return [
        (widget.text(), widget.width(), widget.sizeHint().width())
        for kind in kinds
        for widget in window.findChildren(kind)
        if widget.isVisible() and widget.text() and widget.width() < widget.sizeHint().width()
    ]


@pytest.mark.parametrize("larger", [1.0, 1.5])
def test_no_word_on_a_button_is_cut(application, bridge, snapshot, choices, until, larger):
    before = application.font()
    font = QtGui.QFont(before)
    font.setPointSizeF(before.pointSizeF() * larger)
    application.setFont(font)
    try:
        for made in (
            SubmitDialog(bridge, lambda: snapshot, choices, lambda: True, lambda name: None),
            WalletDialog(bridge),
            SettingsDialog(bridge),
        ):
            made.show()
            application.processEvents()
            assert cut_off(made) == []
            assert made.minimumSizeHint().width() <= 1280 * larger
            made.close()
    finally:
        application.setFont(before)


@pytest.mark.parametrize("scale", ["2", "1.5"])
def test_screens_with_many_dots(scale):
    """Qt takes the scale at its start, so the windows are opened by another process."""
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_AUTO_SCREEN_SCALE_FACTOR": "0"}
    done = subprocess.run(
        [sys.executable, str(HERE / "dense_screen.py"), scale],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


LONG = "a_very_long_name_of_a_shot_that_nobody_would_type_twice_" * 3


@pytest.mark.parametrize("direction", ["LeftToRight", "RightToLeft"])
def test_the_queue_with_long_names_both_ways(application, bridge, engine, until, direction):
    """Names are cut, never the buttons; what stands right stands left in the other direction."""
    engine.jobs = [job_row(name=LONG, workerpool=LONG, out="/" + LONG, writers=[LONG, LONG], state_text=LONG)]
    engine.frames["job-1"] = [frame_row(n, "imported", writer=LONG, log=LONG) for n in range(1, 4)]
    panel = QueuePanel(bridge, lambda frames: [])
    panel.setLayoutDirection(getattr(Qt, direction))
    panel.resize(900, 500)
    panel.show()
    until(lambda: panel.jobs.rows, "for the job")
    panel.select("job-1")
    panel.failed(NatronIExecError(LONG, LONG))
    until(lambda: panel.frames.rows, "for the frames")
    panel.grab()
    assert panel.width() == 900
    assert cut_off(panel) == []
    wallet = next(button for button in panel.findChildren(QtWidgets.QPushButton) if button.text() == "Wallet…")
    assert (wallet.x() > panel.width() / 2) is (direction == "LeftToRight")
    dismiss = panel.banner.buttons()[0]
    assert (dismiss.x() > panel.banner.width() / 2) is (direction == "LeftToRight")
    panel.close()
