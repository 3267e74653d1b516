"""Random projects, made by the real renderer's own Python: `NatronRenderer --no-settings -t random_projects.py`.

$CORPUS_OUT is the folder to save them in, $CORPUS_SEED the first number, $CORPUS_COUNT how many, $CORPUS_FOOTAGE the
folder of the clips. The same number makes the same graph in a fresh Natron. `app` is put there by Natron.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from random import Random as RandomSource  # Natron has a `random` of its own
from typing import Any, Callable, Dict, List, Sequence, Tuple

_MISC = "net.sf.openfx."
_BUILT_IN = "fr.inria.built-in."
#: Pattern, first and last frame.
_CLIPS = (
    ("plates/bg.####.png", 1, 30),
    ("plates/fg_###.png", 1, 30),
    ("plates/unused.####.png", 1, 10),
    ("gap/gap.####.png", 1, 24),
    ("far/far.###.png", 101, 125),
    ("short/s_#.png", 3, 7),
)
_STILL = "plates/matte.png"


def put(node: Any, **values: Any) -> None:
    """Set parameters that the node has; a tuple is one of several dimensions."""
    for name, value in values.items():
        knob = node.getParam(name)
        for at, one in enumerate(value if isinstance(value, tuple) else (value,) if knob is not None else ()):
            if knob is not None and at:
                knob.setValue(one, at)
            elif knob is not None:
                knob.setValue(one)


def expression(node: Any, name: str, text: str) -> None:
    knob = node.getParam(name)
    if knob is not None:
        knob.setExpression(text, False, 0)


def keys(node: Any, name: str, *rows: Tuple[float, float]) -> None:
    knob = node.getParam(name)
    for time, value in rows if knob is not None else ():
        knob.setValueAtTime(value, time)


class Maker:
    """One project; each `_kind` makes a node of that kind, fed by some of those that are there."""

    def __init__(self, application: Any, footage: str, seed: int) -> None:
        self.app = application
        self.footage = footage
        self.dice = RandomSource(seed)
        self.nodes: List[Any] = []
        self.offsets: List[str] = []
        self.kinds: Dict[str, Callable[[], Any]] = {
            name[6:]: getattr(self, name) for name in sorted(dir(self)) if name.startswith("_kind_")
        }

    def make(self, path: str) -> None:
        while not self.nodes:
            self._add("read", self._reader(self.app))
        for _ in range(self.dice.randint(3, 12)):
            kind = self.dice.choice([*self.kinds, "read", "read", "merge", "merge", "offset"])
            self._add(kind, self.kinds[kind]())
        for number in range(1, self.dice.choice([2, 2, 3])):
            writer = self.app.createWriter(f"{self.footage}out/W{number}_####.exr")
            writer.setScriptName(f"W{number}")
            writer.connectInput(0, self.nodes[-1] if number == 1 else self.dice.choice(self.nodes))
        saved_at = self.dice.randint(2, 20) if self.dice.random() < 0.3 else 1
        self.app.saveProjectAs(path)
        text = Path(path).read_text("utf-8").replace(self.footage, "[Project]/")
        text = text.replace("<Timeline_current_time>1<", f"<Timeline_current_time>{saved_at}<")
        Path(path).write_text(text, "utf-8")

    def _add(self, kind: str, node: Any) -> None:
        if node is None:
            return
        chance = self.dice.random()
        if kind not in ("read", "dot") and chance < 0.08:
            put(node, disableNode=True)
        elif kind not in ("read", "dot") and chance < 0.12:
            expression(node, "disableNode", "frame%2==0")
        elif kind not in ("read", "dot", "group") and chance < 0.2:
            first = self.dice.randint(1, 10)
            put(node, enableNodeLifeTime=True, nodeLifeTime=(first, self.dice.randint(first, 14)))
        self.nodes.append(node)

    def _node(self, plugin: str, count: int = 1, masks: Sequence[int] = (), inside: Any = None) -> Any:
        node = self.app.createNode(plugin if "." in plugin else _MISC + plugin, -1, inside or self.app)
        for at in range(count):
            node.connectInput(at, self.dice.choice(self.nodes[-7:]))
        for at in masks:
            if self.dice.random() < 0.4:
                node.connectInput(at, self.dice.choice(self.nodes[-7:]))
                put(node, enableMask_Mask=True)
        return node

    def _reader(self, inside: Any) -> Any:
        dice = self.dice
        if dice.random() < 0.12:
            return self.app.createReader(self.footage + _STILL, inside)
        pattern, first, last = dice.choice(_CLIPS)
        node = self.app.createReader(self.footage + pattern, inside)
        if node is None:
            return None
        if dice.random() < 0.3:
            begin = dice.randint(first, last)
            put(node, firstFrame=begin, lastFrame=dice.randint(begin, last))
        put(node, **{name: dice.randint(0, 3) for name in ("before", "after") if dice.random() < 0.3})
        if dice.random() < 0.3 or "gap" in pattern:
            put(node, onMissingFrame=dice.choice([0, 1, 2, 4]))
        self._start(node, dice.random())
        return node

    def _start(self, node: Any, chance: float) -> None:
        if chance < 0.2:
            put(node, startingTime=self.dice.randint(-8, 20))
        elif chance < 0.42:
            put(node, frameMode=1)
            if chance < 0.3:
                put(node, timeOffset=self.dice.randint(-9, 9))
            elif chance < 0.36:
                expression(node, "timeOffset", self.dice.choice(["frame//2", "frame*0.5", "-frame//3"]))
            else:
                keys(node, "timeOffset", (1, 0), (20, self.dice.randint(-5, 5)))

    def _kind_read(self) -> Any:
        return self._reader(self.app)

    def _kind_offset(self) -> Any:
        dice, node = self.dice, self._node("timeOffset")
        chance = dice.random()
        if chance < 0.6:
            put(node, timeOffset=dice.randint(-8, 10))
        elif chance < 0.8:
            expression(node, "timeOffset", dice.choice(["frame//2", "-3", "frame*0.3", "7-frame"]))
        elif self.offsets:
            expression(node, "timeOffset", dice.choice(self.offsets) + ".timeOffset.get()+1")
        put(node, reverseInput=dice.random() < 0.2, clipToInputRange=dice.random() < 0.2)
        self.offsets.append(node.getScriptName())
        return node

    def _kind_hold(self) -> Any:
        node = self._node("FrameHold")
        put(node, firstFrame=self.dice.randint(0, 20), increment=self.dice.choice([0, 0, 1, 3, 5]))
        if self.dice.random() < 0.3:
            expression(node, "firstFrame", "max(1,min(frame,7))")
        return node

    def _kind_range(self) -> Any:
        node, first = self._node("FrameRange"), self.dice.randint(1, 12)
        put(node, frameRange=(first, self.dice.randint(first, 20)))
        put(node, before=self.dice.randint(0, 4), after=self.dice.randint(0, 4))
        return node

    def _kind_retime(self) -> Any:
        dice, node = self.dice, self._node("Retime")
        put(node, speed=dice.choice([0.5, 2.0, -1.0, 0.3, 1.0, 1.5]), reverseInput=dice.random() < 0.2)
        put(node, filter=dice.choice([0, 1, 2, 2, 2]))
        chance = dice.random()
        if chance < 0.2:
            keys(node, "speed", (1, 1.0), (20, 2.0))
        elif chance < 0.4:
            expression(node, "speed", "2")
        return node

    def _kind_blend(self) -> Any:
        dice, node = self.dice, self._node("FrameBlend")
        absolute = dice.random() < 0.3
        range_of = (dice.randint(1, 5), dice.randint(5, 9)) if absolute else (-dice.randint(0, 4), dice.randint(0, 2))
        put(node, absolute=absolute, frameRange=range_of, frameInterval=dice.choice([1, 1, 2]))
        return node

    def _kind_blur(self) -> Any:
        node = self._node("TimeBlur")
        put(node, division=self.dice.randint(1, 5), shutter=self.dice.choice([0.5, 1.0, 2.0]))
        put(node, shutterOffset=self.dice.randint(0, 2))
        return node

    def _kind_slit(self) -> Any:
        dice, node = self.dice, self._node("SlitScan")
        put(node, retimeFunction=dice.randint(0, 1), retimeGain=float(dice.randint(-5, 3)))
        put(node, retimeOffset=float(dice.randint(-2, 5)), retimeAbsolute=dice.random() < 0.4)
        return node

    def _kind_deinterlace(self) -> Any:
        return self._node("Deinterlace")

    def _kind_switch(self) -> Any:
        dice, node = self.dice, self._node("switchPlugin", 0)
        for at in dice.sample(range(20), dice.randint(1, 4)):
            node.connectInput(at, dice.choice(self.nodes[-7:]))
        chance = dice.random()
        put(node, which=dice.randint(0, 20))
        if chance < 0.2:
            keys(node, "which", (1, 0), (10, 3))
        elif chance < 0.5:
            expression(node, "which", "frame*0.25")
        return node

    def _kind_time_dissolve(self) -> Any:
        node = self._node("TimeDissolvePlugin", 2)
        put(node, dissolveIn=self.dice.randint(0, 8), dissolveOut=self.dice.randint(4, 14))
        return node

    def _kind_append(self) -> Any:
        dice, node = self.dice, self._node("AppendClip", 0)
        for at in dice.sample(range(5), dice.randint(1, 3)):
            node.connectInput(at, dice.choice(self.nodes[-7:]))
        put(node, firstFrame=dice.randint(-3, 6), crossDissolve=dice.choice([0, 0, 3, 4]))
        if dice.random() < 0.3:
            put(node, fadeIn=2, fadeOut=3)
        return node

    def _kind_dissolve(self) -> Any:
        node = self._node("DissolvePlugin", 2)
        keys(node, "which", (1, 0), (10, 1))
        return node

    def _kind_shuffle(self) -> Any:
        return self._node("ShufflePlugin", 2)

    def _kind_merge(self) -> Any:
        node = self._node(self.dice.choice(["MergePlugin", "MergePlus", "MergeMultiply"]), 2, (2,))
        if self.dice.random() < 0.15:
            put(node, mix=self.dice.choice([0.0, 0.5]))
        return node

    def _kind_key_mix(self) -> Any:
        return self._node("KeyMix", 3)

    def _kind_grade(self) -> Any:
        node = self._node("GradePlugin", 1, (1,))
        if self.dice.random() < 0.7:
            put(node, white=(0.5, 0.5, 0.5, 1.0))
        return node

    def _kind_copy_rectangle(self) -> Any:
        return self._node("CopyRectanglePlugin", 2)

    def _kind_dot(self) -> Any:
        return self._node(_BUILT_IN + "Dot")

    def _kind_one_view(self) -> Any:
        return self._node(_BUILT_IN + "OneView")

    def _kind_group(self) -> Any:
        dice, group = self.dice, self._node(_BUILT_IN + "Group", 0)
        door = group.getNode("Input1") or self._node(_BUILT_IN + "Input", 0, (), group)
        out = group.getNode("Output1") or self._node(_BUILT_IN + "Output", 0, (), group)
        last = self._node(dice.choice(["timeOffset", "FrameHold", "GradePlugin"]), 0, (), group)
        put(last, timeOffset=dice.randint(-5, 5), firstFrame=dice.randint(1, 9))
        last.connectInput(0, door)
        own = self._reader(group) if dice.random() < 0.5 else None
        if own is not None:
            merge = self._node("MergePlugin", 0, (), group)
            merge.connectInput(0, last)
            merge.connectInput(1, own)
            last = merge
        out.disconnectInput(0)
        out.connectInput(0, last)
        group.connectInput(0, dice.choice(self.nodes[-5:]))
        return group


def main(application: Any) -> None:
    """A project that cannot be made is said and left out."""
    first, count = int(os.environ["CORPUS_SEED"]), int(os.environ["CORPUS_COUNT"])
    for seed in range(first, first + count):
        for node in list(application.getChildren()):
            node.destroy()
        try:
            maker = Maker(application, os.environ["CORPUS_FOOTAGE"].rstrip("/") + "/", seed)
            maker.make(os.path.join(os.environ["CORPUS_OUT"], f"g{seed:05d}.ntp"))
        except Exception:  # Natron would end at once, with the projects that are left
            traceback.print_exc()


if "app" in globals():
    main(globals()["app"])
