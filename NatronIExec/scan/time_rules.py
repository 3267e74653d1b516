"""Which times of its inputs a node asks for when it renders a time: the time maths of Natron's nodes.

Each rule is the node's getFramesNeeded and isIdentity, read from openfx-misc, openfx-io and Natron (files are named
beside each). A rule answers `{input label: times}`; `EVERY` stands for inputs that it does not name, `WHOLE` for "any
frame". A rule that meets a parameter which cannot be known raises Unsure; then all inputs are wanted whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from NatronIExec.ntp.curves import integral, value_at
from NatronIExec.ntp.parameters import Unsure
from NatronIExec.scan.moments import (
    EVERY,
    MAX_TIMES,
    WHOLE,
    Moment,
    Needs,
    Range,
    Rule,
    Times,
    any_time,
    at,
    same_time,
    span,
)

#: Switch.cpp kClipSourceCount of the build that is in the image.
_SWITCH_INPUTS = 128
#: Sums over keyframes may differ from Natron's in the last bits; so close to a frame both neighbours are taken.
_CLOSE = 1e-6


def time_offset(moment: Moment) -> Needs:
    """TimeOffset/TimeOffset.cpp getSourceTime."""
    time = moment.time - moment.whole("timeOffset", 0)
    reverse, clip = moment.flag("reverseInput"), moment.flag("clipToInputRange")
    if reverse or clip:
        first, last = moment.source_range()
        time = last - time + first if reverse else time
        time = min(max(time, first), last) if clip else time
    return {EVERY: at(time)}


def frame_hold(moment: Moment) -> Needs:
    """FrameHold/FrameHold.cpp getSourceTime."""
    first, increment = moment.whole("firstFrame", 0), moment.whole("increment", 0)
    if not increment:
        return {EVERY: at(first)}
    return {EVERY: at(first + increment * math.floor((moment.time - first) / increment))}


def frame_range(moment: Moment) -> Needs:
    """FrameRange/FrameRange.cpp isIdentity, which reads its parameters without a time. For `black` the host still asks
    for the frame itself."""
    whens = moment.whens("frameRange", "before", "after")
    return {EVERY: frozenset(_ranged(replace(moment, time=when), moment.time) for when in whens)}


def _ranged(moment: Moment, time: float) -> float:
    first, last = moment.whole("frameRange", 1, 0), moment.whole("frameRange", 1, 1)
    if first <= time <= last:
        return time
    name = "before" if time < first else "after"
    mode = moment.choice(name, ("original", "hold", "black", "loop", "bounce"), 2)
    if moment.values.text(moment.placed, name) == "4":
        mode = "bounce"  # the option's id is "loop" too in openfx-misc; only the position tells
    if mode == "hold":
        return first if time < first else last
    if mode in ("loop", "bounce"):
        return (loop if mode == "loop" else bounce)(first, last, int(time))
    return time


def loop(first: int, last: int, frame: int) -> int:
    """FrameRange.cpp frameLoop; C's remainder of positive numbers."""
    if last < first:
        raise Unsure("frameRange")
    length = last + 1 - first
    if frame > last:
        return first + (frame - first) % length
    return last - (last - frame) % length if frame < first else frame


def bounce(first: int, last: int, frame: int) -> int:
    """FrameRange.cpp frameBounce."""
    if last <= first:
        return first
    length = 2 * (last - first)
    if frame > last:
        frame = first + (frame - first) % length
        return last - (frame - last) if frame > last else frame
    if frame < first:
        frame = last - (last - frame) % length
        return first + (first - frame) if frame < first else frame
    return frame


def retime(moment: Moment) -> Needs:
    """Retime/Retime.cpp getFramesNeeded: the integral of `speed` since the input's first frame, bent by `warp`. Between
    two frames the default region of definition asks for the node's own time, too."""
    first, last = moment.source_range()
    travelled = _speed_integral(moment, first)
    plain = last - travelled if moment.flag("reverseInput") else first + travelled
    sources = _warped(moment, plain, first, last)
    kind = moment.choice("filter", ("none", "nearest", "linear"), 2)
    if kind == "none":
        return {EVERY: at(*sources)}
    if kind == "nearest":
        near = {math.floor(source + 0.5 + more) for source in sources for more in (-_CLOSE, _CLOSE)}
        return {EVERY: frozenset(map(float, near))}
    if all(source == int(source) for source in sources):
        return {EVERY: at(*sources)}
    near = {math.floor(source + more) for source in sources for more in (-_CLOSE, _CLOSE)}
    return {EVERY: frozenset(float(frame + more) for frame in near for more in (0, 1)) | {moment.time}}


