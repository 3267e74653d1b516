"""Small pieces that the windows share: a banner that says what is wrong, fields for secrets, a label that shortens its
text."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import Qt, QtCore, QtGui, QtWidgets, elide

#: The column that fits is never narrower.
LEAST_WIDTH = 80
#: Pixels that a desktop puts around a window, above and below.
FRAME = 40
#: A frame in a table.
PICTURE = QtCore.QSize(54, 30)


class ElidedLabel(QtWidgets.QWidget):
    """One line of text that is cut, never pushing its window wider; the whole text is the tooltip."""

    def __init__(self, text: str = "", middle: bool = False, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._text, self._middle = text, middle
        self.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self.setToolTip(text)

    def setText(self, text: str) -> None:
        self._text = text
        self.setToolTip(text)
        self.update()

    def text(self) -> str:
        return self._text

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(80, self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(20, self.fontMetrics().height() + 2)

    @faults.guarded
    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setPen(QtGui.QPen(self.palette().color(QtGui.QPalette.WindowText)))
        flags = 0x0082 if self.layoutDirection() == Qt.RightToLeft else 0x0081
        painter.drawText(
            QtCore.QRectF(self.rect()), flags, elide(self.fontMetrics(), self._text, self.width(), self._middle)
        )
        painter.end()


class Banner(QtWidgets.QFrame):
    """What happened and what to do next, inside the window: never a modal box. Hidden while all is well."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setFrameShape(QtWidgets.QFrame.NoFrame)
        self.level = ""
        self.secret: Optional[QtWidgets.QLineEdit] = None
        self._picture = QtWidgets.QLabel()
        self._words = QtWidgets.QLabel()
        self._words.setWordWrap(True)
        self._words.setMinimumWidth(40)  # a name that is one long word must not widen the window
        self._words.setTextFormat(Qt.PlainText)
        self._words.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self._buttons = QtWidgets.QHBoxLayout()
        line = QtWidgets.QHBoxLayout(self)
        line.setContentsMargins(8, 6, 8, 6)
        line.addWidget(self._picture, 0, Qt.AlignTop)
        line.addWidget(self._words, 1)
        line.addLayout(self._buttons)
        self.hide()

    def say(self, level: str, title: str, remedy: str = "", *actions: Tuple[str, Callable[[], Any]]) -> None:
        """`level`: error, warning, info or good; `actions`: (label, what it does)."""
        self.level = level
        self._picture.setPixmap(theme.mark(level))
        self.reword(title, remedy)
        self._clear_buttons()
        for label, action in actions:
            self._buttons.addWidget(button(label, action))
        self.setStyleSheet(theme.banner(level))
        self.show()

    def reword(self, title: str, remedy: str = "") -> None:
        """Other words for what was said: whoever is about to press a button still can."""
        self._words.setText("\n".join(part for part in (title, remedy) if part))

    def ask_secret(self, hint: str) -> None:
        """A masked field beside the buttons; Enter in it presses the first of them."""
        field = self.secret = secret_field(hint)
        field.setMinimumWidth(160)
        field.setAccessibleName(hint)
        faults.connect(field.returnPressed, self.buttons()[0].click)
        self._buttons.insertWidget(0, field)
        field.setFocus()

    def take_secret(self) -> str:
        """What was typed into that field, which is emptied; nothing when there is none."""
        return take_secret(self.secret) if self.secret is not None else ""

    def say_error(self, problem: NatronIExecError, *actions: Tuple[str, Callable[[], Any]]) -> None:
        self.say("error", problem.title, problem.remedy, *actions)

    def clear(self) -> None:
        self.level = ""
        self._words.setText("")
        self._clear_buttons()
        self.hide()

    def text(self) -> str:
        return str(self._words.text())

    def buttons(self) -> List[QtWidgets.QPushButton]:
        found = [self._buttons.itemAt(at).widget() for at in range(self._buttons.count())]
        return [widget for widget in found if isinstance(widget, QtWidgets.QPushButton)]

    def _clear_buttons(self) -> None:
        self.take_secret()
        self.secret = None
        while self._buttons.count():
            widget = self._buttons.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()


def quiet(text: str = "") -> QtWidgets.QLabel:
    """A label in the dimmer of the two text colours, for explanations."""
    label = QtWidgets.QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.PlainText)
    label.setStyleSheet("color: " + theme.QUIET + ";")
    return label


