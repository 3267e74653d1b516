from __future__ import annotations

import json
from typing import Any

import pytest

from NatronIExec.errors import BadInput
from NatronIExec.manifest import Chunk, Frame, FrameList, InputFile, Manifest, ManifestWriter

MANIFEST = Manifest(
    job="j1",
    project=0,
    writers=(ManifestWriter("Write1", "exr", ("left", "right")),),
    files=(InputFile("project.ntp", "aa", 3, "Qm1"), InputFile("in/bg é.0001.png", "bb", 4, "Qm2", 20)),
    chunks=(Chunk(0, 0, (1, 2), (0, 1)),),
    gateways=("http://127.0.0.1:1",),
    clips=((1,),),
    environment={"OCIO": "x"},
)
FRAMES = FrameList("j1", 0, "Write1", (Frame(1, "left", "frames/000001.left.exr", 12, "cc"),))


def test_both_records_survive_the_journey() -> None:
    assert Manifest.from_bytes(MANIFEST.to_bytes()) == MANIFEST
    assert FrameList.from_bytes(FRAMES.to_bytes()) == FRAMES


def test_equal_records_have_equal_bytes() -> None:
    again = Manifest.from_bytes(MANIFEST.to_bytes())
    assert again.to_bytes() == MANIFEST.to_bytes()
    assert b" " not in FRAMES.to_bytes()


@pytest.mark.parametrize("record", [MANIFEST, FRAMES])
@pytest.mark.parametrize("damage", ["", "[]", "{}", "null", '{"schema": 2}', '{"schema": 1}', "[" * 100_000])
def test_anything_else_is_refused_in_words(record: Manifest | FrameList, damage: str) -> None:
    with pytest.raises(BadInput):
        type(record).from_bytes(damage.encode())


#: Manifests of jobs that were bought before it was known have no limit: 0.
OPTIONAL = {"memory_limit"}


@pytest.mark.parametrize("key", sorted(set(json.loads(MANIFEST.to_bytes())) - OPTIONAL))
def test_a_manifest_without_any_of_its_keys_is_refused(key: str) -> None:
    wire: dict[str, Any] = json.loads(MANIFEST.to_bytes())
    del wire[key]
    with pytest.raises(BadInput):
        Manifest.from_bytes(json.dumps(wire).encode())
