"""What Natron looks at besides what it renders: files that it opens only to learn whether a node changes anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from NatronIExec.ntp.node_graph import Placed
from NatronIExec.scan.moments import Rule
from NatronIExec.scan.time_rules import MISC

_MASK, _FIRST = re.compile(r"Roto|.*[Mm]ask"), re.compile(r"A\d*")
_MERGES = re.compile(re.escape(MISC) + r"(Merge\w*|KeyMix)")


def looks_at(plugin: str, label: str) -> bool:
    """Whether a node asks for the size of an input only to learn whether it changes anything (isIdentity of Merge,
    KeyMix, and of all that can be masked)."""
    return bool(_MASK.fullmatch(label) or (_FIRST.fullmatch(label) and is_merge(plugin)))


def is_merge(plugin: str) -> bool:
    return bool(_MERGES.fullmatch(plugin))


class Besides:
    """What Natron looks at besides what it renders. When it renders a node at a time, it asks every node below that at
    the same time whether it changes anything, through those that do not (Node.cpp addIdentityNodesRecursively); Merge,
    KeyMix and masked nodes then ask the size of inputs, which opens a file that no picture depends on."""

    def __init__(
        self,
        order: Sequence[Placed],
        edges: Mapping[str, Sequence[tuple[str, Placed]]],
        rules: Mapping[str, Rule | None],
        check_cancel: Callable[[], None] = lambda: None,
    ) -> None:
        """`check_cancel` is called before each walk over the graph; it raises Cancelled."""
        self._edges = edges
        self._rules = rules
        self._placed = {placed.name: placed for placed in order}
        self._outputs: dict[str, list[str]] = {}
        self._labels: dict[str, list[str]] = {}
        for name, fed in edges.items():
            for label, source in fed:
                self._outputs.setdefault(source.name, []).append(name)
                if looks_at(self._placed[name].node.plugin, label):
                    self._labels.setdefault(name, []).append(source.name)
        self._known: dict[str, tuple[str, ...]] = {}
        self._check_cancel = check_cancel

    def looked_at(self, root: str) -> tuple[str, ...]:
        """The nodes whose size is asked for at the times at which `root`, and what feeds it at the same time, is
        rendered; without those that are rendered then anyway."""
        if root not in self._known:
            self._check_cancel()
            self._known[root] = tuple(self._find(root)) if self._labels else ()
        return self._known[root]

    def format_of(self, root: str) -> tuple[str, ...]:
        """The nodes whose size is asked for because a writer asks for the format of `root`, what is connected to it:
        Natron goes up at one time, through nodes that change nothing, to the first that might
        (EffectInstance::getNearestNonIdentity)."""
        inside = self._same_time(root) if self._labels else {}
        name = root
        for _ in range(len(self._edges)):
            if name not in inside and name in self._labels:
                return tuple(self._labels[name])
            fed = self._edges.get(name, ())
            if not inside or len(fed) != 1:
                break
            name = fed[0][1].name
        return ()

    def _find(self, root: str) -> Iterator[str]:
        inside = self._same_time(root)
        seen = set(inside)
        waiting = [below for name in inside for below in self._outputs.get(name, ())]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            yield from self._labels.get(name, ())
            if name not in self._labels:
                waiting += self._outputs.get(name, ())

    def _same_time(self, root: str) -> dict[str, None]:
        """`root` and everything above it up to the nodes that change time."""
        found = {root: None}
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if self._rules.get(name) is not None:
                continue
            for _, source in self._edges.get(name, ()):
                if source.name not in found:
                    found[source.name] = None
                    waiting.append(source.name)
        return found
