"""The time maths against models that are slow and plain: simulated walks, summed areas, recursion over the graph."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from NatronIExec.ntp.curves import CONSTANT, integral, value_at
from NatronIExec.ntp.file_patterns import FilePattern
from NatronIExec.ntp.ntp_reader import Key
from NatronIExec.scan.clips import around, neighbours
from NatronIExec.scan.moments import span
from NatronIExec.scan.project_scan import scan
from NatronIExec.scan.time_rules import bounce, loop

SLOW = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
small = st.integers(-60, 60)
slopes = st.floats(-3, 3)
keyframes = st.lists(
    st.tuples(st.integers(-20, 20), st.floats(-30, 30), st.sampled_from([0, 1, 2, 3]), slopes, slopes),
    min_size=1,
    max_size=6,
    unique_by=lambda key: key[0],
).map(lambda keys: tuple(Key(float(key[0]), *key[1:]) for key in sorted(keys)))


def walked(first: int, last: int, frame: int, there_and_back: bool) -> int:
    """Step by step from `first` to `frame`, turning or jumping at the ends."""
    at, step = first, 1
    for _ in range(abs(frame - first)):
        if there_and_back:
            if not first <= at + step <= last:
                step = -step
            at += step if last > first else 0
        else:
            at += 1 if frame > first else -1
            at = first if at > last else last if at < first else at
    return at


@given(small, st.integers(0, 15), small)
def test_loop_and_bounce_are_walks(first: int, length: int, frame: int) -> None:
    last = first + length
    assert loop(first, last, frame) == walked(first, last, frame, False)
    assert around(first, last, frame, "loop") == walked(first, last, frame, False)
    assert bounce(first, last, frame) == walked(first, last, frame, True)
    assert around(first, last, frame, "bounce") == walked(first, last, frame, True)


@given(st.integers(0, 150), st.sampled_from(["previous", "next", "nearest"]))
def test_neighbours_come_nearest_first(frame: int, mode: str) -> None:
    found = list(neighbours(frame, mode))
    distances = [abs(other - frame) for other in found]
    assert distances == sorted(distances)
    assert frame not in found
    assert min(found, default=0) >= 0
    assert len(set(found)) == len(found)


@given(st.floats(-50, 50), st.floats(0, 40), st.sampled_from([1, 2, 3, 0.5]))
def test_span_walks_from_first_to_last(first: float, length: float, step: float) -> None:
    expected = set()
    at = 0
    while first + step * at <= first + length:
        expected.add(first + step * at)
        at += 1
    found = span(first, first + length, step)
    assert found is not None
    assert {round(time, 6) for time in found} ^ {round(time, 6) for time in expected} <= {round(first + length, 6)}


@given(keyframes)
def test_curves_go_through_their_keys(keys: tuple[Key, ...]) -> None:
    for key in keys:
        assert math.isclose(value_at(keys, key.time), key.value, abs_tol=1e-9)


@given(keyframes, st.floats(-30, 30), st.floats(-30, 30))
def test_integral_is_the_sum_of_thin_slices(keys: tuple[Key, ...], start: float, stop: float) -> None:
    """Simpson's rule between all corners is exact for cubics."""
    low, high = min(start, stop), max(start, stop)
    corners = sorted({low, high, *(key.time for key in keys if low < key.time < high)})
    total = 0.0
    for a, b in zip(corners, corners[1:]):
        inside = b - (b - a) * 1e-9
        total += (b - a) / 6 * (value_at(keys, a) + 4 * value_at(keys, (a + b) / 2) + value_at(keys, inside))
    expected = total if start <= stop else -total
    assert math.isclose(integral(keys, start, stop), expected, rel_tol=1e-4, abs_tol=1e-3)


@given(keyframes, st.floats(-25, 25))
def test_constant_keys_hold(keys: tuple[Key, ...], time: float) -> None:
    held = tuple(Key(key.time, key.value, CONSTANT, 0, 0) for key in keys)
    before = [key for key in held if key.time <= time]
    assert value_at(held, time) == (before[-1] if before else held[0]).value


tokens = st.lists(st.sampled_from(["#", "##", "####", "%d", "%03d", "%04d"]), min_size=1, max_size=2)


@given(tokens, st.integers(0, 123456))
def test_a_frame_is_found_in_its_own_name(parts: list[str], frame: int) -> None:
    pattern = FilePattern("/p/a." + "_x_".join(parts) + ".png")
    assert pattern.frame_of(pattern.name(frame)) == frame


@given(st.integers(0, 99999), st.integers(0, 99999))
def test_another_frame_has_another_name(one: int, other: int) -> None:
    assume(one != other)
    for text in ("/p/a.####.png", "/p/a.%05d.png", "/p/a.#.png"):
        assert FilePattern(text).name(one) != FilePattern(text).name(other)


#: A node of a random graph: kind, numbers, and which of the earlier nodes feed it.
nodes = st.tuples(
    st.sampled_from(["offset", "hold", "held every", "blend", "merge", "dot", "deinterlace", "off"]),
    st.integers(-6, 6),
    st.integers(1, 4),
    st.integers(0, 99),
    st.integers(0, 99),
)
_FIRST, _LAST = 1, 40


