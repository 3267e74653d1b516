"""What an image says that it holds, and what the Containerfile promises to the program in it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from NatronIExec.container import bake
from NatronIExec.container.contents import contents_of, read_plugins_once
from NatronIExec.scan.worker_image import image_of

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "NatronIExec" / "container" / "Containerfile").read_text()
RENDERER = os.environ.get("NATRON_RENDERER", "")


@pytest.mark.natron
@pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer")
def test_natron_tells_what_it_holds(tmp_path: Path) -> None:
    environ = {**os.environ, "NATRON_IEXEC_BAKED_HOME": str(tmp_path)}
    assert read_plugins_once([RENDERER], environ)
    (baked,) = tmp_path.glob(".cache/INRIA/Natron/OFXLoadCache/OFXCache_*.xml")
    assert b"fr.inria.openfx.ReadOIIO" in baked.read_bytes()
    held = contents_of([RENDERER], "natron", environ)
    image = image_of(json.dumps(held))
    assert image.natron >= (2, 4, 0)
    assert {"fr.inria.built-in.Read", "fr.inria.openfx.WriteOIIO", "net.sf.openfx.MergePlugin"} <= set(image.plugins)
    assert {"exr", "png"} <= image.reads & image.writes


def test_a_stand_in_says_that_it_is_one(tmp_path: Path) -> None:
    file = tmp_path / "contents.json"
    environ = {"NATRON_IEXEC_CONTENTS": str(file), "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    assert bake.main(environ) == 0
    held = json.loads(file.read_text())
    assert (held["renderer"], held["plugins"]) == ("slate", {})
    assert "stand-in" in held["renderer_version"]


def test_a_natron_without_plugins_fails_the_build(tmp_path: Path) -> None:
    """Half a tarball: it starts, and finds nothing."""
    empty = tmp_path / "NatronRenderer"
    empty.write_text(f"#!{sys.executable}\nprint('Natron version 2.5.0')\n")
    empty.chmod(0o755)
    environ = {"NATRON_RENDERER": str(empty), "NATRON_IEXEC_BAKED_HOME": str(tmp_path), "PATH": os.environ["PATH"],
               "NATRON_IEXEC_CONTENTS": str(tmp_path / "contents.json")}  # fmt: skip
    assert bake.main(environ) == 1
    assert not (tmp_path / "contents.json").exists()


def test_file_names_are_utf8_in_the_image() -> None:
    assert re.search(r"^ENV LANG=C\.UTF-8 ", CONTAINERFILE, re.MULTILINE)


def test_every_build_argument_is_given_or_has_a_default() -> None:
    given = {"BASE", "PACKAGES", "EDITION"}
    assert {name for name, _ in re.findall(r"^ARG (\w+)(=.*)?$", CONTAINERFILE, re.MULTILINE)} == given