def heading(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setStyleSheet("font-weight: bold;")
    return label


def label_for(text: str, field: QtWidgets.QWidget) -> QtWidgets.QLabel:
    """A label whose letter after & gives `field` the keyboard, for fields that share their row."""
    label = QtWidgets.QLabel(text)
    label.setBuddy(field)
    return label


def button(text: str, action: Optional[Callable[..., Any]] = None, tip: str = "") -> QtWidgets.QPushButton:
    made = QtWidgets.QPushButton(text)
    made.setAutoDefault(False)
    made.setToolTip(tip)
    if action is not None:
        faults.connect(made.clicked, action)
    return made


def labelled(form: QtWidgets.QFormLayout, title: str, field: QtWidgets.QWidget, *beside: QtWidgets.QWidget) -> None:
    """A row whose label belongs to its field: Alt with the letter after & goes there, and screen readers say it."""
    label = QtWidgets.QLabel(title)
    label.setBuddy(field)
    field.setAccessibleName(title.replace("&", "").rstrip(":"))
    line = QtWidgets.QHBoxLayout()
    line.addWidget(field, 1)
    for widget in beside:
        line.addWidget(widget)
    form.addRow(label, line)


def secret_field(hint: str = "") -> QtWidgets.QLineEdit:
    """A masked field. Whoever reads it clears it at once."""
    field = QtWidgets.QLineEdit()
    field.setEchoMode(QtWidgets.QLineEdit.Password)
    field.setPlaceholderText(hint)
    return field


def take_secret(field: QtWidgets.QLineEdit) -> str:
    """The text of a masked field, which is emptied."""
    text = str(field.text())
    field.clear()
    return text


def open_at(window: QtWidgets.QWidget, width: int, height: int) -> None:
    """The size of a window that has not been shown yet: this, or what the screen has room for."""
    application = QtWidgets.QApplication.instance()
    if hasattr(application, "primaryScreen") and application.primaryScreen() is not None:  # Qt4 has none
        room = application.primaryScreen().availableGeometry()
        width, height = min(width, room.width()), min(height, room.height() - FRAME)
    window.resize(width, height)


def item_of(box: QtWidgets.QComboBox) -> Any:
    """The value behind the chosen entry (Qt4 has no currentData)."""
    return box.itemData(box.currentIndex()) if box.currentIndex() >= 0 else None


def choose(box: QtWidgets.QComboBox, value: Any) -> None:
    for at in range(box.count()):
        if box.itemData(at) == value:
            box.setCurrentIndex(at)
            return


class Columns(QtWidgets.QTreeWidget):
    """A list of which one column takes what the others leave, also beside a scroll bar."""

    def __init__(self, wide: Optional[int], parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._wide = wide

    @faults.guarded
    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._wide is not None:
            others = sum(self.columnWidth(at) for at in range(self.columnCount()) if at != self._wide)
            self.setColumnWidth(self._wide, max(LEAST_WIDTH, self.viewport().width() - others))


def tree(
    columns: List[str], parent: Optional[QtWidgets.QWidget] = None, wide: Optional[int] = None
) -> QtWidgets.QTreeWidget:
    """A flat list with columns, in which the keyboard moves by row and Tab leaves. `wide` is the column that fits."""
    made = Columns(wide, parent)
    made.header().setStretchLastSection(wide is None)
    made.setColumnCount(len(columns))
    made.setHeaderLabels(columns)
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setAlternatingRowColors(True)
    made.setStyleSheet(theme.ITEMS)
    made.setTabKeyNavigation(False)
    made.setTextElideMode(Qt.ElideMiddle)
    return made


def table(model: Any, widths: Sequence[int]) -> QtWidgets.QTableView:
    """A model's rows, of which several can be chosen; Tab leaves."""
    made = QtWidgets.QTableView()
    made.setModel(model)
    made.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
    made.setSelectionMode(QtWidgets.QAbstractItemView.ExtendedSelection)
    made.setAlternatingRowColors(True)
    made.setStyleSheet(theme.ITEMS)
    made.setShowGrid(False)
    made.setWordWrap(False)
    made.setTabKeyNavigation(False)
    made.setIconSize(PICTURE)
    made.verticalHeader().hide()
    made.verticalHeader().setDefaultSectionSize(PICTURE.height() + 4)
    made.horizontalHeader().setStretchLastSection(True)
    made.horizontalHeader().setHighlightSections(False)
    for at, width in enumerate(widths):
        made.setColumnWidth(at, width)
    return made