def _speed_integral(moment: Moment, since: float) -> float:
    if moment.values.has_expression(moment.placed, "speed"):
        return _summed(lambda time: moment.values.number(moment.placed, "speed", time, 1), since, moment.time)
    found = moment.values.animation(moment.placed, "speed")
    if found is None:
        return moment.number("speed", 1) * (moment.time - since)
    return integral(found, since, moment.time)


def _summed(speed: Callable[[float], float], start: float, stop: float) -> float:
    """The integral of an expression by Simpson's rule, frame by frame (KnobImpl.h getIntegrateFromTimeToTime)."""

    def piece(one: float, other: float) -> float:
        return (other - one) / 6 * (speed(one) + 4 * speed((one + other) / 2) + speed(other))

    first, last = math.ceil(start), math.floor(stop)
    if first > last:
        return piece(start, stop)
    if last - first > MAX_TIMES:
        raise Unsure("speed")
    ends = [start, *range(first, last + 1), stop]
    return sum(piece(one, other) for one, other in zip(ends, ends[1:]) if one != other)


def _warped(moment: Moment, source: float, first: float, last: float) -> Sequence[float]:
    """The source time behind the warp curve, which maps the input's range to 0 to 1. Also the default curve, which
    changes nothing, leaves a whole number not quite whole; how Natron's sum is rounded is not known, so each way."""
    length = last - first
    if length == 0:
        return (source,)
    along = (source - first) / length
    curves = moment.values.curves(moment.placed, "warp")
    bent = value_at(curves[0], along) if curves and curves[0] else along
    found = (first + length * bent, first + length * (1 + (bent - 1)) if along > 1 else first + length * bent)
    return tuple(dict.fromkeys((source, *found) if bent == along else found))


def frame_blend(moment: Moment) -> Needs:
    """FrameBlend/FrameBlend.cpp getFramesNeeded; its own frame too, for mix, mask and identity."""
    first, last = moment.whole("frameRange", -5, 0), moment.whole("frameRange", 0, 1)
    if not moment.flag("absolute"):
        first, last = int(first + moment.time), int(last + moment.time)
    interval = max(moment.whole("frameInterval", 1), 1)
    if first > last:
        first, last = last, first
    blended = span(first, last, interval)
    source = WHOLE if blended is None else blended | {moment.time}
    return {"Source": source, "FgM": source, EVERY: at(moment.time)}


def time_blur(moment: Moment) -> Needs:
    """TimeBlur/TimeBlur.cpp getFramesNeeded with ofxsShutter.cpp shutterRange."""
    first, last = shutter_range(moment)
    divisions = moment.whole("division", 10)
    if first == last or divisions <= 1:
        return {EVERY: at(first)}
    step = (last - first) / min(divisions, MAX_TIMES)
    return {EVERY: frozenset(first + index * step for index in range(min(divisions, MAX_TIMES)))}


def no_time_blur(moment: Moment) -> Needs:
    """TimeBlur/NoTimeBlur.cpp isIdentity: a fractional time becomes a whole one."""
    kind = moment.choice("rounding", ("rint", "floor", "ceil", "none"), 0)
    rounded = {"rint": math.floor(moment.time + 0.5), "floor": math.floor(moment.time), "ceil": math.ceil(moment.time)}
    return {EVERY: at(float(rounded.get(kind, moment.time)))}


def shutter_range(moment: Moment) -> Range:
    shutter = moment.number("shutter", 0.5)
    begin = {
        "centered": lambda: -shutter / 2,
        "start": lambda: 0.0,
        "end": lambda: -shutter,
        "custom": lambda: moment.number("shutterCustomOffset", 0),
    }[moment.choice("shutterOffset", ("centered", "start", "end", "custom"), 1)]()
    return moment.time + begin, moment.time + begin + shutter


def slit_scan(moment: Moment) -> Needs:
    """SlitScan/SlitScan.cpp getFramesNeededRange and isIdentity."""
    time = moment.time
    base = 0.0 if moment.flag("retimeAbsolute") else time
    offset, gain = moment.number("retimeOffset", 0), moment.number("retimeGain", -10)
    lowest, highest = base + offset + min(gain, 0), base + offset + max(gain, 0)
    own = frozenset({time})
    mapped = moment.choice("retimeFunction", ("horizontalslit", "verticalslit", "retimemap"), 0) == "retimemap"
    if mapped:
        ends = moment.whole("frameRange", -10, 0), moment.whole("frameRange", 0, 1)
        lowest, highest = min(lowest if gain == 0 else base + min(ends), base + min(ends)), base + max(ends)
    source = span(math.floor(lowest), math.ceil(highest))
    if mapped and source is not None:
        source |= {math.floor(base + offset + 0.5), math.floor(base + offset), math.ceil(base + offset)}
    # The default region of definition asks for the node's own time
    return {"Source": WHOLE if source is None else source | own, EVERY: own}


