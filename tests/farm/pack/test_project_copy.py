"""The copy that is sent: paths as a worker has them, nothing of the artist's machine, the original as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import Conflict
from NatronIExec.farm.pack.project_copy import Snapshot, snapshot
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.scan.project_scan import scan


def laid_out(shot: Snapshot, to: Path) -> Path:
    """The job as a worker has it: files in place, the token replaced in projects."""
    for source, job in [(shot.project, "project.ntp"), *shot.files]:
        target = to / job
        target.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        target.write_bytes(content.replace(JOB_ROOT.encode(), str(to).encode()) if job.endswith(".ntp") else content)
    return to / "project.ntp"


@pytest.fixture
def rich(make: Any, knob: Any) -> Any:
    """A project with every kind of path, and a person's name in it."""
    made = make(
        originalAuthor="ada",
        lastAuthor="ada",
        projectPath="/home/ada/show/",
        projectPaths="<Name>Project</Name><Value>/home/ada/show</Value><Name>Lib</Name><Value>/home/ada/lib</Value>",
    )
    made.read("A", made.footage("a.%04d.png"))
    made.read("B", "[Project]/plates/a.####.png")
    made.node("M", ".MergePlugin", "A", "B", labels=("B", "A"))
    look = knob(str(made.file("luts/l & k.cube")), "InputFile")
    made.node("L", "fr.inria.openfx.OCIOFileTransform", "M", file=look)
    script = f"cp {made.folder}/plates/a.0001.png /var/tmp/other/place.png"
    made.node("S", "fr.inria.openfx.RunScript", "L", script=script, note=f"see {made.folder}/luts")
    made.write("W", "S", frames=(1, 3))
    made.gui = "<ProjectGui><Secret>/home/ada/gui</Secret></ProjectGui>\n"
    return made


def test_nothing_of_the_machine_is_left(rich: Any, tmp_path: Path) -> None:
    shot = snapshot(scan(rich.save(), environment={}), tmp_path / "to")
    text = shot.project.read_text()
    for private in (str(rich.folder), "ada", "ProjectGui", str(Path.home()) + "/"):
        assert private not in text
    assert shot.left == (("S", "/var/tmp/other/place.png"),)
    assert "<Background_project>1<" in text


def test_the_copy_needs_the_same_files(rich: Any, tmp_path: Path) -> None:
    """Scanning what a worker has gives the same needs: the rewritten paths mean the same files."""
    before = scan(rich.save(), environment={})
    project = laid_out(snapshot(before, tmp_path / "to"), tmp_path / "job")
    after = scan(project, environment={})
    assert not after.missing
    contents = [sorted(os.path.basename(path) for path in chunk.files) for chunk in before.chunks]
    assert [sorted(os.path.basename(path) for path in chunk.files) for chunk in after.chunks] == contents
    assert all(file.path.startswith(str(tmp_path / "job")) for file in after.files)


@pytest.mark.parametrize("name", ["simple", "merge_unused", "project_relative", "lut", "still_matte", "frame_hold"])
def test_samples_in_another_place(shot: Path, tmp_path: Path, name: str) -> None:
    before = scan(shot / f"{name}.ntp", frames=[2, 3], environment={})
    packed = snapshot(before, tmp_path / "to")
    after = scan(laid_out(packed, tmp_path / "job"), frames=[2, 3], environment={})
    assert not after.missing
    assert [os.path.basename(file.path) for file in after.files] == [os.path.basename(f.path) for f in before.files]
    assert str(shot) not in packed.project.read_text()


def test_only_values_change(shot: Path, tmp_path: Path) -> None:
    """Byte for byte the same but for the texts that are replaced."""
    source = shot / "simple.ntp"
    packed = snapshot(scan(source, environment={}), tmp_path / "to")
    before, after = source.read_text().splitlines(), packed.project.read_text().splitlines()
    assert len(before) == len(after)
    changed = [line.strip()[:7] for line, other in zip(before, after) if line != other]
    assert set(changed) == {"<Value>"}
    assert parse_project(packed.project).version == parse_project(source).version


def test_the_original_is_not_touched(rich: Any, tmp_path: Path) -> None:
    project = rich.save()
    before = {path: path.stat().st_mtime_ns for path in sorted(rich.folder.rglob("*"))}
    snapshot(scan(project, environment={}), tmp_path / "to")
    assert {path: path.stat().st_mtime_ns for path in sorted(rich.folder.rglob("*"))} == before


