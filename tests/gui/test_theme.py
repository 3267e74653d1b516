"""Words that can be read, whatever style sheet is around them."""

import pytest

from NatronIExec.gui import theme
from NatronIExec.gui.qt import QtGui, QtWidgets
from NatronIExec.gui.widgets import Banner


@pytest.mark.parametrize("around", ["", "QWidget { background: #101010; color: #000000; }"])
def test_a_banner_is_one_box_with_light_text(application, around):
    window = QtWidgets.QWidget()
    window.setStyleSheet(around)
    column = QtWidgets.QVBoxLayout(window)
    banner = Banner()
    column.addWidget(banner)
    banner.say("warning", "It is so.", "Do that.")
    window.show()
    picture = window.grab().toImage()
    words = banner._words
    assert words.palette().color(QtGui.QPalette.WindowText) == theme.color(theme.TEXT)
    corner = words.mapTo(window, words.rect().topRight())
    assert QtGui.QColor(picture.pixel(corner.x(), corner.y())).name() == "#3a3a3a"
    window.close()
