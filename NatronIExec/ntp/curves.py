"""Natron's animation curves: value and integral at a time (Engine/Curve.cpp, Engine/Interpolation.cpp).

Times and values are floats. Every kind of keyframe is a Hermite cubic with its stored derivatives, but constant ones;
before the first and after the last keyframe a curve goes on along that key's outer derivative.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from NatronIExec.ntp.ntp_reader import Key

CONSTANT = 0

#: Cubic coefficients and the interval [begin, end) on which they hold, in units of (end - begin).
_Piece = tuple[float, float, float, float, float, float]


def value_at(keys: Sequence[Key], time: float) -> float:
    """The curve at `time`; 0 without keys, as Natron has it."""
    if not keys:
        return 0.0
    begin, end, c0, c1, c2, c3 = _piece(keys, bisect_right([key.time for key in keys], time))
    x = (time - begin) / (end - begin)
    return c0 + x * (c1 + x * (c2 + x * c3))


def integral(keys: Sequence[Key], start: float, stop: float) -> float:
    """The area below the curve from `start` to `stop`, negative when `stop` is the earlier."""
    if start > stop:
        return -integral(keys, stop, start)
    times = [key.time for key in keys]
    total = 0.0
    at = start
    after = bisect_right(times, start)
    while after < len(times) and times[after] < stop:
        total += _area(_piece(keys, after), at, times[after])
        at = times[after]
        after += 1
    return total + _area(_piece(keys, after), at, stop)


def _area(piece: _Piece, start: float, stop: float) -> float:
    begin, end, c0, c1, c2, c3 = piece

    def primitive(time: float) -> float:
        x = (time - begin) / (end - begin)
        return x * (c0 + x * (c1 / 2 + x * (c2 / 3 + x * c3 / 4)))

    return (primitive(stop) - primitive(start)) * (end - begin)


def _piece(keys: Sequence[Key], after: int) -> _Piece:
    """The cubic before the key number `after`, the first that is later than the time asked for."""
    if after == 0:
        key = keys[0]
        return (key.time - 1, key.time, key.value - key.left, key.left, 0.0, 0.0)
    key = keys[after - 1]
    if key.interpolation == CONSTANT:
        end = keys[after].time if after < len(keys) else key.time + 1
        return (key.time, end, key.value, 0.0, 0.0, 0.0)
    if after == len(keys):
        return (key.time, key.time + 1, key.value, key.right, 0.0, 0.0)
    following = keys[after]
    span = following.time - key.time
    rise = following.value - key.value
    out, into = key.right * span, following.left * span
    return (key.time, following.time, key.value, out, 3 * rise - 2 * out - into, out + into - 2 * rise)