def deinterlace(moment: Moment) -> Needs:
    """Deinterlace/Deinterlace.cpp getFramesNeeded."""
    return {EVERY: at(moment.time - 1, moment.time, moment.time + 1)}


def contact_sheet(moment: Moment) -> Needs:
    """ContactSheet/ContactSheet.cpp getFramesNeeded, without leaving out the inputs for which no place is left."""
    ends = moment.whole("frameRange", 0, 0), moment.whole("frameRange", 0, 1)
    base = 0.0 if moment.flag("frameRangeAbsolute") else moment.time
    shown = span(base + min(ends), base + max(ends))
    return {EVERY: WHOLE if shown is None else shown | {moment.time}}


def switch(moment: Moment) -> Needs:
    """Switch/Switch.cpp isIdentity: one input, unless it chooses by itself."""
    if moment.flag("automatic"):
        return same_time(moment)
    chosen = str(min(max(moment.whole("which", 0), 0), _SWITCH_INPUTS - 1))
    label = "Source" if chosen == "0" and "Source" in moment.labels else chosen
    return {label: at(moment.time), EVERY: frozenset()}


def time_dissolve(moment: Moment) -> Needs:
    """TimeDissolve/TimeDissolve.cpp getTransition: A before, B after, both between."""
    begin, end = moment.whole("dissolveIn", 1) - 1, moment.whole("dissolveOut", 10) + 1
    now, nothing = at(moment.time), at()
    if moment.time <= begin:
        return {"A": now, "B": nothing, "Source": nothing, EVERY: now}
    if moment.time >= max(begin, end):
        return {"A": nothing, EVERY: now}
    return {EVERY: now}


def append_clip(moment: Moment) -> Needs:
    """AppendClip/AppendClip.cpp getSources: clips one after the other, overlapping by `crossDissolve`."""
    first, cross = moment.whole("firstFrame", 1), moment.whole("crossDissolve", 0)
    time = moment.time
    labels = sorted((label for label in moment.labels if label.isdigit()), key=int)
    if len(labels) != len(moment.labels):
        raise Unsure("inputs")
    placed: list[tuple[str, float, float, float]] = []
    for label in labels:
        begin, end = moment.source_range(label)
        length = max(int(end) - int(begin), 0)
        before_last = placed[-2][2] if len(placed) > 1 else first - 1
        out = first if not placed else max(before_last + 1, placed[-1][2] + 1 - cross)
        close = out + length if not placed else max(placed[-1][2], out + length)
        placed.append((label, out, close, int(begin)))
    needs: dict[str, Times] = {label: at() for label in labels}
    shown = [clip for clip in placed if clip[1] <= time <= clip[2]][-2:]
    if not shown and placed:
        shown = [placed[0] if time < first else placed[-1]]
    for label, out, _, begin in shown:
        needs[label] = at(begin + (time - out))
    return needs


def roto_paint(moment: Moment) -> Needs:
    """Engine/RotoDrawableItem.cpp: clone and reveal strokes show their source at another time."""
    times = {moment.time}
    for knob in moment.placed.node.roto:
        if knob.name != "timeOffset":
            continue
        for value in knob.values:
            if value.keys or value.expression:
                raise Unsure(knob.name)
            offset = int(value.text or 0)
            times |= {moment.time - offset, moment.time + offset, float(offset)} if offset else set()
    return {EVERY: frozenset(times)}


def se_expr(moment: Moment) -> Needs:
    """SeExpr/SeExpr.cpp: only a script that calls getPixel reads another frame than its own."""
    for knob in moment.placed.node.knobs.values():
        if knob.type == "String" and any("getPixel" in value.text or value.expression for value in knob.values):
            raise Unsure(knob.name)
    return same_time(moment)


MISC = "net.sf.openfx."
RULES: Mapping[str, Rule] = {
    MISC + "timeOffset": time_offset,
    MISC + "FrameHold": frame_hold,
    MISC + "FrameRange": frame_range,
    MISC + "Retime": retime,
    MISC + "FrameBlend": frame_blend,
    MISC + "TimeBlur": time_blur,
    MISC + "NoTimeBlurPlugin": no_time_blur,
    MISC + "SlitScan": slit_scan,
    MISC + "Deinterlace": deinterlace,
    MISC + "ContactSheetOFX": contact_sheet,
    MISC + "switchPlugin": switch,
    MISC + "TimeDissolvePlugin": time_dissolve,
    MISC + "AppendClip": append_clip,
    MISC + "TimeBufferRead": any_time,
    MISC + "TimeBufferWrite": any_time,
    "fr.inria.built-in.RotoPaint": roto_paint,
    "fr.inria.built-in.Roto": roto_paint,
    "fr.inria.openfx.SeExpr": se_expr,
    "fr.inria.openfx.SeExprSimple": se_expr,
}
