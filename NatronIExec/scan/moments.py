"""A node at a time, as the rules see it that say what it asks of its inputs, and sets of times."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from NatronIExec.ntp.node_graph import Placed
from NatronIExec.ntp.parameters import Unsure, Values

#: Times of an input; None is every frame that it has.
Times = Optional[frozenset[float]]
WHOLE: Times = None
#: The key for inputs that a rule does not name.
EVERY = "*"
Range = tuple[float, float]

MAX_TIMES = 5000
#: More distinct times than this at one node become "any frame".
_MOST_TIMES = 20_000


@dataclass(frozen=True)
class Moment:
    """A node at a time, as its rule sees it. `labels` are its connected inputs, `range_of` their frame ranges. `now`
    are the times at which Natron may read a parameter for which it names none: the frame that the writer renders and
    the one at which the project was saved (KnobHelper::getCurrentTime); `disabled` whether it is disabled then."""

    values: Values
    placed: Placed
    time: float
    labels: Sequence[str]
    range_of: Callable[[str], Range | None]
    now: Sequence[float] = ()
    disabled: frozenset[bool] = frozenset({False})

    def whens(self, *names: str) -> Sequence[float]:
        """The times at which parameters are read that Natron reads without a time."""
        if all(self.values.is_constant(self.placed, name) for name in names):
            return (self.time,)
        return tuple(dict.fromkeys((self.time, *self.now)))

    def number(self, name: str, default: float, dimension: int = 0) -> float:
        return self.values.number(self.placed, name, self.time, default, dimension)

    def whole(self, name: str, default: int, dimension: int = 0) -> int:
        """An integer parameter."""
        return int(self.number(name, default, dimension))

    def flag(self, name: str, default: bool = False) -> bool:
        return self.values.flag(self.placed, name, self.time, default)

    def choice(self, name: str, options: Sequence[str], default: int) -> str:
        return self.values.choice(self.placed, name, self.time, options, default)

    def source_range(self, label: str = "Source") -> Range:
        """Raises Unsure when the input's range is not known."""
        if label not in self.labels and len(self.labels) == 1:
            label = self.labels[0]
        known = self.range_of(label)
        if known is None:
            raise Unsure(label)
        return known


def join(one: Times, other: Times) -> Times:
    if one is None or other is None:
        return WHOLE
    if one == other:
        return one
    both = one | other
    return WHOLE if len(both) > _MOST_TIMES else both


Needs = Mapping[str, Times]
Rule = Callable[[Moment], Needs]


def at(*times: float) -> Times:
    return frozenset(times)


def span(first: float, last: float, step: float = 1) -> Times:
    """`first`, `first + step`, … up to `last`, as Natron walks a range of frames; WHOLE when that is a great many."""
    if last < first:
        return frozenset()
    count = math.floor((last - first) / step) + 1
    if count > MAX_TIMES:
        return WHOLE
    return frozenset(first + step * index for index in range(count))


def frames_needed(rule: Rule, moment: Moment) -> Needs:
    """The rule's answer; every input whole where it is unsure."""
    try:
        return rule(moment)
    except (Unsure, ArithmeticError, ValueError):
        return {EVERY: WHOLE}


def same_time(moment: Moment) -> Needs:
    """All nodes that keep the time (the default of OpenFX's host support)."""
    return {EVERY: at(moment.time)}


def any_time(moment: Moment) -> Needs:
    return {EVERY: WHOLE}
