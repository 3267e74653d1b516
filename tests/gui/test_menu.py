"""The entries in Natron's Render menu."""

import subprocess
import sys
from pathlib import Path

import pytest

from NatronIExec.gui import menu
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.host import api

ROOT = Path(__file__).parents[2]


@pytest.fixture
def window(application):
    made = QtWidgets.QMainWindow()
    render = made.menuBar().addMenu("&Render")
    for title in (
        "Render &All Writers",
        "Render &Selected Writers",
        "Enable Render Statistics",
        menu.SUBMIT,
        menu.QUEUE,
    ):
        render.addAction(title)
    made.menuBar().addMenu("&Help").addAction("About")
    made.show()
    yield made
    made.close()


def titles(window):
    bar = window.menuBar()
    action = bar.actions()[0]
    render = action.menu()
    return [entry.text().replace("&", "") for entry in render.actions()]


def test_the_entry_stands_after_render_all_writers(window):
    menu.place_entries()
    assert titles(window)[:3] == ["Render All Writers", menu.SUBMIT, "Render Selected Writers"]
    menu.place_entries()
    assert titles(window).count(menu.SUBMIT) == 1


def test_a_window_at_the_address_of_a_closed_one_is_served(window):
    """Its identity was seen before, its menu was not."""
    menu.place_entries()
    bar = window.menuBar()
    action = bar.actions()[0]
    render = action.menu()
    entry = render.actions()[1]
    render.removeAction(entry)
    render.addAction(entry)
    menu.place_entries()
    assert titles(window)[1] == menu.SUBMIT


def test_a_menu_that_is_different_is_left_alone(application):
    other = QtWidgets.QMainWindow()
    other.menuBar().addMenu("Render").addAction("Something")
    assert menu._place(other) is False


def test_it_registers_once(monkeypatch, application):
    added = []
    monkeypatch.setattr(api, "add_menu_entry", lambda path, command: added.append((path, command)))
    monkeypatch.setattr(menu, "_installed", False)
    menu.install()
    menu.install()
    menu._timer.stop()
    assert added == [("Render/" + title, command) for title, command in menu.COMMANDS.items()]


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
