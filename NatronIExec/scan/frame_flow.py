"""From the frames of a writer to the frames of every reader: times flow up the graph, node by node.

Nodes that keep the time are skipped over beforehand, so that a frame costs only the readers and the nodes that change
time or view; a project of thousands of nodes takes seconds for hundreds of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from NatronIExec.ntp.node_graph import BUILT_IN, GROUP, PRECOMP, Graph, Placed, pre_rendered
from NatronIExec.ntp.parameters import Unsure, Values
from NatronIExec.scan.besides import Besides, is_merge
from NatronIExec.scan.clips import Clip, range_of
from NatronIExec.scan.disabled import disabled_at, has_lifetime, preferred, sometimes
from NatronIExec.scan.moments import EVERY, WHOLE, Moment, Rule, Times, any_time, frames_needed, join, same_time
from NatronIExec.scan.region_rules import ONE_SIZE, READS_NOW, REGION_RULES
from NatronIExec.scan.time_rules import RULES

_ONE_VIEW, _JOIN_VIEWS = BUILT_IN + "OneView", BUILT_IN + "JoinViews"
_VIEW_NODES = frozenset({_ONE_VIEW, _JOIN_VIEWS})
_MAX_REMEMBERED = 200_000

#: Requests of one node: view number -> times.
Wanted = dict[int, Times]
_Edge = tuple[str, Placed]


class Flow:
    """The way up from one writer. `keeps_time` says which nodes keep the time: for all others any frame of their inputs
    may be needed. `copied` are the nodes that the copy holds, whether or not they feed this writer: Natron looks at the
    size of some of their inputs, too (`_besides`)."""

    def __init__(
        self,
        graph: Graph,
        values: Values,
        clips: dict[str, list[Clip]],
        writer: Placed,
        keeps_time: Callable[[Placed], bool],
        views: Sequence[str],
        copied: Mapping[str, Placed] | None = None,
        check_cancel: Callable[[], None] = lambda: None,
    ) -> None:
        self._graph = graph
        self._values = values
        self._clips = clips
        self._views = views
        self._keeps_time = keeps_time
        self.writer = writer
        self.order, self.circular = _order(graph, [writer])
        feeding = {placed.name for placed in self.order}
        beside = [placed for name, placed in (copied or {}).items() if name not in feeding]
        self._all = _order(graph, [*beside, writer])[0] if beside else self.order
        self._edges = {placed.name: self._live_inputs(placed) for placed in self._all}
        self._rules = {placed.name: self._rule(placed) for placed in self._all}
        self._targets = self._reach()
        stops = self._rules_or_clips()
        self._stops = [placed for placed in self._all if placed.name in stops]
        self._besides = Besides(self._all, self._edges, self._rules, check_cancel)
        self._remembered: dict[tuple[object, ...], Mapping[str, Times]] = {}
        self._ranges: dict[str, tuple[float, float] | None] = {}
        self._format_of = [
            name for _, source in self._edges[writer.name] for name in self._besides.format_of(source.name)
        ]
        self._now: tuple[float, float] = (0.0, 0.0)
        self._by_now = {placed.name for placed in self._stops if self._depends_on_now(placed)}

    def _rules_or_clips(self) -> set[str]:
        return {name for name, rule in self._rules.items() if rule is not None} | set(self._clips) | {self.writer.name}

    def _live_inputs(self, placed: Placed) -> list[_Edge]:
        disabled = self._disabled(placed)
        if placed.node.plugin == GROUP or placed.node.children:
            always = not disabled and not self._may_change(placed)
            return self._graph.inputs(placed) if always else _all_inputs(self._graph, placed)
        edges = self._graph.inputs(placed)
        return preferred(edges) if disabled or self._shows_one(placed) else edges

    def _shows_one(self, placed: Placed) -> bool:
        """A Merge or KeyMix that is not mixed in at all passes B through (isIdentity, getRegionOfDefinition)."""
        try:
            steady = is_merge(placed.node.plugin) and self._values.is_constant(placed, "mix")
            return steady and self._values.number(placed, "mix", 0, 1) == 0
        except Unsure:
            return False

    def _rule(self, placed: Placed) -> Rule | None:
        """What a node does to time; None when it keeps it, as nearly all do."""
        plugin = placed.node.plugin
        if plugin in _VIEW_NODES:
            return same_time
        if _asks_expressions_for_pictures(placed):
            return any_time
        if self._disabled(placed):
            return None
        rule = RULES.get(plugin)
        if rule is None:
            rule = None if self._keeps_time(placed) or placed.node.children else any_time
        if self._may_change(placed) and not placed.node.children and placed.name not in self._clips:
            return sometimes(rule or same_time)
        return rule

    def _may_change(self, placed: Placed) -> bool:
        """Whether a node is disabled at some times only."""
        return not self._values.is_constant(placed, "disableNode") or has_lifetime(self._graph, self._values, placed)

    def _disabled(self, placed: Placed) -> bool:
        """Whether a node is surely disabled at all times."""
        try:
            constant = self._values.is_constant(placed, "disableNode")
            return constant and self._values.flag(placed, "disableNode", 0, False)
        except Unsure:
            return False

    def _reach(self) -> dict[str, frozenset[str]]:
        """For each node the stops (readers and nodes with a rule) that it stands for."""
        reach: dict[str, frozenset[str]] = {}
        for placed in reversed(self._all):
            name = placed.name
            if self._rules[name] is not None or name in self._clips:
                reach[name] = frozenset({name})
                continue
            found = [reach[fed_by.name] for _, fed_by in self._edges[name] if reach.get(fed_by.name)]
            reach[name] = found[0] if len(found) == 1 else frozenset().union(*found)
        return reach

    def reached(self) -> Iterator[Placed]:
        """Every node that can take part in the writer's pictures."""
        return iter(self.order)

    def now(self, frame: float) -> tuple[float, float]:
        """The times at which Natron reads parameters for which it names none: the frame that the writer renders, and
        the one at which the project was saved, which counts while the size of the picture is found out."""
        return frame, self.writer.home.project.timeline

    def at(self, frame: int, views: Sequence[int] = (0,)) -> dict[str, Wanted]:
        """What each reader is asked for when the writer renders `frame`."""
        self._now = self.now(frame)
        asked: dict[str, Wanted] = {}
        roots: dict[str, Wanted] = {}
        for _, source in self._edges[self.writer.name]:
            self._ask(asked, source.name, {view: frozenset({float(frame)}) for view in views}, roots)
        found: dict[str, Wanted] = {}
        self._rise(asked, found, self._needs, roots)
        regions: dict[str, Wanted] = {}
        for source_name, wanted in roots.items():
            for name in self._besides.looked_at(source_name):
                self._ask(regions, name, wanted)
        for name in self._format_of:
            self._ask(regions, name, {view: frozenset({float(frame)}) for view in views})
        if regions:
            self._rise(regions, found, self._region)
        return found

    def at_load(self) -> list[tuple[str, Times]]:
        """What each reader is asked for when the project is loaded, by nodes whose inputs must have one size."""
        saved = self.writer.home.project.timeline
        self._now = (saved, saved)
        regions: dict[str, Wanted] = {}
        for placed in self._all:
            if placed.node.plugin in ONE_SIZE:
                for _, source in self._graph.inputs(placed):
                    self._ask(regions, source.name, {0: frozenset({saved})})
        found: dict[str, Wanted] = {}
        self._rise(regions, found, self._region)
        return [(name, times) for name, wanted in found.items() for times in wanted.values()]

    def _rise(
        self,
        asked: dict[str, Wanted],
        found: dict[str, Wanted],
        needs: Callable[[Placed, float], Mapping[str, Times]],
        roots: dict[str, Wanted] | None = None,
    ) -> None:
        """Pass requests up to the readers: what these are asked for goes into `found`."""
        for placed in self._stops:
            wanted = asked.pop(placed.name, None)
            if not wanted:
                continue
            if placed.name in self._clips:
                known = found.setdefault(placed.name, {})
                for view, times in wanted.items():
                    known[view] = join(known[view], times) if view in known else times
            else:
                self._pass_on(placed, wanted, asked, needs, roots)

    def _ask(self, asked: dict[str, Wanted], name: str, wanted: Wanted, roots: dict[str, Wanted] | None = None) -> None:
        for known in [asked.setdefault(stop, {}) for stop in self._targets.get(name, ())] + (
            [roots.setdefault(name, {})] if roots is not None else []
        ):
            for view, times in wanted.items():
                known[view] = join(known[view], times) if view in known else times

    def _pass_on(
        self,
        placed: Placed,
        wanted: Wanted,
        asked: dict[str, Wanted],
        needs_of: Callable[[Placed, float], Mapping[str, Times]],
        roots: dict[str, Wanted] | None,
    ) -> None:
        edges = self._edges[placed.name]
        for view, times in wanted.items():
            if placed.node.plugin in _VIEW_NODES:
                self._pass_view(placed, edges, view, times, asked, roots)
            elif times is None:
                for _, fed_by in edges:
                    self._ask(asked, fed_by.name, {view: WHOLE}, roots)
            else:
                gathered: dict[str, Times] = {}
                for time in times:
                    needs = needs_of(placed, time)
                    for label, _ in edges:
                        more = needs.get(label, needs.get(EVERY, frozenset()))
                        gathered[label] = join(gathered.get(label, frozenset()), more)
                for label, fed_by in edges:
                    if gathered[label] != frozenset():
                        self._ask(asked, fed_by.name, {view: gathered[label]}, roots)

    def _pass_view(
        self,
        placed: Placed,
        edges: Sequence[_Edge],
        view: int,
        times: Times,
        asked: dict[str, Wanted],
        roots: dict[str, Wanted] | None,
    ) -> None:
        """OneView shows one view to all, but takes its size from the one that is asked for; JoinViews takes each view
        from the input that is named after it."""
        if placed.node.plugin == _ONE_VIEW:
            try:
                views = [int(self._values.number(placed, "view", 0, 0)), view]
            except Unsure:
                views = list(range(len(self._views)))
            chosen = edges
        else:
            views = [view]
            label = self._views[view] if view < len(self._views) else ""
            chosen = [edge for edge in edges if edge[0] == label] or edges
        for _, fed_by in chosen:
            self._ask(asked, fed_by.name, {shown: times for shown in views}, roots)

    def _needs(self, placed: Placed, time: float) -> Mapping[str, Times]:
        return self._answer(placed, time, self._rules[placed.name] or same_time)

    def _region(self, placed: Placed, time: float) -> Mapping[str, Times]:
        """What a node asks of its inputs to know its own size."""
        rule = REGION_RULES.get(placed.node.plugin) or self._rules[placed.name] or same_time
        return self._answer(placed, time, same_time if rule is any_time else rule)

    def _answer(self, placed: Placed, time: float, rule: Rule) -> Mapping[str, Times]:
        key = (placed.name, time, rule, self._now if placed.name in self._by_now else None)
        if key not in self._remembered:
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.clear()
            edges = dict(self._edges[placed.name])
            moment = Moment(
                self._values,
                placed,
                time,
                tuple(edges),
                lambda label: self._range(edges[label]) if label in edges else None,
                self._now,
                self._states(placed),
            )
            self._remembered[key] = frames_needed(rule, moment)
        return self._remembered[key]

    def _depends_on_now(self, placed: Placed) -> bool:
        return placed.node.plugin in READS_NOW or self._may_change(placed)

    def _states(self, placed: Placed) -> frozenset[bool]:
        """Whether a node is disabled while the frame is rendered: at the times `now`, on which both may be true."""
        if not self._may_change(placed):
            return frozenset({False})
        return frozenset(state for when in self._now for state in disabled_at(self._graph, self._values, placed, when))

    def _range(self, placed: Placed) -> tuple[float, float] | None:
        if placed.name not in self._ranges:
            self._ranges[placed.name] = range_of(self._graph, self._clips, self._values, placed)
        return self._ranges[placed.name]

    def unsure_nodes(self) -> list[Placed]:
        """Nodes of which any frame of the inputs may be needed because nothing is known about them."""
        return [placed for placed in self.order if self._rules[placed.name] is any_time]


