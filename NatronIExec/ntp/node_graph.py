"""The node graph of a project and of the projects nested in it: who feeds whom, through groups, dots and links.

Nodes are named as Natron names them (`Group1.Read1`); nodes of a Precomp's project get the Precomp's name and a colon
(`Precomp1:Read1`). Nothing here raises for an odd node: what cannot be resolved is left out and said in `odd`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from NatronIExec.errors import ProjectError
from NatronIExec.ntp.ntp_reader import Knob, Link, Node, Project
from NatronIExec.ntp.path_variables import Variables

BUILT_IN = "fr.inria.built-in."
GROUP, OUTPUT, INPUT = BUILT_IN + "Group", BUILT_IN + "Output", BUILT_IN + "Input"
READ, WRITE, PRECOMP = BUILT_IN + "Read", BUILT_IN + "Write", BUILT_IN + "Precomp"
_MAX_NESTED = 64

#: Decoders and encoders that old projects name directly, and those that a Read or Write node holds (natron.md §5.1).
_INRIA = "ReadOIIO ReadPNG ReadFFmpeg ReadPFM ReadMisc ReadKrita OpenRaster ReadCDR ReadPDF ReadPSD ReadSVG ReadEXR"
_ARENA = "ReadPSD ReadSVG ReadMisc ReadKrita OpenRaster ReadCDR ReadPDF"
READERS = frozenset(
    [READ, "net.sf.openfx.BlackmagicRAW"]
    + [f"fr.inria.openfx.{name}" for name in _INRIA.split()]
    + [f"net.fxarena.openfx.{name}" for name in _ARENA.split()]
)
WRITERS = frozenset([WRITE, *(f"fr.inria.openfx.Write{name}" for name in ("OIIO", "FFmpeg", "PNG", "PFM", "EXR"))])


@dataclass(frozen=True)
class Placed:
    """A node in its place. `scope` is the prefix of its siblings' names; `home` the project that it belongs to."""

    name: str
    scope: str
    node: Node
    home: Home

    def knob(self, name: str) -> Knob | None:
        return self.node.knobs.get(name)


@dataclass(frozen=True)
class Home:
    """A project file of the render: the artist's own, or one that a Precomp refers to. `prefix` begins the names of
    its nodes; `variables` resolve its paths."""

    project: Project
    prefix: str
    variables: Variables


