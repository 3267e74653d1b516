"""Every check: a project that has the fault, and the sample projects that have none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import BadInput, ProjectError
from NatronIExec.scan.project_scan import scan
from NatronIExec.scan.worker_image import packaged_image


@pytest.fixture
def plain(make: Any) -> Any:
    """A project with a reader R; the test adds the rest."""
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    return made


def test_a_good_project_has_no_errors(plain: Any, codes: Any) -> None:
    plain.write("W", "R")
    assert codes(plain) == {}


@pytest.mark.parametrize("name", ["simple", "two_writers", "merge_unused", "lut", "text_node", "movie"])
def test_samples_have_no_errors(shot: Path, name: str) -> None:
    assert not scan(shot / f"{name}.ntp", environment={}).errors


def test_no_writer(plain: Any, codes: Any) -> None:
    assert codes(plain)["no-writer"] == "error"
    plain.write("W", "R", disableNode=True)
    assert codes(plain)["no-writer"] == "error"


def test_disabled_writer(plain: Any, codes: Any) -> None:
    plain.write("On", "R", "a.####.png")
    plain.write("Off", "R", "b.####.png", disableNode=True)
    assert codes(plain)["writer-disabled"] == "info"
    assert codes(plain, writers=["Off"])["writer-disabled"] == "error"
    assert "writer-disabled" not in codes(plain, writers=["On"])


def test_writer_in_a_disabled_group(plain: Any, codes: Any) -> None:
    inside = (plain.xml("W", "Write", filename=str(plain.folder / "o.####.png")),)
    plain.node("G", "Group", children=inside, disableNode=True)
    assert codes(plain, writers=["G.W"], frames=[1])["writer-disabled"] == "error"


def test_writer_without_a_name(plain: Any, codes: Any) -> None:
    plain.node("W", "Write", "R", frameRange=2, firstFrame=1, lastFrame=2)
    assert codes(plain)["writer-no-file"] == "error"


def test_movie_is_one_task(plain: Any) -> None:
    plain.write("W", "R", "o.mov", (1, 25))
    found = scan(plain.save(), chunk=5, environment={})
    assert len(found.chunks) == 1
    assert {check.code: check.level for check in found.checks} == {"movie": "info"}


def test_single_image(plain: Any, codes: Any) -> None:
    plain.write("W", "R", "o.png", (1, 5))
    assert codes(plain)["single-image"] == "warning"  # its own range: what Natron would leave is the last frame
    assert [chunk.frames for chunk in scan(plain.save(), environment={}).chunks] == [(5,)]
    assert codes(plain, frames=[2, 3])["single-image"] == "error"
    assert "single-image" not in codes(plain, frames=[3])


def test_format_that_cannot_be_written(plain: Any, codes: Any) -> None:
    plain.write("W", "R", "o.####.xyz")
    assert codes(plain)["format-unwritable"] == "error"


def test_format_that_cannot_be_read(make: Any, codes: Any) -> None:
    made = make()
    made.read("R", str(made.file("p/clip.braw")))
    made.write("W", "R")
    assert codes(made)["format-unreadable"] == "error"


def test_empty_range(plain: Any, codes: Any) -> None:
    plain.write("W", "R", frames=(10, 1))
    assert codes(plain)["range-empty"] == "error"
    assert "range-empty" not in codes(plain, frames=[3])


def test_negative_frames(plain: Any, codes: Any) -> None:
    plain.write("W", "R", frames=(-3, 2))
    assert codes(plain)["frames-negative"] == "error"


def test_unknown_union_range(plain: Any, codes: Any, knob: Any) -> None:
    plain.node("U", ".FrameRange", "R", frameRange=knob((1, 3), expression="strange()"))
    plain.write("W", "U", frameRange=knob(0, "Choice"))
    assert codes(plain, frames=[3])["range-unknown"] == "warning"


def test_overwrite_off(plain: Any) -> None:
    plain.write("W", "R", "o.####.png", (1, 5), overwrite=False)
    plain.file("o.0002.png")
    (check,) = scan(plain.save(), environment={}).checks
    assert (check.level, check.code, check.node) == ("warning", "overwrite-off", "W")
    assert "1 frame of these: 2" in check.title


def test_two_writers_one_file(plain: Any, codes: Any) -> None:
    plain.write("W1", "R", "o.####.png", (1, 5))
    plain.write("W2", "R", "o.####.png", (5, 9))
    assert codes(plain)["output-collision"] == "error"
    assert "output-collision" not in codes(plain, writers=["W1"])


def test_disjoint_frames_of_one_file_do_not_collide(plain: Any, codes: Any) -> None:
    plain.write("W1", "R", "o.####.png", (1, 5))
    plain.write("W2", "R", "o.####.png", (6, 9))
    assert "output-collision" not in codes(plain)


def test_reader_of_what_another_writes(plain: Any, codes: Any) -> None:
    plain.write("W1", "R", "pre.####.png", (1, 5))
    for frame in range(1, 6):
        plain.file(f"pre.{frame:04d}.png")
    plain.read("Back", str(plain.folder / "pre.####.png"), 1, 5)
    plain.write("W2", "Back", "o.####.png", (1, 5))
    assert codes(plain)["reads-own-output"] == "warning"


def test_movie_for_each_view(plain: Any, codes: Any) -> None:
    plain.write("W", "R", "out.%V.mov")
    assert codes(plain)["movie-views"] == "error"


def test_missing_plugin(plain: Any, codes: Any) -> None:
    plain.node("N", "com.vendor.Magic", "R")
    plain.write("W", "N")
    said = codes(plain, frames=[3])
    assert said["plugin-missing"] == "error"
    assert said["whole-clips"] == "warning"


def test_missing_plugin_that_does_not_matter(plain: Any, codes: Any) -> None:
    plain.node("N", "com.vendor.Magic", "R")
    plain.write("W", "R")
    assert codes(plain) == {}
    assert scan(plain.save()).plugins == ("fr.inria.built-in.Read", "fr.inria.built-in.Write")


def test_missing_plugin_that_matters_by_name_only(plain: Any, codes: Any, knob: Any) -> None:
    """Its node feeds nothing, but a parameter of one that does follows it."""
    plain.node("N", "com.vendor.Magic", "R")
    plain.node("G", ".GradePlugin", "R", mix=knob(1.0, expression="N.mix.get()"))
    plain.node("Other", "com.vendor.Unused", "R")
    plain.write("W", "G")
    assert codes(plain)["plugin-missing"] == "error"
    needed = scan(plain.save()).plugins
    assert "com.vendor.Magic" in needed
    assert "com.vendor.Unused" not in needed


def test_missing_codec(make: Any, codes: Any) -> None:
    made = make()
    made.read("R", made.footage("bg.%04d.png"), decodingPluginID="com.vendor.ReadMagic")
    made.write("W", "R")
    assert codes(made)["plugin-missing"] == "error"


def test_other_plugin_version(plain: Any, codes: Any) -> None:
    plain.node("N", ".GradePlugin", "R", major=9)
    plain.write("W", "N")
    assert codes(plain)["plugin-version"] == "warning"


def test_newer_natron(plain: Any, codes: Any) -> None:
    plain.write("W", "R")
    major, minor, revision = packaged_image().natron
    plain.version = (major, minor, revision + 1)
    assert codes(plain)["natron-newer"] == "error"
    plain.version = (major, minor, revision)
    assert codes(plain) == {}


def test_gpu_only(plain: Any, codes: Any) -> None:
    plain.node("N", ".Shadertoy", "R")
    plain.write("W", "N")
    assert codes(plain)["gpu-only"] == "warning"


def test_scripts_are_said(plain: Any, codes: Any, knob: Any) -> None:
    plain.node("N", "fr.inria.openfx.RunScript", "R", script="echo")
    plain.node("C", "Dot", "N", onParamChanged="mod.changed", x=knob(1.0, expression="frame"))
    plain.write("W", "C", afterFrameRender="mod.after")
    plain.knobs["afterProjectLoad"] = "mod.loaded"
    said = codes(plain)
    assert said["runs-script"] == "warning"
    assert (said["runs-callback"], said["runs-expressions"]) == ("info", "info")
    nodes = [check.node for check in scan(plain.save(), environment={}).checks if check.code == "runs-callback"]
    assert nodes == ["", "C", "W"]


def test_unconnected_and_generated(make: Any, codes: Any) -> None:
    made = make()
    made.write("W", "")
    assert codes(made)["writer-unconnected"] == "error"
    made.nodes.clear()
    made.node("C", ".CheckerBoardPlugin")
    made.write("W", "C")
    assert codes(made) == {"no-reader": "info"}


def test_never_saved(make: Any, codes: Any) -> None:
    made = make(projectName="Untitled.ntp")
    made.footage("bg.%04d.png")
    made.read("R", "[Project]/plates/bg.####.png")
    made.write("W", "R")
    assert codes(made)["unsaved-relative"] == "error"
    made.knobs["projectName"] = "comp.ntp"
    assert codes(made) == {}


def test_folder(plain: Any, codes: Any, knob: Any) -> None:
    plain.node("N", ".GradePlugin", "R", presets=knob(str(plain.folder / "plates"), "Path"))
    plain.write("W", "N")
    assert codes(plain)["folder-not-sent"] == "warning"


def test_unknown_variable_and_environment(make: Any, codes: Any) -> None:
    made = make()
    made.read("A", "[Nowhere]/a.####.png")
    made.read("B", "$SHOW/b.####.png")
    made.node("M", ".MergePlugin", "A", "B", labels=("B", "A"))
    made.write("W", "M", frames=(1, 1))
    said = codes(made)
    assert (said["unknown-variable"], said["environment-variable"]) == ("error", "warning")


def test_writer_that_is_not_there(plain: Any) -> None:
    plain.write("W", "R")
    with pytest.raises(BadInput, match="not a Write node"):
        scan(plain.save(), writers=["R"], environment={})
    with pytest.raises(BadInput, match="is not there"):
        scan(plain.save(), writers=["X"], environment={})


def test_frames_that_cannot_be(plain: Any) -> None:
    plain.write("W", "R")
    with pytest.raises(BadInput):
        scan(plain.save(), frames=[], environment={})
    with pytest.raises(BadInput):
        scan(plain.save(), frames=range(10**6), environment={})


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError):
        scan(tmp_path / "gone.ntp", environment={})


def test_every_check_says_what_to_do(plain: Any) -> None:
    plain.node("N", "com.vendor.Magic", "R")
    plain.write("W", "N", "o.xyz", (-2, 5), overwrite=False)
    for check in scan(plain.save(), environment={}).checks:
        assert check.title.endswith(".")
        assert check.remedy or check.level == "info"
