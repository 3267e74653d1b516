"""What the submit dialog shows of a project, and that it can be read."""

from dataclasses import replace

import pytest
from shapes import scan_sheet, writer_row

from NatronIExec.gui import widgets
from NatronIExec.gui.qt import Qt, QtCore, QtWidgets
from NatronIExec.gui.widgets import choose


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


def test_a_problem_names_its_node(open_dialog, engine, until):
    check = {"level": "error", "code": "no-file-name", "node": "Write2", "title": "It has no file name.", "remedy": ""}
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    dialog = open_dialog(ready=False)
    until(lambda: dialog.checks.banners, "for the checks")
    assert dialog.submit.toolTip() == "Write2: It has no file name."


def test_checks_do_not_flash_as_windows(open_dialog, engine, monkeypatch):
    check = {"level": "warning", "code": "script", "node": "Read1", "title": "A script runs.", "remedy": ""}
    shown = []
    monkeypatch.setattr(widgets.Banner, "show", lambda self: shown.append(self.isWindow()))
    engine.answers["scan"] = lambda args: scan_sheet(checks=[check])
    open_dialog()
    assert shown == [False]


def test_nothing_read_is_not_nothing_wrong(open_dialog, snapshot):
    dialog = open_dialog(replace(snapshot, original=None), ready=False)
    labels = [label.text() for label in dialog.checks.findChildren(QtWidgets.QLabel)]
    assert labels == ["Nothing was read yet."]


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


def total_width(listed):
    return sum(listed.columnWidth(at) for at in range(listed.columnCount()))


@pytest.mark.parametrize("writers", [1, 40])
def test_columns_fit_their_list(open_dialog, engine, until, writers):
    """Also beside a scroll bar; the size of what is sent is not pushed out of sight."""
    rows = [writer_row(f"Write{number}", file="/very/long" * 9 + "/beauty.####.exr") for number in range(writers)]
    engine.answers["scan"] = lambda args: scan_sheet(writers=rows)
    dialog = open_dialog()
    dialog.tabs.setCurrentWidget(dialog.files)
    for listed in (dialog.writers.list, dialog.files.list):
        until(lambda listed=listed: total_width(listed) == listed.viewport().width() > 100, "for the layout")
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
