"""Fonts of text nodes: found, sent, and named so that the worker's Natron takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.farm.pack.project_copy import snapshot
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.scan import fonts
from NatronIExec.scan.project_scan import scan

OIIO, ARENA = "fr.inria.openfx.OIIOText", "net.fxarena.openfx.Text"


@pytest.fixture
def titled(make: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A text node over a plate; fonts of this machine are those of the test only."""
    made = make()
    made.file("system/My Sans.ttf")
    monkeypatch.setattr(fonts, "_FOLDERS", (str(made.folder / "system"),))
    monkeypatch.setattr(fonts.shutil, "which", lambda name: None)

    def begin(plugin: str, **knobs: Any) -> Any:
        made.nodes.clear()
        made.read("R", made.footage("bg.%04d.png"))
        made.node("T", plugin, "R", **knobs)
        made.write("W", "T", frames=(1, 1))
        return made

    return begin


def sent(made: Any) -> set[str]:
    found = scan(made.save(), environment={})
    return {Path(file.path).name for file in found.files if file.why == "font"}


def test_font_file(titled: Any, tmp_path: Path) -> None:
    made = titled(OIIO)
    path = made.file("fonts/Title.otf")
    made = titled(OIIO, fontName=str(path))
    assert sent(made) == {"Title.otf"}
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    assert f"{JOB_ROOT}/fonts/00-Title.otf" in packed.project.read_text()
    assert {job for _, job in packed.files} >= {"fonts/00-Title.otf", "fonts/fonts.conf"}
    assert packed.environment["FONTCONFIG_FILE"] == f"{JOB_ROOT}/fonts/fonts.conf"


def test_font_by_name(titled: Any, codes: Any) -> None:
    assert sent(titled(OIIO, fontName="MySans")) == {"My Sans.ttf"}
    assert codes(titled(OIIO, fontName="Nowhere"))["font-missing"] == "warning"
    assert codes(titled(OIIO)) == {}


def test_family(titled: Any, codes: Any) -> None:
    assert sent(titled(ARENA, font="My Sans")) == {"My Sans.ttf"}
    assert codes(titled(ARENA, font="Elsewhere"))["font-missing"] == "warning"


def test_folder_of_fonts(titled: Any, tmp_path: Path) -> None:
    made = titled(ARENA)
    made.file("extra/One.ttf")
    made.file("extra/readme.txt")
    made = titled(ARENA, font="One", custom=str(made.folder / "extra"))
    assert sent(made) == {"One.ttf"}
    packed = snapshot(scan(made.save(), environment={}), tmp_path / "to")
    assert f"<Value>{JOB_ROOT}/in/d0002<" in packed.project.read_text()
    assert "in/d0002/One.ttf" in {job for _, job in packed.files}
