"""Slots that cannot raise into Qt, and that end with their dialog."""

import pytest

from NatronIExec.errors import BadInput, Cancelled
from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtCore, QtWidgets, Signal


class Source(QtCore.QObject):
    said = Signal(object)


@pytest.fixture
def shown():
    found = []
    faults.show_with(lambda title, remedy, details: found.append(title))
    yield found
    faults.show_with(None)


def test_a_closed_dialog_hears_nothing_more(application, shown):
    source, dialog, heard = Source(), QtWidgets.QDialog(), []
    faults.connect_while_open(dialog, source.said, heard.append)
    source.said.emit(1)
    dialog.reject()
    dialog.show()
    dialog.reject()
    source.said.emit(2)
    assert (heard, shown) == ([1], [])


def test_a_wish_that_was_cancelled_is_silent_and_our_errors_are_shown(application, shown):
    def fail(problem):
        raise problem

    source = Source()
    faults.connect(source.said, fail)
    source.said.emit(Cancelled("Cancelled."))
    assert shown == []
    source.said.emit(BadInput("That is no number.", "Type one."))
    assert shown == ["That is no number."]
