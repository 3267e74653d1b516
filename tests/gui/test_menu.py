"""The entries in Natron's Render menu."""

import subprocess
import sys
from pathlib import Path

import pytest
import qt_life

from NatronIExec.gui import menu
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.host import api

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(monkeypatch, application):
    """The paths that were registered."""
    added = []
    monkeypatch.setattr(api, "add_menu_entry", lambda path, command: added.append((path, command)))
    monkeypatch.setattr(menu, "_installed", False)
    menu.install()
    yield added
    application.focusChanged.disconnect(menu._focus_changed)
    menu._soon.deleteLater()


def natrons_window(center=None):
    made = QtWidgets.QMainWindow()
    bar = made.menuBar()
    render = bar.addMenu("&Render")
    for title in ("Render &All Writers", "Render &Selected Writers", "Enable Render Statistics", *menu.COMMANDS):
        render.addAction(title)
    bar.addMenu("&Help").addAction("About")
    made.setCentralWidget(center or QtWidgets.QLineEdit())
    return made


def titles(window):
    bar = window.menuBar()
    actions = bar.actions()
    render = actions[0].menu()
    entries = render.actions()
    return [entry.text().replace("&", "") for entry in entries]


def test_the_entry_stands_after_render_all_writers_in_every_window(installed, until):
    """As soon as the window has the keyboard, and once."""
    windows = [natrons_window(), natrons_window()]
    for window in windows:
        window.show()
        window.activateWindow()
        until(lambda window=window: titles(window)[1] == menu.SUBMIT, "for its place")
        assert titles(window)[:3] == ["Render All Writers", menu.SUBMIT, "Render Selected Writers"]
        assert titles(window).count(menu.SUBMIT) == 1


def test_a_window_that_is_hidden_is_left_alone(application):
    window = natrons_window()
    window.show()
    window.hide()
    menu.place_entry()
    assert titles(window)[1] == "Render Selected Writers"


def test_no_widget_is_wrapped_because_the_focus_moves(installed, application, until):
    """It may be in the middle of its end."""
    box = QtWidgets.QSpinBox()  # the line edit in it is made by Qt
    window = natrons_window(box)
    window.show()
    window.activateWindow()
    box.setFocus()
    until(box.hasFocus, "for the focus")
    assert not [found for found in qt_life.objects() if isinstance(found, QtWidgets.QLineEdit)]


def test_a_menu_that_is_different_is_left_alone(application):
    other = QtWidgets.QMainWindow()
    bar = other.menuBar()
    bar.addMenu("Render").addAction("Something")
    assert menu._place(other) is False


def test_it_registers_once(installed):
    menu.install()
    assert installed == [("Render/" + title, command) for title, command in menu.COMMANDS.items()]


@pytest.mark.parametrize("name", ["init.py", "initGui.py"])
def test_start_up_files_are_quiet_and_small(name, home):
    """Run as Natron does: as text in __main__, without a file name; nothing on stderr, whatever is missing, but a line
    in our log."""
    text = (ROOT / name).read_text(encoding="ascii")
    assert len(text.splitlines()) <= 30
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); del sys.modules['__main__'].__spec__; exec({text!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    if name == "initGui.py":
        assert "No module named 'NatronGui'" in (home / "logs" / "plugin.log").read_text()
