"""The rooms of the package and the doors between them, read from the source and asked of a fresh interpreter.

The rules stand in CONTRIBUTING.md ("How it is cut"), the picture in docs/architecture.md. A failure says which import
or file breaks which rule, and what to do instead.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Set

import pytest
from import_graph import PACKAGE, ROOT, cycle, folders, imports, longest_chain, modules, names_imported, units
from without_namesake import MOST_WITHOUT, WITHOUT_NAMESAKE

#: For each room, the other rooms that it may import, or single modules of them. All rooms may import the leaves: the
#: modules that lie right in NatronIExec/. A room's name stands for its own files, not for the rooms inside it.
ALLOWED: Dict[str, Set[str]] = {
    # reading a project: Natron's file format, then what a render of it needs and what is wrong with it
    "ntp": set(),
    "scan": {"ntp", "scan/checks"},
    "scan/checks": {"ntp", "scan"},
    # iExec, usable without the rest
    "iexec": set(),
    "storage": {"iexec/transport.py"},
    "wallet": {"iexec/signer.py"},
    # jobs: recorded, ordered, packed, run
    "farm/store": {"scan", "iexec"},
    "farm/order": {"farm/store", "scan", "scan/checks", "iexec", "storage"},
    "farm/pack": {"ntp", "scan", "storage"},
    "farm/run": {"farm/order", "farm/pack", "farm/store", "scan", "iexec", "storage"},
    "farm": {"farm/order", "farm/pack", "farm/run", "farm/store", "scan", "iexec"},
    "engine": {
        "farm",
        "farm/order",
        "farm/pack",
        "farm/run",
        "farm/store",
        "scan",
        "iexec",
        "storage",
        "wallet",
        "publish",
    },
    # inside Natron
    "host": set(),
    "gui": {"host", "engine/client.py", "gui/submit", "gui/render_queue", "gui/accounts", "gui/preferences"},
    "gui/submit": {"gui", "host"},
    "gui/render_queue": {"gui"},
    "gui/accounts": {"gui"},
    "gui/preferences": {"gui"},
    # programs of their own
    "cli": {"engine/client.py", "devnet", "publish", "iexec/transport.py"},
    "publish": {"iexec"},
    "container": set(),
    "devnet": {"iexec", "container", "wallet/signer.py", "storage"},
}
#: A foreign library is imported in one place, which turns its exceptions into ours.
DOORS: Dict[str, Set[str]] = {
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
    "click": {"cli/"},
    "rich": {"cli/"},
}
#: The most import floors of a folder: the length of its longest chain of files and sub-folders that import each other.
MAX_FLOORS = 6
#: The most lines of a file. It is lowered when the longest file shrinks.
MAX_LINES = 380
#: The largest part of the package's lines that one room may have.
MAX_SHARE = 0.20
IMPORTS = imports()
RULES = "The rule stands in CONTRIBUTING.md, “How it is cut”."


def room_of(module: str) -> str:
    return str(Path(module).parent.as_posix())


@pytest.mark.parametrize("room", [folder for folder in folders() if folder != "."])
def test_imports_go_one_way(room: str) -> None:
    assert room in ALLOWED, f"NatronIExec/{room} is a new room: say in ALLOWED of {__file__} what it may import."
    allowed = ALLOWED[room] | {room, "."}
    wrong = [
        edge
        for edge in IMPORTS
        if room_of(edge.importer) == room and not {room_of(edge.imported), edge.imported} & allowed
    ]
    assert not wrong, (
        "\n".join(map(str, wrong))
        + f"\nbut {room} may import only the leaves and {sorted(ALLOWED[room]) or 'nothing else'}. {RULES}\n"
        "Instead: take what you need as an argument from whoever builds you; or move what both sides need down into a "
        "leaf or into the lower room. If the rule itself should change, change ALLOWED and docs/architecture.md and "
        "give the reason in the commit."
    )


def test_leaves_import_only_leaves() -> None:
    wrong = [edge for edge in IMPORTS if room_of(edge.importer) == "." and room_of(edge.imported) != "."]
    assert not wrong, (
        "\n".join(map(str, wrong)) + f"\nbut modules right in NatronIExec/ are leaves: all rooms import them, so they "
        f"import no room. {RULES}\nInstead: move the module into the room that it needs."
    )


@pytest.mark.parametrize("folder", folders())
def test_no_ring_of_imports(folder: str) -> None:
    """Neither of files nor of folders, at no level; imports under TYPE_CHECKING and inside functions count."""
    ring = cycle(units(folder, IMPORTS))
    assert not ring, (
        "These imports lead back to where they began:\n"
        + "\n".join(map(str, ring))
        + f"\n{RULES}\nInstead: move what both need into a third module below them; or let the lower one take a "
        "callable or a Protocol of its own. An import inside a function or under TYPE_CHECKING only hides the ring."
    )


@pytest.mark.parametrize("folder", folders())
def test_few_import_floors(folder: str) -> None:
    chain = longest_chain(units(folder, IMPORTS))
    assert len(chain) <= MAX_FLOORS, (
        f"NatronIExec/{folder} has {len(chain)} import floors, {MAX_FLOORS} are allowed (MAX_FLOORS in {__file__}): to "
        "understand the first file one has to know all below it.\n"
        + " imports ".join(chain)
        + "\nInstead: pass in what is used only through, or move what only the lower ones share into a file of its own."
    )


def test_foreign_libraries_have_one_door() -> None:
    wrong = []
    for file in modules():
        inside = file.relative_to(PACKAGE).as_posix()
        for line, name in names_imported(file):
            doors = DOORS.get(name.split(".")[0], {""})
            if not any(inside == door or inside.startswith(door) for door in doors):
                wrong.append(f"NatronIExec/{inside}:{line} imports {name}; its door is {sorted(doors) or 'closed'}")
    assert not wrong, (
        "\n".join(wrong) + f"\nA foreign library is imported in one place (DOORS in {__file__}), which turns its "
        "exceptions into ours.\nInstead: add what you need there and import that."
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
    long = {str(file.relative_to(ROOT)): count for file in modules() if (count := _lines(file)) > MAX_LINES}
    assert not long, (
        f"{long}: longer than {MAX_LINES} lines (MAX_LINES in {__file__}).\nInstead: find the second subject in the "
        "file and give it a file with a name of its own; a file cut in the middle of its subject helps nobody."
    )


def test_no_room_holds_everything() -> None:
    lines = {folder: sum(_lines(file) for file in (PACKAGE / folder).glob("*.py")) for folder in folders()}
    largest = max(lines, key=lambda folder: lines[folder])
    share = lines[largest] / sum(lines.values())
    assert share <= MAX_SHARE, f"NatronIExec/{largest} holds {share:.0%} of all lines. Divide it by subject."


def _foreign_names() -> Dict[str, str]:
    """Import names that are taken: by the standard library, and by all that an installation of the package brings."""
    taken = {name: "the standard library" for name in sys.stdlib_module_names}
    taken["chunk"] = "the standard library of Python 3.12 and older"
    needed, waiting = set(), ["natron-iexec"]
    while waiting:
        name = waiting.pop()
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or of an extra that is not installed
        needed.add(_plain(name))
        waiting += [found for need in needs if _plain(found := re.split(r"[^\w.-]", need)[0]) not in needed]
    for module, owners in importlib.metadata.packages_distributions().items():
        if needed & set(map(_plain, owners)):
            taken[module] = owners[0]
    return taken


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_no_name_is_taken() -> None:
    """Natron puts every sub-folder of a plug-in path on sys.path: our `queue.py` would be everybody's `queue`."""
    taken = _foreign_names()
    inside = [PACKAGE / folder for folder in folders() if folder != "."]
    ours = [path for path in [*modules(), *inside] if path.stem not in ("__init__", "__main__")]
    wrong = {str(path.relative_to(ROOT)): taken[path.stem] for path in ours if path.stem in taken}
    assert not wrong, f"{wrong}: these names belong to others, and Natron would import ours. Take a name of our trade."


def _lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_a_module_has_its_test_beside_it_or_is_listed() -> None:
    listed = {module: test for group in WITHOUT_NAMESAKE.values() for module, test in group.items()}
    without = set()
    for file in modules():
        inside = file.relative_to(PACKAGE)
        if not inside.stem.startswith("__") and not (ROOT / "tests" / inside.parent / f"test_{inside.name}").exists():
            without.add(inside.as_posix())
    page = "tests/support/without_namesake.py"
    new = sorted(without - set(listed))
    assert not new, f"Write tests/<room>/test_<name>.py for {new}. Or list them in {page} and say why."
    gone = sorted(set(listed) - without)
    assert not gone, f"{gone} have a test of their name now, or are gone: take them off the list in {page}."
    missing = sorted(test for test in set(listed.values()) if not (ROOT / "tests" / test).exists())
    assert not missing, f"{missing} are named in {page} and are not there."
    assert len(listed) <= MOST_WITHOUT, f"The list in {page} only shrinks."
