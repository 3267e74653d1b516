"""Colours by state, taken from Natron's dark look, and small drawn marks (so that no image files are shipped).

Natron styles widgets with its own style sheet; we use palette roles and set only what says something.
"""

from __future__ import annotations

import math

from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets

#: Natron's defaults (Engine/Settings.cpp, appearance page).
SUNKEN, BASE, RAISED = "#1f1f1f", "#303030", "#474747"
TEXT, QUIET, SELECTION = "#c7c7c7", "#999999", "#f28a00"
GOOD, BAD, WARN, BUSY = "#6aa84f", "#e0604e", "#f3b300", "#5a9bd4"

#: Natron colours tables by its own style sheet, but leaves alternate rows and item text to the system's palette.
ITEMS = (
    f"QAbstractItemView {{ background: {SUNKEN}; alternate-background-color: #262626; color: {TEXT};"
    f" selection-background-color: {SELECTION}; selection-color: #101010; }}"
)

FRAME_COLORS = {
    "waiting": "#565656",
    "rendering": BUSY,
    "imported": GOOD,
    "failed": BAD,
    "refunded": "#9a7fb8",
}
#: The same in words on a dark ground: what waits is too dark there.
FRAME_INKS = {**FRAME_COLORS, "waiting": "#a0a0a0"}
#: The same under white words.
BAR_COLORS = {"waiting": "#565656", "rendering": "#35688f", "imported": "#477a30", "failed": "#b23c2b"}

JOB_COLORS = {
    "done": GOOD,
    "failed": BAD,
    "partly": WARN,
    "held": WARN,
    "paused": WARN,
    "cancelled": QUIET,
    "rendering": BUSY,
    "importing": BUSY,
}

#: Of a state that a newer engine has and we do not know.
UNKNOWN = QUIET

LEVEL_COLORS = {"error": BAD, "warning": WARN, "info": BUSY, "good": GOOD}

_LEVEL_SIGNS = {"error": "!", "warning": "!", "info": "i", "good": "✓"}


def banner(level: str) -> str:
    """Natron paints a box behind each label, and a light desktop's text would be black on our grey."""
    return (
        f"#banner {{ background: #3a3a3a; border-left: 3px solid {LEVEL_COLORS[level]}; }}"
        f" #banner QLabel {{ background: transparent; color: {TEXT}; }}"
    )


def color(name: str) -> QtGui.QColor:
    return QtGui.QColor(name)


def mark(level: str, side: int = 16) -> QtGui.QPixmap:
    """A coloured disc with a sign, for check lists and banners. The sign tells the level apart without the colour."""
    dots = _dots_a_pixel()
    picture = QtGui.QPixmap(side * dots, side * dots)
    if dots > 1:
        picture.setDevicePixelRatio(dots)
    picture.fill(QtGui.QColor(0, 0, 0, 0))
    painter = QtGui.QPainter(picture)
    painter.setRenderHint(QtGui.QPainter.Antialiasing)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QtGui.QBrush(color(LEVEL_COLORS[level])))
    if level == "warning":
        half = side / 2.0
        painter.drawPolygon(
            QtGui.QPolygonF(
                [QtCore.QPointF(half, 0.5), QtCore.QPointF(side - 0.5, side - 1.5), QtCore.QPointF(0.5, side - 1.5)]
            )
        )
    else:
        painter.drawEllipse(QtCore.QRectF(0.5, 0.5, side - 1.0, side - 1.0))
    font = painter.font()
    font.setPixelSize(max(6, int(side * 0.7)))
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QtGui.QPen(color("#101010")))
    painter.drawText(QtCore.QRectF(0, 1 if level == "warning" else 0, side, side), 0x0084, _LEVEL_SIGNS[level])
    painter.end()
    return picture


def _dots_a_pixel() -> int:
    """More than 1 on dense screens, which Qt4 does not know."""
    application = QtWidgets.QApplication.instance()
    return math.ceil(application.devicePixelRatio()) if hasattr(application, "devicePixelRatio") else 1


def natron_palette() -> QtGui.QPalette:
    """Natron's palette on the Fusion style, for windows that are shown outside Natron (screenshots, tests)."""
    palette = QtGui.QPalette()
    for role, name in (
        (QtGui.QPalette.Window, BASE),
        (QtGui.QPalette.WindowText, TEXT),
        (QtGui.QPalette.Base, SUNKEN),
        (QtGui.QPalette.AlternateBase, "#262626"),
        (QtGui.QPalette.Text, TEXT),
        (QtGui.QPalette.Button, RAISED),
        (QtGui.QPalette.ButtonText, TEXT),
        (QtGui.QPalette.ToolTipBase, RAISED),
        (QtGui.QPalette.ToolTipText, TEXT),
        (QtGui.QPalette.Highlight, SELECTION),
        (QtGui.QPalette.HighlightedText, "#101010"),
        (QtGui.QPalette.BrightText, TEXT),
        (QtGui.QPalette.Link, BUSY),
        (getattr(QtGui.QPalette, "PlaceholderText", QtGui.QPalette.Link), "#808080"),
    ):
        palette.setColor(role, color(name))
    for role in (QtGui.QPalette.WindowText, QtGui.QPalette.Text, QtGui.QPalette.ButtonText):
        palette.setColor(QtGui.QPalette.Disabled, role, color("#6f6f6f"))
    return palette
