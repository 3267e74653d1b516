"""Who imports whom in the package, read from the source: for the tests that guard its rooms.

A *unit* of a folder is a file or a sub-folder right inside it. An import of `gui/submit/price_section.py` by
`gui/windows.py` is an edge from the unit `windows.py` to the unit `submit/` of the folder `gui`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

from graphlib import CycleError, TopologicalSorter

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "NatronIExec"


class Import(NamedTuple):
    """`importer` and `imported` are paths below PACKAGE."""

    importer: str
    line: int
    imported: str

    def __str__(self) -> str:
        return f"NatronIExec/{self.importer}:{self.line} imports NatronIExec/{self.imported}"


def modules(package: Path = PACKAGE) -> List[Path]:
    return sorted(package.rglob("*.py"))


def names_imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of all that a file imports, also inside functions and under `if TYPE_CHECKING`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: Natron needs absolute imports, never `from . import`"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imports(package: Path = PACKAGE) -> List[Import]:
    """All imports of one module of the package by another, without `__init__` files that hold nothing."""
    found = []
    for file in modules(package):
        importer = str(file.relative_to(package).as_posix())
        for line, name in names_imported(file):
            target = _file_of(name, package)
            if target and target != importer:
                found.append(Import(importer, line, target))
    return found


def _file_of(name: str, package: Path) -> str:
    """The file below the package that gives `NatronIExec.a.b` or the name `b` of `NatronIExec.a`; "" if none does."""
    parts = name.split(".")
    if parts[0] != package.name:
        return ""
    for end in (len(parts), len(parts) - 1):
        inside = "/".join(parts[1:end])
        if (package / f"{inside}.py").is_file():
            return f"{inside}.py"
        if (package / inside / "__init__.py").is_file() and (package / inside / "__init__.py").stat().st_size:
            return f"{inside}/__init__.py".lstrip("/")
    return ""


def folders(package: Path = PACKAGE) -> List[str]:
    """All folders that hold modules, the package itself as "."."""
    return sorted({str(file.parent.relative_to(package).as_posix()) for file in modules(package)})


def units(folder: str, edges: List[Import], package: Path = PACKAGE) -> Dict[str, Dict[str, Import]]:
    """For each unit of `folder` the units beside it that it imports, each with one import that shows it."""
    start = "" if folder == "." else f"{folder}/"
    found: Dict[str, Dict[str, Import]] = {}
    for file in modules(package):
        name = str(file.relative_to(package).as_posix())
        if name.startswith(start):
            found.setdefault(_unit(name, start), {})
    for edge in edges:
        if edge.importer.startswith(start) and edge.imported.startswith(start):
            importer, imported = _unit(edge.importer, start), _unit(edge.imported, start)
            if importer != imported:
                found[importer].setdefault(imported, edge)
    return found


def cycle(graph: Dict[str, Dict[str, Import]]) -> List[Import]:
    """One ring of imports in the graph, in order; [] if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as problem:
        ring = problem.args[1][::-1]  # graphlib names the imported before the importer
        return [graph[importer][imported] for importer, imported in zip(ring, ring[1:])]
    return []


def longest_chain(graph: Dict[str, Dict[str, Import]]) -> List[str]:
    """The longest chain of units of which each imports the next: its length is the number of import floors."""
    chains: Dict[str, List[str]] = {}
    for unit in TopologicalSorter(graph).static_order():
        below: List[List[str]] = [chains[imported] for imported in graph[unit]]
        chains[unit] = [unit, *max(below, key=len, default=[])]
    return max(chains.values(), key=len)


def reach(module: str, edges: List[Import]) -> Set[str]:
    """All modules that a module imports, through others, too."""
    below: Dict[str, Set[str]] = {}
    for edge in edges:
        below.setdefault(edge.importer, set()).add(edge.imported)
    found: Set[str] = set()
    waiting = [module]
    while waiting:
        new = below.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def _unit(name: str, start: str) -> str:
    first, slash, _ = name[len(start) :].partition("/")
    return first + slash
