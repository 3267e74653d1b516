"""What goes along in case the renderer asks for more than the scan found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from NatronIExec.farm.pack.bundle import Terms, make_bundle
from NatronIExec.farm.pack.file_hashes import Hashes
from NatronIExec.manifest import Manifest
from NatronIExec.scan.project_scan import scan
from NatronIExec.scan.spare_files import LEAST, Spare, choose_spare, spare_checks


def test_small_rests_go_along_and_a_large_one_stays_whole() -> None:
    sizes = {"/a/1": 10, "/a/2": 20, "/b/1": LEAST, "/b/2": 1, "/c/1": 5}
    spare = choose_spare([["/a/1", "/a/2"], ["/b/1", "/b/2"], ["/c/1"]], {"/a/1": 10}, sizes.get)
    assert [path for path, _ in spare.along] == ["/c/1", "/a/2"]
    assert [path for path, _ in spare.left] == ["/b/1", "/b/2"]


def test_the_room_grows_with_what_is_sent() -> None:
    spare = choose_spare([["/b/1"]], {"/a/1": 8 * LEAST}, {"/b/1": 2 * LEAST}.get)
    assert [path for path, _ in spare.along] == ["/b/1"]


def test_only_what_is_worth_it_is_said() -> None:
    assert not list(spare_checks(Spare((("/a", 10),))))
    said = list(spare_checks(Spare((("/a", 5 << 20),), (("/b", 3 << 30),))))
    assert [check.code for check in said] == ["spare-files", "spare-left"]


def test_the_manifest_names_every_file_of_a_clip_and_tasks_fetch_what_they_need(make: Any, tmp_path: Path) -> None:
    made = make()
    made.read("R", made.footage(first=1, last=8), 1, 8)
    made.write("W", "R")
    found = scan(made.save(), frames=[3], environment={})
    bundle = make_bundle(found, tmp_path / "job", Terms("j", ("http://127.0.0.1",), 1, 300), Hashes())
    manifest = Manifest.from_bytes(bundle.manifest)
    (clip,) = manifest.clips
    assert sorted(Path(manifest.files[number].path).name for number in clip) == [f"bg.{n:04d}.png" for n in range(1, 9)]
    assert all(manifest.files[number].cid in bundle.contents and manifest.files[number].sha256 for number in clip)
    needed = {Path(manifest.files[number].path).name for number in manifest.chunks[0].files}
    assert needed == {"bg.0001.png", "bg.0003.png"}
