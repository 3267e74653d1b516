"""The only door to Qt.

Natron brings Qt4/PySide (2.5.0), Qt5/PySide2 (2.6, Windows) or later Qt6/PySide6, always with qtpy. Only classes and
calls that the three have in common are used; `tests/gui/test_qt_subset.py` reads the source and refuses the others.
Flags are never joined with `|`, which PySide on Python 3.10 refuses: see `RIGHT` and friends below.
"""

from __future__ import annotations

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt, Signal

__all__ = ["CENTER", "LEFT", "RIGHT", "Qt", "QtCore", "QtGui", "QtWidgets", "Signal", "alive", "elide"]

#: Qt.AlignLeft, AlignRight, AlignHCenter, each with AlignVCenter, as the plain numbers that models and painters take.
LEFT, RIGHT, CENTER = 0x0081, 0x0082, 0x0084


def alive(thing: QtCore.QObject) -> bool:
    """False when Qt has destroyed the C++ side of a Python wrapper, which any call would report as RuntimeError."""
    try:
        thing.objectName()
    except RuntimeError:
        return False
    return True


def elide(metrics: QtGui.QFontMetrics, text: str, width: int, middle: bool = False) -> str:
    """`text` cut to `width` pixels; paths are cut in the middle, where they say least."""
    return str(metrics.elidedText(text, Qt.ElideMiddle if middle else Qt.ElideRight, width))