def asked(graph: list[Any], at: int, time: int, size: bool = False) -> set[tuple[int, int]]:
    """The model: every node and time that rendering node `at` at `time` renders, by recursion; with `size`, those that
    its size depends on: Deinterlace leaves that to the host, which asks at the node's own time."""
    here = {(at, time)}
    if at < 2:
        return here
    kind, number, more, one, other = graph[at - 2]
    first = one % at
    times = {
        "offset": [time - number],
        "hold": [number],
        "held every": [number + more * math.floor((time - number) / more)],
        "blend": [*range(time - more, time + 1)],
        "deinterlace": [time] if size else [time - 1, time, time + 1],
    }.get(kind, [time])
    found = here.union(*(asked(graph, first, each, size) for each in times))
    return found | asked(graph, other % at, time, size) if kind == "merge" else found


def besides(graph: list[Any], rendered: set[tuple[int, int]], through: set[str]) -> set[tuple[int, int]]:
    """What Natron looks at, too: below each node that is rendered it asks every merge, through nodes of the kinds
    `through`, whether it changes anything at that time, and the merge asks for the size of its input A."""
    tree = {at for at, _ in rendered}
    found = set()
    for start, time in rendered:
        seen, waiting = {start}, [start]
        while waiting:
            above = waiting.pop()
            for at, (kind, _, _, one, other) in enumerate(graph, 2):
                if at not in tree or at in seen or above not in {one % at, other % at if kind == "merge" else one % at}:
                    continue
                seen.add(at)
                if kind == "merge" and (at, time) not in rendered:
                    found |= asked(graph, other % at, time, size=True)
                elif kind in through:
                    waiting.append(at)
    return found


def of_format(graph: list[Any], frame: int, through: set[str]) -> set[tuple[int, int]]:
    """The writer asks for the format of its input: Natron goes up at the frame itself, through what changes nothing, to
    the first merge, which asks for the size of its input A."""
    at = len(graph) + 1
    while at >= 2:
        kind, _, _, one, other = graph[at - 2]
        if kind == "merge":
            return asked(graph, other % at, frame, size=True)
        if kind not in through:
            break
        at = one % at
    return set()


def files(wanted: set[tuple[int, int]]) -> set[str]:
    """Nodes 0 and 1 are readers that hold at their ends."""
    return {f"N{at}.{min(max(time, _FIRST), _LAST):04d}.png" for at, time in wanted if at < 2}


def built(made: Any, graph: list[Any]) -> None:
    for name in ("N0", "N1"):
        made.read(name, str(made.folder / "p" / f"{name}.%04d.png"), _FIRST, _LAST)
    for number, (kind, value, more, one, other) in enumerate(graph, 2):
        fed, also = f"N{one % number}", f"N{other % number}"
        plugin, knobs = {
            "offset": (".timeOffset", {"timeOffset": value}),
            "hold": (".FrameHold", {"firstFrame": value}),
            "held every": (".FrameHold", {"firstFrame": value, "increment": more}),
            "blend": (".FrameBlend", {"frameRange": (-more, 0)}),
            "deinterlace": (".Deinterlace", {}),
            "merge": (".MergePlugin", {}),
            "dot": ("Dot", {}),
            "off": (".timeOffset", {"timeOffset": value, "disableNode": True}),
        }[kind]
        if kind == "merge":
            made.node(f"N{number}", plugin, fed, also, labels=("B", "A"), **knobs)
        else:
            made.node(f"N{number}", plugin, fed, **knobs)
    made.write("W", f"N{len(graph) + 1}")


@SLOW
@given(st.lists(nodes, min_size=1, max_size=7), st.integers(0, 50))
def test_graphs_against_recursion(make: Any, graph: list[Any], frame: int) -> None:
    """Never too few; and for nodes whose rule is exact, never too many, but what a node might look at."""
    made = make()
    if not (made.folder / "p").exists():
        for name in ("N0", "N1"):
            for number in range(_FIRST, _LAST + 1):
                made.file(f"p/{name}.{number:04d}.png")
    built(made, graph)
    found = scan(made.save(), frames=[frame], environment={})
    sent = {Path(path).name for chunk in found.chunks for path in chunk.files}
    rendered = asked(graph, len(graph) + 1, frame)
    identities = {"offset", "hold", "held every", "dot", "off"}
    must = rendered | besides(graph, rendered, identities) | of_format(graph, frame, identities)
    assert files(must) <= sent
    more = identities | {"blend", "deinterlace"}
    assert sent <= files(must | besides(graph, rendered, more) | of_format(graph, frame, more))


@SLOW
@given(st.integers(1, 9), st.floats(0.1, 4), st.integers(0, 30), st.sampled_from(["none", "linear"]))
def test_retime_is_travelled_distance(make: Any, first: int, speed: float, frame: int, kind: str) -> None:
    """Frame by frame from the clip's first one; linear blends the two neighbours."""
    made = make()
    last = first + 200
    if not (made.folder / "p").exists():
        for number in range(1, 260):
            made.file(f"p/f.{number:04d}.png")
    made.read("R", str(made.folder / "p/f.%04d.png"), first, last)
    made.node("N", ".Retime", "R", speed=speed, filter=0 if kind == "none" else 2)
    made.write("W", "N")
    at = float(first)
    for _ in range(abs(frame - first)):
        at += speed if frame > first else -speed
    wanted = {math.floor(at + 1e-9), math.ceil(at - 1e-9)} if kind == "linear" else {math.floor(at + 0.5)}
    expected = {f"f.{min(max(number, first), last):04d}.png" for number in wanted}
    found = scan(made.save(), frames=[frame], environment={})
    sent = {Path(path).name for chunk in found.chunks for path in chunk.files}
    assert expected <= sent or abs(at * 2 - round(at * 2)) < 1e-6
    assert len(sent) <= 4
