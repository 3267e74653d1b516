"""Nodes that are disabled, always or at some times, and what they let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from NatronIExec.ntp.node_graph import Graph, Placed
from NatronIExec.ntp.parameters import Unsure, Values
from NatronIExec.scan.moments import EVERY, Moment, Rule, Times, join


def sometimes(rule: Rule) -> Rule:
    """The rule of a node that is disabled at some times."""

    def either(moment: Moment) -> Mapping[str, Times]:
        needs: dict[str, Times] = {}
        if True in moment.disabled:
            passed = preferred([(label, moment.placed) for label in moment.labels])
            needs = {label: frozenset({moment.time}) for label, _ in passed}
        if False in moment.disabled:
            on = rule(moment)
            for label in moment.labels:
                needs[label] = join(needs.get(label, frozenset()), on.get(label, on.get(EVERY, frozenset())))
        return needs

    return either


def has_lifetime(graph: Graph, values: Values, placed: Placed) -> bool:
    """Whether a node is there for some frames only. In a group Natron does not look (Node::isNodeDisabled)."""
    if placed.knob("enableNodeLifeTime") is None and not placed.node.master:
        return False
    group = graph.group_of(placed)
    if group is not None and group.node.children:
        return False
    try:
        return not values.is_constant(placed, "enableNodeLifeTime") or values.flag(
            placed, "enableNodeLifeTime", 0, False
        )
    except Unsure:
        return True


def disabled_at(graph: Graph, values: Values, placed: Placed, time: float) -> frozenset[bool]:
    """Whether a node is disabled at `time`; both when that is not certain."""
    try:
        off = values.flag(placed, "disableNode", time, False)
        if not off and has_lifetime(graph, values, placed) and values.flag(placed, "enableNodeLifeTime", time, False):
            first, last = (values.number(placed, "nodeLifeTime", time, 0, at) for at in (0, 1))
            off = not first <= time <= last
        return frozenset({off})
    except Unsure:
        return frozenset({True, False})


def preferred(edges: Sequence[tuple[str, Placed]]) -> list[tuple[str, Placed]]:
    """What a disabled node passes through (Node::getPreferredInput); all inputs when that is not certain."""
    by_label = dict(edges)
    for label in ("Source", "B", "A"):
        if label in by_label:
            return [(label, by_label[label])]
    numbered = [label for label in by_label if label.isdigit()]
    if numbered and len(numbered) + sum("mask" in label.lower() for label in by_label) == len(by_label):
        first = min(numbered, key=int)
        return [(first, by_label[first])]
    return list(edges)
