"""Where a project can name files, in every spelling: what is found, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.scan.project_scan import scan


@pytest.mark.parametrize(
    ("pattern", "names", "frame", "expected"),
    [
        ("p/bg.####.png", ["p/bg.0001.png", "p/bg.0002.png"], 2, {"p/bg.0002.png"}),
        ("p/bg.#.png", ["p/bg.2.png", "p/bg.12.png"], 12, {"p/bg.12.png"}),
        ("p/bg.##.png", ["p/bg.02.png", "p/bg.102.png"], 102, {"p/bg.102.png"}),
        ("p/bg.%04d.png", ["p/bg.0002.png"], 2, {"p/bg.0002.png"}),
        ("p/bg.%d.png", ["p/bg.2.png"], 2, {"p/bg.2.png"}),
        ("p/bg_007.png", ["p/bg_007.png", "p/bg_002.png"], 2, {"p/bg_007.png"}),
        ("p/%V/bg.####.png", ["p/Main/bg.0002.png"], 2, {"p/Main/bg.0002.png"}),
        ("p/####/bg.####.png", ["p/0002/bg.0002.png", "p/0003/bg.0003.png"], 2, {"p/0002/bg.0002.png"}),
        ("p/tex.<UDIM>.png", ["p/tex.1001.png", "p/tex.1012.png"], 2, {"p/tex.1001.png", "p/tex.1012.png"}),
        ("p/clip.mov", ["p/clip.mov"], 2, {"p/clip.mov"}),
        ("p/clip####.mov", ["p/clip####.mov"], 2, {"p/clip####.mov"}),
        ("p/a & <b> 'c'.####.png", ["p/a & <b> 'c'.0002.png"], 2, {"p/a & <b> 'c'.0002.png"}),
        ("p/été 写.####.png", ["p/été 写.0002.png"], 2, {"p/été 写.0002.png"}),
    ],
)
def test_spellings(make: Any, needed: Any, pattern: str, names: list[str], frame: int, expected: set[str]) -> None:
    made = make()
    for name in names:
        made.file(name)
    made.read("R", str(made.folder / pattern), 1, 200)
    made.write("W", "R")
    assert needed(made, frame) == expected


def test_stereo_views(make: Any, needed: Any) -> None:
    made = make(viewsList="<Name>Left</Name><Name>Right</Name>")
    for name in ("p/left/f.0002.png", "p/Left/f.0002.png", "p/Right/f.0002.png", "p/L.0002.png", "p/R.0002.png"):
        made.file(name)
    made.read("R", str(made.folder / "p/%V/f.####.png"))
    made.read("S", str(made.folder / "p/%v.####.png"))
    made.node("M", ".MergePlugin", "R", "S", labels=("B", "A"))
    made.write("W", "M")
    assert needed(made, 2) == {"p/Left/f.0002.png", "p/Right/f.0002.png", "p/L.0002.png", "p/R.0002.png"}


@pytest.mark.parametrize("text", ["[Project]/p/a.####.png", "p/a.####.png", "[Plates]/a.####.png", "[Deep]/a.####.png"])
def test_variables(make: Any, needed: Any, text: str) -> None:
    made = make()
    made.knobs["projectPaths"] = (
        f"<Name>Project</Name><Value>/stale</Value><Name>Plates</Name><Value>{made.folder}/p</Value>"
        "<Name>Deep</Name><Value>[Plates]</Value>"
    )
    made.file("p/a.0003.png")
    made.read("R", text)
    made.write("W", "R")
    assert needed(made, 3) == {"p/a.0003.png"}


def test_home(make: Any, needed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make()
    monkeypatch.setenv("HOME", str(made.folder))
    made.file("p/a.0003.png")
    made.read("R", "~/p/a.####.png")
    made.write("W", "R")
    assert needed(made, 3) == {"p/a.0003.png"}


def test_project_of_a_copy(make: Any, tmp_path: Path) -> None:
    """Natron saves a copy elsewhere for us; `[Project]` is still the artist's folder."""
    made = make()
    made.file("p/a.0003.png")
    made.read("R", "[Project]/p/a.####.png")
    made.write("W", "R")
    copy = tmp_path / "elsewhere" / "copy.ntp"
    copy.parent.mkdir()
    copy.write_text(made.text())
    found = scan(copy, original=made.folder / "comp.ntp", frames=[3], environment={})
    assert [file.path for file in found.files] == [str(made.folder / "p/a.0003.png")]


