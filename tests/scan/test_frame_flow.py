"""Nodes that change time: which frames of a clip a rendered frame asks for, by projects where it matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def through(make: Any, numbers: Any) -> Any:
    """Frames of bg (1-30) that W asks for through one node."""

    def ask(plugin: str, *frames: int, read: dict[str, Any] | None = None, **knobs: Any) -> list[int]:
        made = make()
        made.read("R", made.footage("bg.%04d.png"), **(read or {}))
        made.node("N", plugin, "R", **knobs)
        made.write("W", "N")
        found: list[int] = numbers(made, *frames)
        return found

    return ask


@pytest.mark.parametrize(
    ("plugin", "knobs", "frame", "expected"),
    [
        ("Dot", {}, 4, [4]),
        (".GradePlugin", {}, 4, [4]),
        (".timeOffset", {"timeOffset": 5}, 12, [7]),
        (".timeOffset", {"timeOffset": -3}, 4, [7]),
        (".timeOffset", {"timeOffset": 0, "reverseInput": True}, 4, [27]),
        (".timeOffset", {"timeOffset": 40, "clipToInputRange": True}, 12, [1]),
        (".timeOffset", {"timeOffset": 5, "disableNode": True}, 12, [12]),
        (".FrameHold", {"firstFrame": 7}, 12, [7]),
        (".FrameHold", {"firstFrame": 2, "increment": 4}, 12, [10]),
        (".FrameHold", {"firstFrame": 20, "increment": 4}, 13, [12]),
        (".FrameRange", {"frameRange": (5, 9)}, 7, [7]),
        (".FrameBlend", {"frameRange": (-2, 0)}, 12, [10, 11, 12]),
        (".FrameBlend", {"frameRange": (3, 5), "absolute": True}, 12, [3, 4, 5, 12]),
        (".FrameBlend", {"frameRange": (-4, 0), "frameInterval": 2}, 12, [8, 10, 12]),
        (".TimeBlur", {"division": 4, "shutter": 2.0, "shutterOffset": 1}, 12, [12, 13, 14]),
        (".Deinterlace", {}, 12, [11, 12, 13]),
        (".Retime", {"speed": 2.0, "filter": 0}, 4, [7]),
        (".Retime", {"speed": 0.5}, 4, [2, 3, 4]),
        (".Retime", {"speed": 1.0, "reverseInput": True}, 4, [27]),
        (".SlitScan", {"retimeGain": -2.0}, 12, [10, 11, 12]),
        (".TimeBufferRead", {}, 12, list(range(1, 31))),
        ("com.unknown.Thing", {}, 12, list(range(1, 31))),
    ],
)
def test_constant(through: Any, plugin: str, knobs: dict[str, Any], frame: int, expected: list[int]) -> None:
    assert through(plugin, frame, **knobs) == expected


def test_frame_range_modes(through: Any, knob: Any) -> None:
    def before(mode: int, frame: int = 2) -> list[int]:
        found: list[int] = through(".FrameRange", frame, frameRange=(5, 9), before=knob(mode, "Choice"))
        return found

    assert before(0) == [2]
    assert before(1) == [5]
    assert set(before(3)) >= {7}, "loop: 4 is 9, 3 is 8, 2 is 7"
    assert set(before(4)) >= {8}, "bounce: 4 is 6, 3 is 7, 2 is 8"


def test_keyframed_offset(through: Any, knob: Any) -> None:
    keys = ((1.0, 0.0), (11.0, 10.0))
    offset = knob(0, "Int", keys=keys)
    assert through(".timeOffset", 6, timeOffset=offset) == [1]
    held = knob(0, "Int", keys=((1.0, 2.0, 0, 0, 0), (10.0, 4.0, 0, 0, 0)))
    assert through(".timeOffset", 9, 10, timeOffset=held) == [6, 7]


def test_expressions(through: Any, knob: Any) -> None:
    assert through(".timeOffset", 6, timeOffset=knob(0, "Int", expression="2 * 2")) == [2]
    assert through(".timeOffset", 6, timeOffset=knob(0, "Int", expression="frame - 3")) == [3]
    assert through(".timeOffset", 6, timeOffset=knob(0, "Int", expression="ret = frame - 3", returns=True)) == [3]
    whole = through(".timeOffset", 6, timeOffset=knob(0, "Int", expression="random.randint(0, 5)"))
    assert whole == list(range(1, 31)), "what cannot be known is sent whole"


def test_expression_on_another_node(make: Any, numbers: Any, knob: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.node("Control", ".NoOpPlugin", shift=4)
    made.node("N", ".timeOffset", "R", timeOffset=knob(0, "Int", expression="Control.shift.get()"))
    made.write("W", "N")
    assert numbers(made, 10) == [6]


def test_linked_offset(make: Any, numbers: Any, knob: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.node("Master", ".timeOffset", "R", timeOffset=4)
    made.node("N", ".timeOffset", "R", timeOffset=knob(0, link=("Master", "timeOffset")))
    made.write("W", "N")
    assert numbers(made, 10) == [6]


def test_disabled_at_times_needs_both(make: Any, numbers: Any, knob: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.node("N", ".timeOffset", "R", timeOffset=4, disableNode=knob(False, keys=((1, 0, 0, 0, 0), (5, 1, 0, 0, 0))))
    made.write("W", "N")
    assert set(numbers(made, 10)) >= {6, 10}


def test_chained(make: Any, numbers: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.node("A", ".timeOffset", "R", timeOffset=2)
    made.node("B", ".FrameBlend", "A", frameRange=(-1, 0))
    made.node("C", ".timeOffset", "B", timeOffset=-5)
    made.write("W", "C")
    assert numbers(made, 10) == [12, 13]


def test_switch_takes_one_input(make: Any, needed: Any, knob: Any) -> None:
    def switched(which: Any) -> set[str]:
        made = make()
        made.read("A", made.footage("a.%04d.png"))
        made.read("B", made.footage("b.%04d.png"))
        made.node("S", ".switchPlugin", "A", "B", which=which)
        made.write("W", "S")
        found: set[str] = needed(made, 3)
        return found

    assert switched(0) == {"plates/a.0003.png"}
    assert switched(1) == {"plates/b.0003.png"}
    assert switched(knob(0, keys=((1, 0, 0, 0, 0), (3, 1, 0, 0, 0)))) == {"plates/b.0003.png"}
    assert len(switched(knob(0, "Int", expression="somewhere()"))) == 60


def test_time_dissolve(make: Any, needed: Any) -> None:
    made = make()
    made.read("A", made.footage("a.%04d.png"))
    made.read("B", made.footage("b.%04d.png"))
    made.node("D", ".TimeDissolvePlugin", "A", "B", labels=("A", "B"), dissolveIn=5, dissolveOut=8)
    made.write("W", "D")
    assert needed(made, 3) == {"plates/a.0003.png"}
    assert needed(made, 6) == {"plates/a.0006.png", "plates/b.0006.png"}
    assert needed(made, 20) == {"plates/b.0020.png"}


def test_append_clip(make: Any, needed: Any) -> None:
    made = make()
    made.read("A", made.footage("a.%04d.png", 1, 10), 1, 10)
    made.read("B", made.footage("b.%04d.png", 101, 110), 101, 110)
    made.node("C", ".AppendClip", "A", "B", labels=("1", "2"), firstFrame=1)
    made.write("W", "C")
    assert needed(made, 10) == {"plates/a.0010.png"}
    assert needed(made, 11) == {"plates/b.0101.png"}
    assert needed(made, 20) == {"plates/b.0110.png"}


def test_roto_clone_with_time_offset(make: Any, numbers: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    stroke = (
        "<HasRotoContext>1</HasRotoContext><RotoContext><BaseLayer><item><Name>timeOffset</Name><Type>Int</Type>"
        "<Dimension>1</Dimension><item><HasAnimation>0</HasAnimation><Value>3</Value></item></item></BaseLayer>"
        "</RotoContext>"
    )
    made.node("P", "RotoPaint", "R", roto=stroke)
    made.write("W", "P")
    assert numbers(made, 10) == [3, 7, 10, 13], "relative either way, and absolute"


@pytest.mark.parametrize(
    ("mode", "frame", "expected"),
    [(0, 35, [30]), (1, 35, [5]), (2, 35, [25]), (3, 35, []), (0, -3, [1]), (1, -3, [27]), (3, -3, [])],
)
def test_reader_after_and_before(
    make: Any, numbers: Any, knob: Any, mode: int, frame: int, expected: list[int]
) -> None:
    made = make()
    side = "after" if frame > 0 else "before"
    made.read("R", made.footage("bg.%04d.png"), **{side: knob(mode, "Choice")})
    made.write("W", "R")
    assert numbers(made, frame) == expected


def test_reader_starts_elsewhere(make: Any, numbers: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"), startingTime=1001, timeOffset=1000)
    made.write("W", "R")
    assert numbers(made, 1005) == [5]


@pytest.mark.parametrize(("mode", "expected"), [(0, [9]), (1, [11]), (2, [11]), (4, [])])
def test_missing_frame_modes(make: Any, numbers: Any, knob: Any, mode: int, expected: list[int]) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"), onMissingFrame=knob(mode, "Choice"))
    (made.folder / "plates" / "bg.0010.png").unlink()
    made.write("W", "R")
    assert numbers(made, 10) == expected


def test_view_nodes(make: Any, needed: Any) -> None:
    views = "<Name>Left</Name><Name>Right</Name>"
    made = make(viewsList=views)
    for side in ("Left", "Right"):
        made.footage(f"{side}.%04d.png", 1, 5)
    made.read("R", str(made.folder / "plates" / "%V.####.png"), 1, 5)
    made.node("O", "OneView", "R", view=1)
    made.write("W", "O")
    assert needed(made, 2) == {"plates/Right.0002.png", "plates/Left.0002.png"}  # it takes its size from the left


@pytest.mark.parametrize(
    ("plugin", "knobs", "expected"),
    [
        (".ContactSheetOFX", {"frameRange": (-1, 1)}, {11, 12, 13}),
        (".ContactSheetOFX", {"frameRange": (3, 4), "frameRangeAbsolute": True}, {3, 4, 12}),
        (".NoTimeBlurPlugin", {}, {12}),
        (".SlitScan", {"retimeFunction": 2, "frameRange": (-2, 1), "retimeGain": 1.0}, {10, 11, 12, 13}),
        (".SlitScan", {"retimeAbsolute": True, "retimeOffset": 5.0, "retimeGain": 2.0}, {5, 6, 7, 12}),
        ("fr.inria.openfx.SeExpr", {"colorExpr": "$r * 2"}, {12}),
        ("fr.inria.openfx.SeExpr", {"colorExpr": "getPixel(1, frame - 3, 0, x, y)"}, set(range(1, 31))),
        (".TimeBlur", {"division": 1, "shutter": 1.0}, {12}),
        (".TimeBlur", {"division": 2, "shutter": 2.0, "shutterOffset": 0}, {11, 12}),
        (".TimeBlur", {"division": 2, "shutter": 2.0, "shutterOffset": 2}, {10, 11}),
        (".TimeBlur", {"division": 2, "shutter": 2.0, "shutterOffset": 3, "shutterCustomOffset": 4.0}, {16, 17}),
    ],
)
def test_more_nodes(through: Any, plugin: str, knobs: dict[str, Any], expected: set[int]) -> None:
    assert set(through(plugin, 12, **knobs)) >= expected
    assert len(through(plugin, 12, **knobs)) <= max(len(expected) + 1, 4)


def test_retime_with_a_keyframed_speed_and_a_warp(through: Any, knob: Any) -> None:
    fast = knob(1.0, keys=((1.0, 2.0, 0, 0, 0), (30.0, 2.0, 0, 0, 0)))
    assert through(".Retime", 6, speed=fast, filter=0) == [11]
    straight = knob(0, "Parametric", curves=(((0, 0, 2, 1, 1), (1, 1, 2, 1, 1)),))
    assert through(".Retime", 6, warp=straight, filter=0) == [6]
    bent = knob(0, "Parametric", curves=(((0, 0, 2, 1, 1), (1, 0.5, 2, 1, 1)),))
    assert through(".Retime", 6, warp=bent) == [4, 5, 6]


def test_what_tells_the_size_of_a_clip_goes_to_every_chunk(make: Any, tmp_path: Path) -> None:
    """GenericReader::getClipPreferences reads it, whatever is rendered."""
    from NatronIExec.farm.pack.bundle import Terms, make_bundle
    from NatronIExec.farm.pack.file_hashes import Hashes
    from NatronIExec.manifest import Manifest
    from NatronIExec.scan.project_scan import scan

    made = make()
    made.read("A", made.footage("a.%04d.png"), 3, 30)
    made.read("B", made.footage("b.%04d.png"), 1, 30, startingTime=7)
    made.read("C", made.footage("c.%04d.png"), 1, 30)
    made.node("M", "net.sf.openfx.MergePlugin", "A", "B")
    made.write("W", "M")
    found = scan(made.save(), frames=[12, 13], chunk=1, environment={})
    assert {Path(path).name for path in found.looked_at["W"]} == {"a.0003.png", "b.0007.png"}
    assert all(file.exists for file in found.files)
    bundle = make_bundle(found, tmp_path / "job", Terms("j", ("http://127.0.0.1",), 1, 300), Hashes())
    manifest = Manifest.from_bytes(bundle.manifest)
    for chunk in manifest.chunks:
        names = {Path(manifest.files[number].path).name for number in chunk.files}
        assert names >= {"a.0003.png", "b.0007.png"}
    assert not any("c.0" in file.path for file in manifest.files)
