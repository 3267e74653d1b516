"""Who feeds whom: groups, dots, clones, links, precomps, PyPlugs, disabled nodes, and graphs that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from NatronIExec.scan.project_scan import scan


def merged(made: Any, *names: str) -> None:
    for name in names:
        made.read(name, made.footage(f"{name}.%04d.png", 1, 5), 1, 5)


def test_group_with_input_and_output(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a", "b")
    inside = (
        made.xml("Input1", "Input"),
        made.xml("T", ".timeOffset", "Input1", timeOffset=1),
        made.xml("Loose", "Read", filename=made.footage("loose.%04d.png", 1, 5), firstFrame=1, lastFrame=5),
        made.xml("Output1", "Output", "T"),
    )
    made.node("G", "Group", "a", labels=("1",), children=inside)
    made.write("W", "G")
    assert needed(made, 3) == {"plates/a.0002.png"}


def test_reader_and_writer_in_a_group(make: Any) -> None:
    made = make()
    file = made.footage("a.%04d.png", 1, 5)
    inside = (
        made.xml("R", "Read", filename=file, firstFrame=1, lastFrame=5),
        made.xml("W", "Write", "R", filename=str(made.folder / "o.####.png")),
    )
    made.node("G", "Group", children=inside)
    found = scan(made.save(), writers=["G.W"], frames=[2], environment={})
    assert [Path(entry.path).name for entry in found.files] == ["a.0001.png", "a.0002.png"]
    assert [Path(path).name for path in found.chunks[0].files] == ["a.0002.png"]
    assert found.files[1].node == "G.R"


def test_two_inputs_by_label(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a", "b")
    inside = (
        made.xml("InputBg", "Input"),
        made.xml("InputFg", "Input"),
        made.xml("Output1", "Output", "InputFg"),
    )
    made.node("G", "Group", "a", "b", labels=("Bg", "Fg"), children=inside)
    made.write("W", "G")
    assert needed(made, 3) == {"plates/b.0003.png"}


def test_clone_of_a_reader(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a")
    made.node("Copy", "Read", master="a")
    made.write("W", "Copy")
    assert needed(made, 3) == {"plates/a.0003.png"}


def test_alias_on_a_group_is_not_a_file_of_its_own(make: Any, needed: Any, knob: Any) -> None:
    made = make()
    file = made.footage("a.%04d.png", 1, 5)
    inside = (
        made.xml("R", "Read", filename=file, firstFrame=1, lastFrame=5),
        made.xml("Output1", "Output", "R"),
    )
    made.node("G", "Group", children=inside, plate=knob(file, "InputFile", link=("G.R", "filename")))
    made.write("W", "G")
    assert needed(made, 3) == {"plates/a.0003.png"}


def test_reader_linked_to_a_parameter_of_its_group(make: Any, needed: Any, knob: Any) -> None:
    made = make()
    file = made.footage("a.%04d.png", 1, 5)
    inside = (
        made.xml("R", "Read", filename=knob("", link=("G", "plate")), firstFrame=1, lastFrame=5),
        made.xml("Output1", "Output", "R"),
    )
    made.node("G", "Group", children=inside, plate=knob(file, "InputFile"))
    made.write("W", "G")
    assert needed(made, 3) == {"plates/a.0003.png"}


def test_disabled_node_passes_its_first_input(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a", "b")
    made.node("M", ".MergePlugin", "a", "b", labels=("B", "A"), disableNode=True)
    made.write("W", "M")
    assert needed(made, 3) == {"plates/a.0003.png"}


def test_disabled_group_is_bypassed(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a")
    inside = (
        made.xml("Input1", "Input"),
        made.xml("T", ".FrameHold", "Input1", firstFrame=5),
        made.xml("Output1", "Output", "T"),
    )
    made.node("G", "Group", "a", labels=("1",), children=inside, disableNode=True)
    made.write("W", "G")
    assert "plates/a.0002.png" in needed(made, 2)


def precomp(made: Any, name: str = "inner.ntp") -> Any:
    """A project with a reader and a writer, to be nested."""
    inner = type(made)(made.folder)
    inner.read("R", made.footage("in.%04d.png", 1, 9), 1, 9)
    inner.node("T", ".timeOffset", "R", timeOffset=1)
    inner.write("InnerWrite", "T", "pre/p.####.png")
    inner.save(name)
    return inner


def test_precomp_embedded(make: Any, needed: Any) -> None:
    made = make()
    precomp(made)
    made.node("P", "Precomp", projectFilename="[Project]/inner.ntp", preRender=False, outputNode="T")
    made.write("W", "P")
    assert needed(made, 3) == {"inner.ntp", "plates/in.0002.png"}


def test_precomp_pre_rendered(make: Any, needed: Any, knob: Any) -> None:
    made = make()
    precomp(made)
    made.footage("x.%04d.png", 1, 1)
    for frame in range(1, 6):
        made.file(f"pre/p.{frame:04d}.png")
    made.node("P", "Precomp", projectFilename="inner.ntp", writeNode=knob(0, "Choice", choice="InnerWrite"))
    made.write("W", "P")
    assert needed(made, 3) == {"inner.ntp", "pre/p.0003.png"}


def test_precomp_in_a_precomp_and_in_a_circle(make: Any, needed: Any) -> None:
    made = make()
    precomp(made)
    middle = type(made)(made.folder)
    middle.node("P", "Precomp", projectFilename="inner.ntp", preRender=False, outputNode="T")
    middle.node("Self", "Precomp", projectFilename="middle.ntp", preRender=False)
    middle.save("middle.ntp")
    made.node("P", "Precomp", projectFilename="middle.ntp", preRender=False, outputNode="P")
    made.write("W", "P")
    assert needed(made, 3) == {"inner.ntp", "middle.ntp", "plates/in.0002.png"}


def test_precomp_that_is_no_project(make: Any, codes: Any) -> None:
    made = make()
    made.file("inner.ntp", "not xml")
    merged(made, "a")
    made.node("P", "Precomp", projectFilename="inner.ntp", preRender=False)
    made.node("M", ".MergePlugin", "a", "P", labels=("B", "A"))
    made.write("W", "M")
    assert codes(made, frames=[2])["odd-node"] == "warning"


def test_pyplug_goes_with_its_module(make: Any, needed: Any) -> None:
    made = make()
    merged(made, "a")
    module = made.file("plugs/MyGlow.py")
    inside = (made.xml("Input1", "Input"), made.xml("Output1", "Output", "Input1"))
    made.node("G", "com.me.MyGlow", "a", labels=("1",), children=inside, module=str(module)[:-3])
    made.write("W", "G")
    assert needed(made, 3) == {"plates/a.0003.png", "plugs/MyGlow.py"}


def test_inputs_by_position_as_old_projects_have_them(make: Any, tmp_path: Path) -> None:
    made = make()
    merged(made, "a")
    made.write("W", "a")
    text = made.text().replace(
        "<Inputs_map><count>1</count><item><first>Source</first><second>a</second></item></Inputs_map>",
        "<Inputs_map><count>1</count><item>a</item></Inputs_map>",
    )
    path = made.file("old.ntp", text)
    found = scan(path, frames=[2], environment={})
    assert [Path(path).name for path in found.chunks[0].files] == ["a.0002.png"]


def test_circle_ends(make: Any, needed: Any, codes: Any) -> None:
    made = make()
    merged(made, "a")
    made.node("X", ".MergePlugin", "a", "Y", labels=("B", "A"))
    made.node("Y", ".GradePlugin", "X")
    made.write("W", "Y")
    assert "plates/a.0002.png" in needed(made, 2)
    assert codes(made, frames=[2])["circular"] == "warning"


def test_input_that_is_gone(make: Any, codes: Any) -> None:
    made = make()
    merged(made, "a")
    made.node("M", ".MergePlugin", "a", "Gone", labels=("B", "A"))
    made.write("W", "M")
    assert codes(made, frames=[2])["odd-node"] == "warning"


def test_deep_chain(make: Any, needed: Any) -> None:
    """No recursion over nodes: a chain longer than Python's stack."""
    made = make()
    merged(made, "a")
    before = "a"
    for at in range(3000):
        before = made.node(f"N{at}", ".GradePlugin", before)
    made.write("W", before)
    assert needed(made, 2) == {"plates/a.0002.png"}
