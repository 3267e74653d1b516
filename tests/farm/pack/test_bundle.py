"""What the manifest says of a project, for the program that workers run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.farm.pack.bundle import Terms, make_bundle
from NatronIExec.farm.pack.file_hashes import Hashes
from NatronIExec.manifest import Manifest
from NatronIExec.scan.project_scan import scan


def manifest(made: Any, folder: Path) -> Manifest:
    terms = Terms("job1", ("http://127.0.0.1:1",), 1, 1200)
    bundle = make_bundle(scan(made.save(), frames=[1]), folder / "job", terms, Hashes(folder / "hashes.sqlite"))
    return Manifest.from_bytes(bundle.manifest)


@pytest.mark.parametrize(
    ("format_type", "steady"),
    [(None, True), ({"value": 0}, False), ({"value": 1}, True), ({"value": 2}, True), ({"expression": "1"}, False)],
)
def test_whose_size_may_change(make: Any, knob: Any, tmp_path: Path, format_type: Any, steady: bool) -> None:
    made = make()
    made.read("R", made.footage())
    made.write("W", "R", **({"formatType": knob(**format_type)} if format_type else {}))
    assert manifest(made, tmp_path).writers[0].one_size is steady


def test_limits_and_plugins(make: Any, tmp_path: Path) -> None:
    made = make()
    made.read("R", made.footage())
    made.node("N", "com.vendor.Magic", "R")
    made.write("W", "R")
    found = manifest(made, tmp_path)
    assert (found.limit_s, found.stall_s) == (1200, 300)
    assert found.plugins == ("fr.inria.built-in.Read", "fr.inria.built-in.Write")
