"""What an artist installs: a wheel, and the folder that `natron-iexec install` makes for Natron."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.cli import plugin_folder

ROOT = Path(__file__).parents[2]
#: What Natron is, for a start-up file: text run in __main__, and NatronGui.
NATRON = """
import json, sys, types
from qtpy import QtWidgets
application = QtWidgets.QApplication([])
class Natron:
    menu = {}
    def addMenuCommand(self, path, command):
        self.menu[path] = command
gui = types.ModuleType("NatronGui")
gui.natron = Natron()
sys.modules["NatronGui"] = gui
sys.path[:] = [entry for entry in sys.path if "editable" not in entry]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in str(finder)]
before = list(sys.path)
exec(open(sys.argv[1], encoding="ascii").read())
known = sys.modules.get("NatronIExec")
print(json.dumps([Natron.menu, getattr(known, "__file__", None), sys.path == before]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip puts the wheel of this tree. It is built in a copy: pip leaves a folder where it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    shutil.copytree(ROOT / "NatronIExec", tree / "NatronIExec", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(tree)]
    subprocess.run(command, check=True, cwd=folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def natron_starts(file: Path) -> Any:
    command = [sys.executable, "-c", NATRON, str(file)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, env=environment, cwd=file.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_documented_way_gives_the_menu_entries(site: Path, home: Path) -> None:
    """From the wheel alone, and without a folder of another Python on Natron's path."""
    command = [sys.executable, "-m", "NatronIExec.cli", "--json", "install"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True, check=True)
    record = json.loads(done.stdout)
    plugin = Path(record["plugin"])
    assert record["package"] == str(site)
    assert sorted(path.name for path in plugin.iterdir()) == ["init.py", "initGui.py"]
    menu, file, same_path = natron_starts(plugin / "initGui.py")
    assert sorted(menu) == ["Render/Render on iExec…", "Render/iExec Render Queue"]
    assert (file, same_path) == (str(site / "NatronIExec" / "__init__.py"), True)


def test_a_package_that_is_gone_is_no_trouble_for_natron(tmp_path: Path, home: Path) -> None:
    plugin = plugin_folder.write(tmp_path / "gön'e" / "NatronIExec")
    assert natron_starts(plugin / "initGui.py")[0] == {}


def test_the_checkout_starts_the_same_way() -> None:
    assert (ROOT / "init.py").read_text() == plugin_folder.INIT
    assert (ROOT / "initGui.py").read_text() == plugin_folder.INIT_GUI


def test_natron_finds_no_other_start_up_file_in_the_checkout() -> None:
    """It runs all of them, however deep, in every artist's Natron that has the checkout on its plug-in path."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    nested = [line for line in done.stdout.splitlines() if line.endswith(("/init.py", "/initGui.py"))]
    assert nested == []