def test_a_folder_is_named_once(make: Any, tmp_path: Path) -> None:
    """Two readers of one folder share it; a pattern with tokens in folders keeps those below."""
    made = make(viewsList="<Name>left</Name><Name>right</Name>")
    for view in ("left", "right"):
        made.file(f"p/{view}/f.0001.png")
    made.read("A", str(made.folder / "p/%V/f.####.png"), 1, 1)
    made.read("B", str(made.folder / "p/left/f.####.png"), 1, 1)
    made.node("M", ".MergePlugin", "A", "B", labels=("B", "A"))
    made.write("W", "M", frames=(1, 1))
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    jobs = [job for _, job in packed.files]
    assert jobs == ["in/d0001/left/f.0001.png", "in/d0001/right/f.0001.png", "in/d0002/f.0001.png"]
    assert len(packed.of(str(made.folder / "p/left/f.0001.png"))) == 2


def test_precomp(make: Any, tmp_path: Path) -> None:
    made = make()
    inner = type(made)(made.folder)
    inner.read("R", inner.footage("in.%04d.png", 1, 5), 1, 5)
    inner.save("inner.ntp")
    made.node("P", "Precomp", projectFilename="[Project]/inner.ntp", preRender=False, outputNode="R")
    made.write("W", "P", frames=(1, 2))
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    project = laid_out(packed, tmp_path / "job")
    nested = (tmp_path / "job/projects/p0001.ntp").read_text()
    assert str(made.folder) not in nested
    assert "<Value>[Project]/../in/d0002/in.%04d.png<" in nested
    after = scan(project, environment={})
    assert sorted(Path(file.path).name for file in after.files) == ["in.0001.png", "in.0002.png", "p0001.ntp"]


def test_expression_becomes_the_name_that_it_makes(make: Any, knob: Any, tmp_path: Path) -> None:
    made = make()
    made.footage("bg.%04d.png")
    made.read("R", knob("stale.####.png", expression=f"'{made.folder}/plates/' + 'bg.%04d.png'"))
    made.write("W", "R", frames=(1, 2))
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    (reader,) = [node for _, node in parse_project(packed.project).walk() if node.name == "R"]
    value = reader.knobs["filename"].values[0]
    assert (value.text, value.expression) == (f"{JOB_ROOT}/in/d0001/bg.%04d.png", "")


def test_uncertain_expression_names_the_worker_folder(make: Any, knob: Any, tmp_path: Path) -> None:
    made = make()
    made.footage("bg.%04d.png", 1, 3)
    made.read("R", knob("", expression=f"'{made.folder}/plates/' + pick(frame)"))
    made.write("W", "R", frames=(1, 2))
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    assert f"{JOB_ROOT}/in/d0001/&apos; + pick(frame)" in packed.project.read_text().replace("'", "&apos;")


def test_pyplugs_can_be_imported(make: Any, tmp_path: Path) -> None:
    made = make()
    made.read("R", made.footage("a.%04d.png"))
    module = made.file("plugs/MyGlow.py")
    inside = (made.xml("Input1", "Input"), made.xml("Output1", "Output", "Input1"))
    made.node("G", "com.me.MyGlow", "R", labels=("1",), children=inside, module=str(module)[:-3])
    made.write("W", "G", frames=(1, 1))
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    assert packed.environment == {"NATRON_PLUGIN_PATH": f"{JOB_ROOT}/in/d0002"}
    assert f"<PythonModule>{JOB_ROOT}/in/d0002/MyGlow.py</PythonModule>" in packed.project.read_text()


def test_change_while_packing_is_seen(rich: Any, tmp_path: Path) -> None:
    packed = snapshot(scan(rich.save(), environment={}), tmp_path / "to")
    packed.require_unchanged()
    plate = rich.folder / "plates/a.0002.png"
    facts = plate.stat()
    plate.write_bytes(b"y" * facts.st_size)
    os.utime(plate, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert packed.changed() == (plate,)
    with pytest.raises(Conflict, match=r"a\.0002\.png changed"):
        packed.require_unchanged()


def test_project_that_changes_after_the_scan(rich: Any, tmp_path: Path) -> None:
    """Same size, other bytes: the places that the scan remembered would be wrong."""
    found = scan(rich.save(), environment={})
    text = found.project.read_text()
    found.project.write_text(text.replace("<Timeline_current_time>1<", "<Timeline_current_time>2<"))
    with pytest.raises(Conflict):
        snapshot(found, tmp_path / "to")
