"""The guard of the rooms sees what it must refuse: rings of files, of folders, and those that are hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from import_graph import cycle, folders, imports, longest_chain, units

Make = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path) -> Make:
    def make(**files: str) -> Path:
        for name, text in files.items():
            file = tmp_path / "ours" / (name.replace("__", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path / "ours"

    return make


@pytest.mark.parametrize(
    "back",
    [
        "from ours.a import one",
        "from ours import a",
        "import ours.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ours import a",
        "def late():\n    from ours.a import one",
    ],
)
def test_a_ring_of_files(package: Make, back: str) -> None:
    made = package(a="from ours.b import two", b=back)
    ring = cycle(units(".", imports(made), made))
    assert {(edge.importer, edge.imported) for edge in ring} == {("a.py", "b.py"), ("b.py", "a.py")}


def test_a_ring_of_folders_is_none_of_their_files(package: Make) -> None:
    made = package(up__a="from ours.down import b", down__b="", down__c="from ours.up import d", up__d="")
    edges = imports(made)
    assert folders(made) == ["down", "up"]
    assert [len(cycle(units(folder, edges, made))) for folder in (".", "down", "up")] == [2, 0, 0]


def test_a_folder_may_stand_between_two_files_beside_it(package: Make) -> None:
    made = package(top="from ours.room import inside", room__inside="from ours import leaf", leaf="")
    graph = units(".", imports(made), made)
    assert cycle(graph) == []
    assert longest_chain(graph) == ["top.py", "room/", "leaf.py"]
