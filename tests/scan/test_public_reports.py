"""Faults of reading that projects from other machines, older Natrons and odd disks brought to light."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.scan.checks.destination_checks import target_checks
from NatronIExec.scan.output_paths import Targets
from NatronIExec.scan.project_scan import Scan, scan


def sent(found: Scan) -> set[str]:
    return {os.path.basename(path) for chunk in found.chunks for path in chunk.files}


@pytest.mark.parametrize("folder", ["job #12", "100%done", "take %V", "cut %d", "<UDIM>"])
def test_tokens_in_the_folder_of_the_project_are_plain_characters(make: Any, folder: str) -> None:
    made = make()
    made.folder = made.folder / folder
    made.footage(first=1, last=6)
    made.read("R", "[Project]/plates/bg.####.png", 1, 6)
    made.write("W", "R", "[Project]/out/f.####.png", (2, 3))
    found = scan(made.save(), environment={})
    assert not found.errors
    assert sent(found) == {"bg.0002.png", "bg.0003.png"}
    (writer,) = found.writers
    assert [path for _, _, path in Targets(writer).files((2, 3))] == [
        str(made.folder / "out" / f"f.{frame:04d}.png") for frame in (2, 3)
    ]
    assert Targets(writer).folder == str(made.folder / "out")
    out = made.folder / "away #1"
    assert Targets(writer, str(out)).path(7) == str(out / "f.0007.png")


@pytest.mark.skipif(os.name == "nt", reason="these are paths of this system there")
@pytest.mark.parametrize("name", ["E:/Works/o.####.png", "C:\\out\\o.####.png", "\\\\srv\\x\\o.####.png"])
def test_paths_of_windows_are_said_before_anything_is_bought(make: Any, name: str) -> None:
    made = make()
    made.read("R", name.replace("/o.", "/in."), 1, 6)
    made.write("W", "R", name, (2, 3))
    found = scan(made.save(), environment={})
    assert "missing-file" in {check.code for check in found.errors}
    (writer,) = found.writers
    assert [check.code for check in target_checks("W", Targets(writer), (2, 3))] == ["windows-path"]
    elsewhere = Targets(writer, str(made.folder / "out"))
    assert elsewhere.path(2) == str(made.folder / "out" / "o.0002.png")
    assert "windows-path" not in {check.code for check in target_checks("W", elsewhere, (2, 3))}


def test_links_to_nothing_and_pipes_are_no_files(make: Any) -> None:
    made = make()
    made.footage(first=1, last=9)
    for frame in (3, 4):
        (made.folder / f"plates/bg.{frame:04d}.png").unlink()
    (made.folder / "plates/bg.0003.png").symlink_to("/nowhere/bg.png")
    os.mkfifo(made.folder / "plates/bg.0004.png")
    made.read("R", "[Project]/plates/bg.####.png", 1, 9)
    made.write("W", "R", frames=(1, 9))
    found = scan(made.save(), environment={})
    assert [os.path.basename(gap.path) for gap in found.missing] == ["bg.0003.png", "bg.0004.png"]


def test_the_stock_config_of_another_machine_is_this_machine_s(make: Any) -> None:
    made = make()
    made.read("R", made.footage(), ocioConfigFile="[OCIO]/config.ocio")
    made.write("W", "R", frames=(1, 2))
    assert "missing-file" not in {check.code for check in scan(made.save(), environment={}).checks}


@pytest.mark.parametrize("odd", [b"\x0b", b"\x01", b"\xff\xfe", b"\xe9"])
def test_bytes_that_xml_forbids_are_read_as_natron_does(make: Any, odd: bytes) -> None:
    made = make()
    made.read("R", made.footage())
    made.node("G", ".GradePlugin", "R", label="AAAA")
    made.write("W", "G", frames=(2, 3))
    path = made.save()
    content = path.read_bytes()
    assert b"AAAA" in content
    path.write_bytes(content.replace(b"AAAA", b"A" + odd + b"A", 1) + b"\n\0 and more <that> is no XML")
    assert sent(scan(path, environment={})) == {"bg.0002.png", "bg.0003.png"}
    project = parse_project(path)
    for _, node in project.walk():
        assert path.read_bytes()[node.span[0] :].startswith(b"<item")


def test_an_empty_picture_is_said(make: Any) -> None:
    made = make()
    made.read("R", made.footage(size=100))
    made.file("plates/bg.0003.png", b"")
    made.write("W", "R", frames=(2, 4))
    assert [check.node for check in scan(made.save(), environment={}).checks if check.code == "empty-file"] == ["R"]


def test_natron_1_0_wrote_ids_in_lower_case(make: Any) -> None:
    made = make(softwareVersion="Natron v1.0.0")
    made.node("R", "fr.inria.openfx.readoiio", filename=made.footage(), firstFrame=1, lastFrame=30)
    made.node("T", "net.sf.openfx.timeoffset", "R", timeOffset=2)
    made.node(
        "W", "fr.inria.openfx.writeoiio", "T", filename="[Project]/o.####.png", frameRange=2, firstFrame=5, lastFrame=6
    )
    assert {"bg.0003.png", "bg.0004.png"} <= sent(scan(made.save(), frames=[5, 6], environment={}))


def test_a_folder_in_brackets_that_exists_is_no_variable(make: Any) -> None:
    made = make()
    made.file("[WIP]/bg.0002.png")
    made.read("R", "[WIP]/bg.####.png", 1, 3)
    made.write("W", "R", frames=(2, 2))
    assert "unknown-variable" not in {check.code for check in scan(made.save(), environment={}).checks}


def test_writers_that_meet_through_a_link(make: Any) -> None:
    made = make()
    (made.folder / "real").mkdir()
    (made.folder / "link").symlink_to("real")
    made.read("R", made.footage())
    made.write("W1", "R", "[Project]/real/o.####.png", (1, 2))
    made.write("W2", "R", "[Project]/link/o.####.png", (1, 2))
    assert "output-collision" in {check.code for check in scan(made.save(), environment={}).errors}


def test_a_project_behind_a_link_is_said(make: Any, tmp_path: Path) -> None:
    made = make()
    made.footage()
    made.read("R", "[Project]/plates/bg.####.png")
    made.write("W", "R", frames=(1, 2))
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "comp.ntp").symlink_to(made.save())
    assert "linked-project" in {check.code for check in scan(other / "comp.ntp", environment={}).checks}


def test_a_range_that_makes_no_sense_is_said(make: Any, knob: Any) -> None:
    made = make(frameRange=knob((1, 5_000_000_000), "Int"))
    made.read("R", made.footage())
    made.write("W", "R", frameRange=knob(1, "Choice"))
    said = {check.code: check.title for check in scan(made.save(), frames=[2], environment={}).checks}
    assert "makes no sense" in said["range-unknown"]


def test_a_writer_goes_by_its_label_where_that_is_clear(make: Any) -> None:
    made = make()
    made.read("R", made.footage())
    made.write("W", "R", frames=(1, 2))
    path = made.save()
    path.write_text(path.read_text().replace("<Plugin_label>W<", "<Plugin_label>beauty<"))
    assert [chunk.writer for chunk in scan(path, writers=["beauty"], environment={}).chunks] == ["W"]
