"""docs/architecture.md names what is there: files, rooms, and imports that exist."""

from __future__ import annotations

import re

import pytest
from import_graph import PACKAGE, ROOT, folders, imports

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
#: The most files that read or change the thing on its way; a frame range had 16 in the flat `farm/`.
MOST_STEPS = {"A frame range": 10, "A frame": 11, "A price": 10, "A password": 8}


def section(title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/architecture.md has no section “{title}”"
    return found[1]


def test_all_files_that_are_named_exist() -> None:
    named = re.findall(r"`([\w/]+\.py)`", PAGE)
    missing = [name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()]
    assert not missing, f"docs/architecture.md names {missing}: follow the way again and name what is there now"


@pytest.mark.parametrize("title", MOST_STEPS)
def test_a_way_gets_no_longer(title: str) -> None:
    steps = re.findall(r"^(\d+)\. `[\w/]+\.py`", section(title), re.MULTILINE)
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) <= MOST_STEPS[title]


def drawn() -> tuple[set[str], set[tuple[str, str]]]:
    """Rooms and arrows of the diagram; `id["room"]` gives a room another name than its id."""
    (picture,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    names = dict(re.findall(r"(?m)(?<!subgraph )\b(\w+)\[\"([\w/]+)\"\]", picture))
    plain = re.sub(r"\[\"[^\"]*\"\]", "", picture)
    arrows = {(names.get(a, a), names.get(b, b)) for a, b in re.findall(r"(\w+) --> (\w+)", plain)}
    alone = set(re.findall(r"(?m)^ {8}(\w+)$", plain))
    return {room for arrow in arrows for room in arrow} | alone, arrows


def test_the_picture_shows_every_room() -> None:
    assert drawn()[0] == {folder for folder in folders() if folder != "."}


def test_every_arrow_is_an_import() -> None:
    def room(module: str) -> str:
        return module.rpartition("/")[0]

    there = {(room(edge.importer), room(edge.imported)) for edge in imports()}
    assert drawn()[1] <= there


def test_every_room_is_described() -> None:
    rooms = section("Rooms")
    assert all(
        f"`{folder}`" in rooms or f"`{folder.rpartition('/')[2]}`" in rooms for folder in folders() if folder != "."
    )
