"""Colour configs: who chooses one, which LUTs go with it, and how they lie on the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from NatronIExec.farm.pack.project_copy import snapshot
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.scan.colour_config import search_path, sources
from NatronIExec.scan.project_scan import scan

CONFIG = """ocio_profile_version: 1
search_path: "luts:filmic"
roles:
  scene_linear: Linear
colorspaces:
  - !<ColorSpace>
    name: sRGB
    to_reference: !<FileTransform> {src: srgb.spi1d, interpolation: linear}
  - !<ColorSpace>
    name: Film
    to_reference: !<GroupTransform>
      children:
        - !<FileTransform> {src: "my film.cube"}
        - !<FileTransform>
          src: gone.cube
"""


@pytest.fixture
def graded(make: Any) -> Any:
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.write("W", "R", frames=(1, 1))
    made.file("config/config.ocio", CONFIG)
    made.file("config/luts/srgb.spi1d")
    made.file("config/filmic/my film.cube")
    made.file("config/luts/unused.cube")
    return made


def names(made: Any, **environment: str) -> set[str]:
    found = scan(made.save(), environment=environment)
    return {str(Path(file.path).relative_to(made.folder)) for file in found.files} - {"plates/bg.0001.png"}


SENT = {"config/config.ocio", "config/luts/srgb.spi1d", "config/filmic/my film.cube"}


def test_environment(graded: Any, tmp_path: Path) -> None:
    assert names(graded, OCIO=str(graded.folder / "config/config.ocio")) == SENT


def test_project_variable(graded: Any) -> None:
    graded.knobs["projectPaths"] = f"<Name>OCIO</Name><Value>{graded.folder}/config</Value>"
    assert names(graded) == SENT


def test_environment_counts_more_than_the_project_when_it_is_the_artists(
    graded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = graded.file("other/config.ocio", "ocio_profile_version: 1\n")
    graded.knobs["projectPaths"] = f"<Name>OCIO</Name><Value>{graded.folder}/config</Value>"
    assert names(graded, OCIO=str(other)) == {"other/config.ocio"}
    monkeypatch.setenv("OCIO", str(other))
    assert [config.source for config in scan(graded.save()).colour] == ["project"]
    graded.knobs.clear()
    assert [config.source for config in scan(graded.save()).colour] == ["OCIO"]


def test_preference(graded: Any) -> None:
    settings = f'[General]\nocioConfig=Custom config\nocioCustomConfigFile="{graded.folder}/config/config.ocio"\n'
    graded.file(".config/INRIA/Natron.conf", settings)
    assert names(graded, HOME=str(graded.folder)) == SENT
    graded.file(".config/INRIA/Natron.conf", settings.replace("Custom config", "blender"))
    assert names(graded, HOME=str(graded.folder)) == set()


def test_of_a_node(graded: Any, knob: Any) -> None:
    graded.nodes.clear()
    graded.read("R", graded.footage("bg.%04d.png"), ocioConfigFile=str(graded.folder / "config/config.ocio"))
    graded.write("W", "R", frames=(1, 1))
    assert names(graded) == SENT


def test_own_config_of_natron_is_in_the_image(graded: Any, codes: Any) -> None:
    graded.knobs["projectPaths"] = "<Name>OCIO</Name><Value>/x/Resources/OpenColorIO-Configs/blender</Value>"
    assert names(graded) == set()
    assert codes(graded) == {"colour-config": "info"}


def test_not_found(graded: Any, codes: Any) -> None:
    assert codes(graded, environment={"OCIO": "/gone/config.ocio"})["colour-config-missing"] == "error"
    said = codes(graded, environment={"OCIO": str(graded.folder / "config/config.ocio")})
    assert said == {"colour-lut-missing": "warning", "colour-config": "info"}


def test_context_variables(graded: Any) -> None:
    config = CONFIG.replace("luts:filmic", "luts/$SHOT:$MORE").replace(
        "roles:", "environment:\n  SHOT: s010\n  MORE: filmic\nroles:"
    )
    graded.file("config/config.ocio", config)
    graded.file("config/luts/s020/srgb.spi1d")
    sent = names(graded, OCIO=str(graded.folder / "config/config.ocio"), SHOT="s020")
    assert sent == {"config/config.ocio", "config/luts/s020/srgb.spi1d", "config/filmic/my film.cube"}


def test_unknown_context_takes_all(graded: Any) -> None:
    graded.file("config/config.ocio", CONFIG.replace("srgb.spi1d", "$SHOT.spi1d"))
    assert names(graded, OCIO=str(graded.folder / "config/config.ocio")) == SENT | {"config/luts/unused.cube"}


def test_snapshot_keeps_the_layout(graded: Any, tmp_path: Path) -> None:
    config = graded.folder / "config/config.ocio"
    packed = snapshot(scan(graded.save(), environment={"OCIO": str(config)}), tmp_path / "to")
    assert packed.environment == {"OCIO": f"{JOB_ROOT}/in/d0001/config.ocio"}
    jobs = {job for _, job in packed.files if not job.endswith(".png")}
    assert jobs == {"in/d0001/config.ocio", "in/d0001/luts/srgb.spi1d", "in/d0001/filmic/my film.cube"}


def test_snapshot_brings_far_luts_near(graded: Any, tmp_path: Path) -> None:
    far = graded.file("library/srgb.spi1d")
    film = graded.file("films/my film.cube")
    text = CONFIG.replace('"luts:filmic"', str(far.parent)).replace("my film.cube", str(film))
    config = graded.file("config/config.ocio", text)
    packed = snapshot(scan(graded.save(), environment={"OCIO": str(config)}), tmp_path / "to")
    placed = dict((job, source) for source, job in packed.files)
    rewritten = placed["in/d0001/config.ocio"].read_text()
    assert str(graded.folder) not in rewritten
    assert set(search_path(rewritten)) == {"outside/d0", "outside/d1"}
    assert {placed[f"in/d0001/outside/d0/{far.name}"], placed[f"in/d0001/outside/d1/{film.name}"]} == {far, film}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search_path: luts", ["luts"]),
        ('search_path: "a:b"', ["a", "b"]),
        ("search_path: [a, b]", ["a", "b"]),
        ("search_path:\n  - a\n  - b c\nroles:", ["a", "b c"]),
        ("search_path:\nroles:", []),
        ("roles:", []),
    ],
)
def test_search_path(text: str, expected: list[str]) -> None:
    assert search_path(text) == expected


def test_sources() -> None:
    assert sources(CONFIG) == ["srgb.spi1d", "my film.cube", "gone.cube"]