def _asks_expressions_for_pictures(placed: Placed) -> bool:
    """Expressions may ask another node for its size at any time, which opens that node's files."""
    return any(
        "getRegionOfDefinition" in value.expression for knob in placed.node.knobs.values() for value in knob.values
    )


def _order(graph: Graph, starts: Sequence[Placed]) -> tuple[list[Placed], list[str]]:
    """Nodes from the starts upwards, each before all that feed it, and the names at which the graph is circular."""
    state: dict[str, int] = {}
    circular: list[str] = []
    finished: list[Placed] = []
    for start in starts:
        if not state.get(start.name):
            _climb(graph, start, state, circular, finished)
    finished.reverse()
    return finished, circular


def _climb(graph: Graph, start: Placed, state: dict[str, int], circular: list[str], finished: list[Placed]) -> None:
    """Depth first; `state` is 1 for a node on the way and 2 for one that is done."""
    state[start.name] = 1
    stack = [(start, iter([fed_by for _, fed_by in _all_inputs(graph, start)]))]
    while stack:
        placed, rest = stack[-1]
        for fed_by in rest:
            known = state.get(fed_by.name, 0)
            if known == 1:
                circular.append(fed_by.name)
            elif known == 0:
                state[fed_by.name] = 1
                stack.append((fed_by, iter([other for _, other in _all_inputs(graph, fed_by)])))
                break
        else:
            stack.pop()
            state[placed.name] = 2
            finished.append(placed)


def _all_inputs(graph: Graph, placed: Placed) -> list[_Edge]:
    edges = graph.inputs(placed)
    if placed.node.children:
        named = [(label, graph.sibling(placed, name)) for label, name in placed.node.inputs.items()]
        edges = edges + [(label, fed_by) for label, fed_by in named if fed_by is not None]
    return edges


def is_clip_holder(placed: Placed) -> bool:
    """A Precomp that shows what was rendered before is a reader, too."""
    return placed.node.plugin == PRECOMP and pre_rendered(placed)
