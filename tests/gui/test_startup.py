"""What Natron's start costs because of us, measured as it happens: in a fresh interpreter, with qtpy there already."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOAL_MS = 50
ROUNDS = 5

START = """
import json, sys, time, types
from qtpy import QtCore, QtGui, QtWidgets
application = QtWidgets.QApplication([])
entries = {}
gui = types.ModuleType("NatronGui")
gui.natron = types.SimpleNamespace(addMenuCommand=entries.__setitem__)
sys.modules["NatronGui"] = gui
sys.path.insert(0, %r)
before = set(sys.modules)
began = time.process_time()
exec(open(%r).read())
took_ms = (time.process_time() - began) * 1000
print(json.dumps([took_ms, sorted(set(sys.modules) - before), sorted(entries)]))
"""


@pytest.fixture(scope="module")
def starts():
    code = START % (str(ROOT), str(ROOT / "initGui.py"))
    done = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(ROUNDS)
    ]
    return [json.loads(each.stdout.splitlines()[-1]) for each in done]


def test_it_costs_less_than_can_be_noticed(starts):
    assert min(took_ms for took_ms, _, _ in starts) < GOAL_MS


def test_nothing_is_imported_before_the_first_click(starts):
    _, imported, entries = starts[0]
    ours = {name for name in imported if name.startswith("NatronIExec")}
    assert len(entries) == 2
    assert ours <= {
        "NatronIExec",
        "NatronIExec.errors",
        "NatronIExec.gui",
        "NatronIExec.gui.faults",
        "NatronIExec.gui.guard",
        "NatronIExec.gui.menu",
        "NatronIExec.gui.qt",
        "NatronIExec.host",
        "NatronIExec.host.api",
        "NatronIExec.log_file",
        "NatronIExec.paths",
        "NatronIExec.redaction",
    }
    slow = {"multiprocessing", "asyncio", "ssl", "http", "urllib.request", "sqlite3", "ctypes", "cryptography"}
    assert slow & set(imported) == set()
