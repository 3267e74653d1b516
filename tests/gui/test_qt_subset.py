"""Qt through one door, in the words that Qt4, Qt5 and Qt6 share; the source of gui and host runs on Python 3.8."""

import ast
from pathlib import Path

import pytest

from NatronIExec.gui import qt

PACKAGE = Path(__file__).parents[2] / "NatronIExec"
FILES = sorted([*(PACKAGE / "gui").rglob("*.py"), *(PACKAGE / "host").glob("*.py"), PACKAGE / "engine" / "client.py",
                PACKAGE / "engine" / "launch.py", PACKAGE / "engine" / "protocol.py"])  # fmt: skip
#: Absent from one of Qt4, Qt5 and Qt6, or spelt differently there.
ABSENT = {
    "setSectionResizeMode", "setResizeMode", "currentData", "QStandardPaths", "QJsonDocument", "QRegExp",
    "QRegularExpression", "QDesktopWidget", "setMargin", "exec_", "exec", "horizontalAdvance", "QSignalSpy",
    "AA_EnableHighDpiScaling", "devicePixelRatioF", "globalPosition", "position", "sendMouseEvent",
}  # fmt: skip
#: Python's collector may destroy a plug-in's window while Qt's list of all windows becomes Python objects, and what is
#: left of it in the list ends Natron. A filter of the application sees every event.
DANGEROUS = {"topLevelWidgets", "allWidgets", "topLevelAt", "installEventFilter"}
#: Without a parent in Qt they would be Python's, and its collector may end them on any thread.
OWNED = {"QObject", "QTimer", "QMenu", "QAction", "QSystemTrayIcon"}
#: Classes that Qt 4.8 has too. A new one is added here after a look at its documentation.
IN_QT4 = {
    "QtCore": {"QAbstractTableModel", "QByteArray", "QEvent", "QEventLoop", "QModelIndex", "QObject", "QPoint",
               "QPointF", "QRect", "QRectF", "QSettings", "QSize", "QTimer", "QUrl"},
    "QtGui": {"QBrush", "QColor", "QDesktopServices", "QFocusEvent", "QFont", "QFontMetrics", "QIcon", "QKeyEvent",
              "QMouseEvent", "QPaintEvent", "QPainter", "QPalette", "QPen", "QPixmap", "QPolygonF",
              "QResizeEvent"},
    "QtWidgets": {"QAbstractItemView", "QAction", "QApplication", "QCheckBox", "QComboBox", "QDialog", "QFileDialog",
                  "QFormLayout", "QFrame", "QGridLayout", "QGroupBox", "QHBoxLayout", "QHeaderView", "QInputDialog",
                  "QLabel", "QLineEdit", "QMainWindow", "QMenu", "QMessageBox", "QPlainTextEdit", "QProgressBar",
                  "QPushButton", "QRadioButton", "QScrollArea", "QSizePolicy", "QSpinBox", "QSplitter",
                  "QStackedWidget", "QStyle", "QStyledItemDelegate", "QSystemTrayIcon", "QTabWidget", "QTableView",
                  "QTextBrowser", "QToolButton", "QToolTip", "QTreeWidget", "QTreeWidgetItem", "QVBoxLayout",
                  "QWidget"},
}  # fmt: skip


def _chain(node):
    """`QtWidgets.QFrame.StyledPanel` as its names, empty for what does not begin at a Qt module."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    is_qt = isinstance(node, ast.Name) and node.id in ("Qt", "QtCore", "QtGui", "QtWidgets")
    return [node.id, *names] if is_qt else []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_named_is_there(file):
    """In Qt4 by the list above; in Qt5 and Qt6 by asking the one that runs, as this runs on both."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = _chain(node) if isinstance(node, ast.Attribute) else []
        if not names:
            continue
        assert names[0] == "Qt" or names[1] in IN_QT4[names[0]], f"{file.name}:{node.lineno} uses {names[1]}"
        found = getattr(qt, names[0])
        for name in names[1:]:
            assert hasattr(found, name), f"{file.name}:{node.lineno}: {'.'.join(names)}"
            found = getattr(found, name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_what_all_have(file):
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ABSENT | DANGEROUS, f"{file.name}:{node.lineno} uses {node.attr}"
        if isinstance(node, ast.Call) and _chain(node.func)[1:2] and _chain(node.func)[-1] in OWNED:
            assert node.args, f"{file.name}:{node.lineno}: a {_chain(node.func)[-1]} without a parent"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            assert not names & {"Qt", "QtCore", "QtGui", "QtWidgets"}, f"{file.name}:{node.lineno} joins flags"
        if isinstance(node, ast.Name):
            assert node.id != "match" or not isinstance(node.ctx, ast.Store)
