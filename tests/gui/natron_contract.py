"""What our code takes for granted of Natron: checked with the fake always, inside the real one when NATRON is set.

Each promise gets a window of Natron and an empty folder. Nothing here knows which of the two it talks to.
"""

import struct
import time
import zlib

from NatronIExec.errors import ProjectError
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.host import api, reader
from NatronIExec.host.api import NatronWindow

PATIENCE_S = 20
NAME = "iExec Render Queue"
#: Natron wants each panel to be referenced for as long as it runs.
KEPT = []


def image(path):
    """The smallest PNG."""

    def part(kind, content):
        check = zlib.crc32(kind + content) & 0xFFFFFFFF
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = part(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    pixels = part(b"IDAT", zlib.compress((b"\0" + b"\x40\x80\xc0" * 4) * 4))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + part(b"IEND", b""))
    return str(path)


def frames(folder, *numbers):
    return [image(folder / f"a.{number:04d}.png") for number in numbers]


def a_copy_leaves_the_project_as_it_is(app, folder):
    window = NatronWindow(app)
    assert app.saveProjectAs(str(folder / "shot.ntp"))
    app.createWriter(str(folder / "x.####.png"))  # so there is a change that is not saved
    before, title = (folder / "shot.ntp").read_bytes(), main_window(app).windowTitle()
    window.save_copy(folder / "copy.ntp")
    assert window.project_file() == folder / "shot.ntp"
    assert window.project_name() == "shot.ntp"
    assert (folder / "copy.ntp").read_bytes()
    assert (folder / "shot.ntp").read_bytes() == before
    assert main_window(app).windowTitle() == title  # with the mark of a change


def a_reload_finds_new_frames(app, folder):
    window = NatronWindow(app)
    files = frames(folder, 3, 4, 5)
    name, created = reader.show_frames(window, files, None)
    assert created
    assert shown(app, name) == [3, 5, 3]
    files += frames(folder, 1, 9)
    assert reader.show_frames(window, files, None) == (name, False)
    assert shown(app, name) == [1, 9, 1]


def shown(app, name):
    return [int(app.getNode(name).getParam(param).getValue()) for param in ("firstFrame", "lastFrame", "startingTime")]


def one_frame_stands_where_it_belongs(app, folder):
    """Natron says 1-1 of a sequence of which it finds one file."""
    window = NatronWindow(app)
    raw = str(folder / "a.####.png")
    writer = str(app.createWriter(raw).getScriptName())
    files = frames(folder, 7)
    assert shown(app, str(app.createReader(raw).getScriptName())) == [1, 1, 1]
    (name,) = reader.reload_frames(window, files)
    assert shown(app, name) == [7, 7, 7]
    (folder / "a.0007.png").rename(folder / "b.0007.png")
    app.getNode(writer).getParam("filename").set(str(folder / "b.####.png"))
    name, _ = reader.show_frames(window, [str(folder / "b.0007.png")], writer)
    assert (window.file_of(name), shown(app, name)) == (str(folder / "b.####.png"), [7, 7, 7])


def writers_are_known_by_name_file_and_selection(app, folder):
    window = NatronWindow(app)
    raw = str(folder / "b.####.png")
    name = str(app.createWriter(raw).getScriptName())
    assert name in window.writers()
    assert window.file_of(name) == raw
    window.select_node(name)
    assert window.selected_writers() == [name]


def a_panel_is_docked_once(app, folder):
    window = NatronWindow(app)
    panel = window.new_panel(NAME)
    script_name = str(panel.getPanelScriptName())
    assert script_name.startswith("iExec_Render_Queue")
    assert app.getUserPanel(NAME) is None
    window.show_panel(panel, "no.such_command")
    pane = window._pane_of(panel)
    assert pane is not None
    assert tabs_named(app, NAME) == 1
    pane.setCurrentIndex(0)
    window.show_panel(panel, "no.such_command")
    assert tabs_named(app, NAME) == 1
    assert pane.getTabLabel(pane.getCurrentIndex()) == NAME
    pane.closeTab(pane.getCurrentIndex())
    assert window._pane_of(panel) is None
    assert tabs_named(app, NAME) == 0
    window.show_panel(panel, "no.such_command")
    assert tabs_named(app, NAME) == 1


def tabs_named(app, name):
    panes = [app.getTabWidget(f"pane{number}") for number in range(1, 20)]
    return sum(pane.getTabLabel(at) == name for pane in panes if pane is not None for at in range(pane.count()))


def a_closed_window_is_not_found_again(app, folder):
    """Its own object must not be asked anything: Natron ends."""
    number = app.newProject().getAppID()
    window = NatronWindow(api.natron().getGuiInstance(number))
    assert window.is_open()
    assert number != app.getAppID()
    main_window(window.app).close()
    give_up = time.monotonic() + PATIENCE_S
    while window.is_open():
        QtWidgets.QApplication.processEvents()
        assert time.monotonic() < give_up, "its number stays taken"
    try:
        window.project_file()
    except ProjectError:
        return
    raise AssertionError("a closed window was asked")


def main_window(app):
    """The window that a panel docked in it is in. No walk over all windows: one that is being destroyed meanwhile would
    end the process. Not to be kept: Qt gives the address of a closed window to a new one."""
    panel = app.getUserPanel("Contract")
    if panel is None:
        panel = NatronWindow(app).new_panel("Contract")
        KEPT.append(panel)
        assert app.getTabWidget("pane1").appendTab(panel)
    found = panel.window()
    assert isinstance(found, QtWidgets.QMainWindow)
    return found


PROMISES = [
    a_copy_leaves_the_project_as_it_is,
    a_reload_finds_new_frames,
    one_frame_stands_where_it_belongs,
    writers_are_known_by_name_file_and_selection,
    a_panel_is_docked_once,
    a_closed_window_is_not_found_again,
]
