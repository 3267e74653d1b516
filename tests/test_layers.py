"""The import directions of the design, by reading the source, and by asking a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "NatronIExec"
LEAVES = {
    *("amounts", "disk_errors", "errors", "frames", "images", "log", "manifest", "paths", "seal", "settings", "wire"),
}
#: What each part of the package may import of the others, beside the leaves.
ALLOWED = {
    "ntp": set(),
    "iexec": set(),
    "storage": {"iexec.transport"},
    "wallet": {"iexec.signer"},
    "scan": {"ntp"},
    "farm": {"ntp", "scan", "iexec", "storage", "wallet"},
    "engine": {"farm", "scan", "iexec", "storage", "wallet"},
    "host": set(),
    "gui": {"host", "engine.client"},
    "cli": {"engine.client", "devnet"},
    "container": set(),
    "devnet": {"iexec", "container", "wallet.signer", "storage"},
}
#: A foreign library has one door.
DOORS = {
    "web3": set(),
    "requests": {"iexec/transport.py"},
    "urllib3": {"iexec/transport.py"},
    "keyring": {"wallet/vault.py"},
    "OpenImageIO": {"images.py"},
    "cryptography": {"seal.py"},
    "boto3": {"storage/s3.py"},
    "fileseq": set(),
    "qtpy": {"gui/qt.py"},
    "NatronEngine": {"host/api.py"},
    "NatronGui": {"host/api.py"},
    "click": {"cli"},
    "rich": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports_of(file: Path) -> set[str]:
    """Full names of all that a file imports, also inside functions; `if TYPE_CHECKING` counts too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: Natron needs absolute imports"
            found.update([node.module or ""] + [f"{node.module}.{alias.name}" for alias in node.names])
    return found


def part_of(file: Path) -> str:
    inside = file.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_one_way(file: Path) -> None:
    own = part_of(file)
    allowed = ALLOWED.get(own, LEAVES) | LEAVES | {own, "__version__"}
    for name in imports_of(file):
        if not name.startswith("NatronIExec."):
            continue
        inside = name[len("NatronIExec.") :]
        assert any(
            inside == part or inside.startswith(part + ".") or part.startswith(inside + ".") for part in allowed
        ), f"{own} must not import {name}"


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_foreign_libraries_have_one_door(file: Path) -> None:
    inside = str(file.relative_to(PACKAGE))
    for name in imports_of(file):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or any(inside == door or inside.startswith(door + "/") for door in doors), (
            f"{inside} must not import {name}"
        )


LIGHT = ["gui.bridge", "gui.menu", "host.project", "host.reader", "engine.client", "container.entrypoint"]


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_stay_light(module: str) -> None:
    """What runs inside Natron, and in the container for an open job, loads none of the heavy libraries."""
    heavy = ["web3", "eth_account", "keyring", "requests", "boto3", "numpy", "OpenImageIO", "cryptography"]
    code = f"import sys, NatronIExec.{module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    if "QtBindingsNotFoundError" in done.stderr:
        pytest.skip("no Qt for this Python")
    assert done.stdout.strip() == "[]", done.stderr


def test_the_engine_listens_before_it_has_all() -> None:
    """Whoever starts it can unlock a wallet while the farm's libraries are loaded."""
    later = ["requests", "NatronIExec.iexec.hub", "NatronIExec.farm.jobs"]
    code = f"import sys, NatronIExec.engine.engine; print([name for name in {later} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_files_stay_short_enough_to_read() -> None:
    long = {str(f.relative_to(PACKAGE)): n for f in modules() if (n := len(f.read_text().splitlines())) > 520}
    assert not long