def test_proxy_is_optional(make: Any, needed: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"), proxy=str(made.folder / "small.####.png"))
    made.file("small.0002.png")
    made.write("W", "R")
    assert needed(made, 2, 3) == {"plates/bg.0002.png", "plates/bg.0003.png", "small.0002.png"}
    assert not scan(made.save(), frames=[3], environment={}).missing


@pytest.mark.parametrize(
    ("plugin", "name"),
    [
        ("fr.inria.openfx.OCIOFileTransform", "file"),
        ("fr.inria.openfx.OCIOCDLTransform", "file"),
        (".LensDistortion", "pfFile"),
        (".Card3D", "importFile"),
        ("net.fxarena.openfx.AudioCurve", "audioFile"),
    ],
)
def test_files_of_nodes(make: Any, needed: Any, knob: Any, plugin: str, name: str) -> None:
    made = make()
    extra = made.file("data/look.cube")
    made.read("R", made.footage("bg.%04d.png"))
    made.node("N", plugin, "R", **{name: knob(str(extra), "InputFile")})
    made.write("W", "N")
    assert needed(made, 2) == {"plates/bg.0002.png", "data/look.cube"}


def test_files_that_nodes_write_are_not_inputs(make: Any, needed: Any, knob: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.node("N", ".Card3D", "R", camExportFile=knob(str(made.file("cam.chan")), "OutputFile"))
    made.write("W", "N")
    assert needed(made, 2) == {"plates/bg.0002.png"}


def test_run_script(make: Any, needed: Any, knob: Any) -> None:
    """Its files are output files to Natron; one that follows a writer's name really is."""
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.file("out/old.0001.png")
    made.write("Pre", "R", "out/old.####.png")
    names = {
        "filename1": knob(str(made.file("tools/run.sh")), "OutputFile"),
        "filename2": knob(str(made.folder / "out/old.####.png"), "OutputFile", link=("Pre", "filename")),
        "filename3": knob(str(made.folder / "made later.txt"), "OutputFile"),
    }
    made.node("S", "fr.inria.openfx.RunScript", "R", script="sh $1", **names)
    made.write("W", "S")
    assert needed(made, 2, writers=["W"]) == {"plates/bg.0002.png", "tools/run.sh"}
    assert not scan(made.save(), writers=["W"], frames=[2], environment={}).missing


def test_only_what_is_connected(make: Any, needed: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.read("Loose", made.footage("loose.%04d.png"))
    made.node("Shown", "Viewer", "Loose")
    made.write("W", "R")
    assert needed(made, 2) == {"plates/bg.0002.png"}


def test_several_writers_have_their_own_chunks(make: Any) -> None:
    made = make()
    made.read("A", made.footage("a.%04d.png"))
    made.read("B", made.footage("b.%04d.png"))
    made.write("W1", "A", "o/a.####.png", (1, 4))
    made.write("W2", "B", "o/b.####.png", (1, 3))
    found = scan(made.save(), chunk=2, environment={})
    assert [(c.index, c.writer, c.frames) for c in found.chunks] == [
        (0, "W1", (1, 2)),
        (1, "W1", (3, 4)),
        (2, "W2", (1, 2)),
        (3, "W2", (3,)),
    ]
    assert [Path(path).name for path in found.chunks[1].files] == ["a.0003.png", "a.0004.png"]
    assert [Path(path).name for path in found.chunks[3].files] == ["b.0003.png"]


def test_added_and_excluded_by_hand(make: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.write("W", "R", frames=(1, 4))
    extra = made.file("notes/extra.txt")
    out = made.folder / "plates/bg.0002.png"
    out.unlink()
    found = scan(made.save(), chunk=2, extra_files=[extra], exclude_files=[out], environment={})
    assert not found.missing
    assert not found.errors
    assert all(str(extra) in chunk.files for chunk in found.chunks)


def test_missing_says_node_frames_and_chunks(make: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.write("W", "R", frames=(1, 9))
    (made.folder / "plates/bg.0005.png").unlink()
    found = scan(made.save(), chunk=3, environment={})
    (gap,) = found.missing
    assert (Path(gap.path).name, gap.node, gap.frames, gap.chunks) == ("bg.0005.png", "R", (5,), (1,))
    assert [check.code for check in found.errors] == ["missing-file"]


def test_keyframed_name_of_an_old_project(make: Any, numbers: Any, knob: Any) -> None:
    made = make()
    made.footage("bg.%04d.png")
    name = knob(str(made.folder / "plates/bg.0003.png"), keys=((1, 0), (30, 0)))
    made.node("R", "Read", filename=name, firstFrame=1, lastFrame=30, startingTime=1)
    made.write("W", "R")
    assert numbers(made, 7) == [7]


def test_names_at_keyframes(make: Any, needed: Any, knob: Any) -> None:
    made = make()
    one, two = made.file("luts/one.cube"), made.file("luts/two.cube")
    made.read("R", made.footage("bg.%04d.png"))
    animated = knob(str(one), texts=((1.0, str(one)), (10.0, str(two))))
    made.node("L", "fr.inria.openfx.OCIOFileTransform", "R", file=animated)
    made.write("W", "L")
    assert needed(made, 2) == {"plates/bg.0002.png", "luts/one.cube", "luts/two.cube"}


def test_expression_that_is_certain(make: Any, numbers: Any, knob: Any) -> None:
    made = make()
    made.footage("bg.%04d.png")
    made.node("Control", ".NoOpPlugin", shot="bg", take=4)
    expression = f"'{made.folder}/plates/' + Control.shot.get() + '.%0' + str(Control.take.get()) + 'd.png'"
    made.read("R", knob("stale.####.png", expression=expression))
    made.write("W", "R")
    assert numbers(made, 7) == [7]


def test_expression_that_is_not(make: Any, needed: Any, codes: Any, knob: Any) -> None:
    made = make()
    made.footage("bg.%04d.png", 1, 3)
    expression = f"'{made.folder}/plates/' + pick(frame) + '.png'"
    made.read("R", knob("", expression=expression))
    made.write("W", "R")
    assert needed(made, 2) == {f"plates/bg.000{n}.png" for n in (1, 2, 3)}
    assert codes(made, frames=[2])["name-by-expression"] == "warning"


def test_whole_clip_bytes(make: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png", 1, 30, size=100))
    made.write("W", "R", frames=(1, 3))
    found = scan(made.save(), environment={})
    project = (made.folder / "comp.ntp").stat().st_size
    assert found.bytes_sent == 300 + project
    assert found.bytes_whole_clips == 3000 + project
    (clip,) = found.clips
    assert len(clip) == 30
    assert len(found.spare.along) == 27


def test_sheet(make: Any) -> None:
    """The ScanSheet of docs/engine-protocol.md: its keys, plain JSON, the same each time."""
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.write("W", "R", frames=(1, 3))
    (made.folder / "plates/bg.0003.png").unlink()
    project = made.save()
    sheet = scan(project, chunk=2, environment={}).to_json()
    assert json.loads(json.dumps(sheet)) == sheet == scan(project, chunk=2, environment={}).to_json()
    assert list(sheet) == ["writers", "files", "chunks", "missing", "checks", "bytes"]
    keys = {name: set(sheet[name][0]) for name in ("writers", "files", "chunks", "missing", "checks")}
    assert keys == {
        "writers": set(
            ["name", "label", "enabled", "reason", "file", "format", "first", "last", "step", "movie", "views"]
        ),
        "files": {"path", "node", "why", "size", "exists"},
        "chunks": {"index", "writer", "frames", "files"},
        "missing": {"path", "node", "frames", "chunks"},
        "checks": {"level", "code", "node", "title", "remedy"},
    }
    assert [file["exists"] for file in sheet["files"]] == [True, True, False]
    assert set(sheet["bytes"]) == {"sent", "whole_clips"}
