"""Qt through one door, in the words that Qt4, Qt5 and Qt6 share; the source of gui and host runs on Python 3.8."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "NatronIExec"
FILES = sorted([*(PACKAGE / "gui").glob("*.py"), *(PACKAGE / "host").glob("*.py"), PACKAGE / "engine" / "client.py",
                PACKAGE / "engine" / "launch.py", PACKAGE / "engine" / "protocol.py"])  # fmt: skip
#: Absent from one of Qt4, Qt5 and Qt6, or spelt differently there.
ABSENT = {
    "setSectionResizeMode", "setResizeMode", "currentData", "QStandardPaths", "QJsonDocument", "QRegExp",
    "QRegularExpression", "QDesktopWidget", "setMargin", "exec_", "exec", "horizontalAdvance", "QSignalSpy",
    "AA_EnableHighDpiScaling", "devicePixelRatioF", "globalPosition", "position", "sendMouseEvent",
}  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_what_all_have(file):
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ABSENT, f"{file.name}:{node.lineno} uses {node.attr}"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            assert not names & {"Qt", "QtCore", "QtGui", "QtWidgets"}, f"{file.name}:{node.lineno} joins flags"
        if isinstance(node, ast.Name):
            assert node.id != "match" or not isinstance(node.ctx, ast.Store)