@dataclass
class Graph:
    """All nodes by full name, in file order, nested projects last."""

    homes: list[Home] = field(default_factory=list)
    nodes: dict[str, Placed] = field(default_factory=dict)
    odd: dict[tuple[str, str], None] = field(default_factory=dict)

    @property
    def main(self) -> Home:
        return self.homes[0]

    def add(self, home: Home) -> None:
        self.homes.append(home)
        for name, node in home.project.walk():
            full = home.prefix + name
            scope = full[: len(full) - len(node.name)]
            if full in self.nodes:
                self.odd[(full, "two nodes have this name; the first is taken")] = None
                continue
            self.nodes[full] = Placed(full, scope, node, home)

    @cached_property
    def children(self) -> dict[str, list[Placed]]:
        """Nodes by their scope."""
        found: dict[str, list[Placed]] = {}
        for placed in self.nodes.values():
            found.setdefault(placed.scope, []).append(placed)
        return found

    def sibling(self, placed: Placed, name: str) -> Placed | None:
        return self.nodes.get(placed.scope + name)

    def group_of(self, placed: Placed) -> Placed | None:
        return self.nodes.get(placed.scope.rstrip(".:")) if placed.scope else None

    def inputs(self, placed: Placed) -> list[tuple[str, Placed]]:
        """What feeds a node, as (input label, node). A group is fed by its Output; an Input by what its group's
        input of the same name is connected to."""
        node = placed.node
        if node.plugin == INPUT:
            return self._group_inputs(placed)
        if node.plugin == PRECOMP:
            return [("Output", output) for output in self._precomp_outputs(placed)]
        output = self._group_output(placed)
        if output is not None:
            return [("Output", output)]
        found = []
        for label, name in node.inputs.items():
            if not name:
                continue
            fed_by = self.sibling(placed, name)
            if fed_by is None:
                self.odd[(placed.name, f"its input {label} is connected to {name}, which is not in the project")] = None
            else:
                found.append((label, fed_by))
        return found

    def _group_output(self, placed: Placed) -> Placed | None:
        if not placed.node.children:
            return None
        below = self.children.get(placed.name + ".", [])
        return next((child for child in below if child.node.plugin == OUTPUT), None)

    def _precomp_outputs(self, placed: Placed) -> list[Placed]:
        """What an embedded (not pre-rendered) Precomp shows: its output node, or all writers when that is not there."""
        if pre_rendered(placed):
            return []
        prefix = placed.name + ":"
        knob = placed.knob("outputNode")
        chosen = self.nodes.get(prefix + knob.text) if knob else None
        if chosen is not None:
            return [chosen]
        return self.writers(prefix)

    def _group_inputs(self, placed: Placed) -> list[tuple[str, Placed]]:
        group = self.group_of(placed)
        if group is None:
            return []
        wanted = {_input_label(placed.node.label), _input_label(placed.node.name)}
        named = [(label, name) for label, name in group.node.inputs.items() if name]
        chosen = [(label, name) for label, name in named if _input_label(label) in wanted]
        if not chosen and any(label.isdigit() for label, _ in named):
            chosen = self._by_position(placed, named) or named
        found = [(label, self.sibling(group, name)) for label, name in chosen]
        return [(label, fed_by) for label, fed_by in found if fed_by is not None]

    def _by_position(self, placed: Placed, named: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Old projects list a group's inputs in the order of its Input nodes."""
        doors = [child for child in self.children.get(placed.scope, []) if child.node.plugin == INPUT]
        position = str(doors.index(placed)) if placed in doors else ""
        return [(label, name) for label, name in named if label == position]

    def resolve(self, placed: Placed, knob: str) -> tuple[Placed, Knob] | None:
        """The node and parameter that really hold a value: links and clones are followed; None when nothing was
        saved (the default applies)."""
        seen = set()
        at: Placed | None = placed
        name = knob
        while at is not None and (at.name, name) not in seen:
            seen.add((at.name, name))
            found = at.node.knobs.get(name)
            link = found.values[0].link if found and found.values else None
            if found is not None and link is None:
                return at, found
            if link is not None:
                master = self.linked(at, link)
                if master is None:
                    return (at, found) if found else None
                at, name = master, link.knob
            elif at.node.master:
                at = self.master_of(at)
            else:
                return None
        return None

    def master_of(self, placed: Placed) -> Placed | None:
        """The node that a clone was made of."""
        name = placed.node.master
        return (self.sibling(placed, name) or self.nodes.get(placed.home.prefix + name)) if name else None

    def constant(self, placed: Placed, dotted: str) -> str | int | float:
        """`node.param` as an expression at `placed` means it, when it never changes. Raises LookupError."""
        *names, knob = dotted.split(".")
        other = self.named(placed, names) if names else None
        found = self.resolve(other, knob) if other else None
        if found is None or len(found[1].values) != 1:
            raise LookupError(dotted)
        value = found[1].values[0]
        if value.expression or value.keys or found[1].strings or found[1].type == "Choice":
            raise LookupError(dotted)
        return int(value.text) if found[1].type == "Int" else value.text

    def named(self, placed: Placed, names: Sequence[str]) -> Placed | None:
        """The node that an expression means: `thisNode`, `thisGroup`, a sibling, or a full name after `app`."""
        at: Placed | None
        if names[0] in ("thisNode", "thisGroup"):
            at = placed if names[0] == "thisNode" else self.group_of(placed)
        elif names[0] in ("app", "app1"):
            return self.nodes.get(placed.home.prefix + ".".join(names[1:]))
        else:
            at = self.sibling(placed, names[0]) or self.nodes.get(placed.home.prefix + names[0])
        for name in names[1:]:
            at = self.nodes.get(f"{at.name}.{name}") if at else None
        return at

    def linked(self, placed: Placed, link: Link) -> Placed | None:
        return self.nodes.get(placed.home.prefix + link.node) or self.sibling(placed, link.node)

    def writers(self, prefix: str = "") -> list[Placed]:
        """Write nodes of the artist's own project, or of the nested one with the prefix; in groups, too."""
        return [placed for placed in self.nodes.values() if is_writer(placed) and placed.home.prefix == prefix]


def is_reader(placed: Placed) -> bool:
    return placed.node.plugin in READERS


def is_writer(placed: Placed) -> bool:
    return placed.node.plugin in WRITERS


def pre_rendered(placed: Placed) -> bool:
    """Whether a Precomp reads the pictures that its project's writer made (the default) instead of rendering it."""
    knob = placed.knob("preRender")
    return knob is None or knob.text != "0"


def _input_label(label: str) -> str:
    """How a group names the input that an Input node makes (NodeGroup::getInputLabel)."""
    return label[5:] if label.lower().startswith("input") else label


def build_graph(
    project: Project,
    original: Path,
    parse: Callable[[Path], Project],
) -> Graph:
    """The graph of `project` with every project nested in it; `original` is the artist's file, for [Project]. A nested
    project that cannot be read is said in `odd`."""
    graph = Graph()
    graph.add(Home(project, "", Variables.of(project, original)))
    parsed: dict[str, Project] = {}
    for home in graph.homes:
        for placed in [node for node in graph.nodes.values() if node.home is home and node.node.plugin == PRECOMP]:
            _add_nested(graph, placed, parse, parsed)
    graph.__dict__.pop("children", None)
    return graph


def _add_nested(graph: Graph, placed: Placed, parse: Callable[[Path], Project], parsed: dict[str, Project]) -> None:
    knob = placed.knob("projectFilename")
    path = placed.home.variables.resolve(knob.text) if knob and knob.text else ""
    if not path:
        graph.odd[(placed.name, "no project is chosen in this Precomp")] = None
        return
    if len(graph.homes) > _MAX_NESTED or placed.name.count(":") > 16:
        graph.odd[(placed.name, "projects are nested too deeply, perhaps in a circle; this one is not followed")] = None
        return
    try:
        if path not in parsed:
            parsed[path] = parse(Path(path))
    except ProjectError as problem:
        graph.odd[(placed.name, problem.title)] = None
        return
    real = Path(os.path.abspath(path))
    graph.add(Home(parsed[path], placed.name + ":", Variables.of(parsed[path], real)))
