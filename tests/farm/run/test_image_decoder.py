"""Pictures that were made to break what opens them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Iterator

import pytest

from NatronIExec import images
from NatronIExec.errors import BadInput
from NatronIExec.farm.run.image_decoder import Decoder


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    made = Decoder()
    yield made
    made.stop()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    images.draw_slate(tmp_path / "frame 1 é.png", (64, 36), ["1"], 0.5)
    return tmp_path / "frame 1 é.png"


def program(tmp_path: Path, body: str) -> Decoder:
    file = tmp_path / "program.py"
    file.write_text(body)
    return Decoder((sys.executable, str(file)))


def test_it_answers_as_images_does(decoder: Decoder, picture: Path, tmp_path: Path) -> None:
    decoder.check(picture)
    assert decoder.pixel_hash(picture) == images.pixel_hash(picture)
    decoder.thumbnail_png(picture, 16, tmp_path / "small.png")
    assert images.check(tmp_path / "small.png").width == 16
    picture.write_bytes(picture.read_bytes()[:100])
    with pytest.raises(BadInput, match="damaged|picture"):
        decoder.check(picture)


def test_one_that_was_killed_is_started_again(decoder: Decoder, picture: Path) -> None:
    decoder.check(picture)
    child = decoder._idle[0]._child
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    decoder.check(picture)


@pytest.mark.parametrize("end", ["import os; os.abort()", "print('no json', flush=True)"])
def test_a_picture_that_ends_its_decoder_is_none(tmp_path: Path, picture: Path, end: str) -> None:
    broken = program(tmp_path, f"print('ready', flush=True)\ninput()\n{end}\n")
    with pytest.raises(BadInput, match="cannot be decoded"):
        broken.check(picture)


def test_a_decoder_that_does_not_start_is_no_pictures_fault(tmp_path: Path, picture: Path) -> None:
    with pytest.raises(OSError, match="does not start"):
        program(tmp_path, "raise SystemExit(1)").check(picture)


def test_a_picture_that_takes_for_ever(tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = program(tmp_path, "print('ready', flush=True)\nwhile True:\n    input()\n")
    monkeypatch.setattr("NatronIExec.farm.run.image_decoder.PATIENCE_S", 0.05)
    with pytest.raises(BadInput, match="cannot be decoded"):
        stuck.check(picture)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of memory there")
def test_it_may_not_fill_the_memory(decoder: Decoder, picture: Path) -> None:
    decoder.check(picture)
    limits = Path(f"/proc/{decoder._idle[0]._child.pid}/limits")
    if not limits.exists():
        pytest.skip("this system does not show a process's limits")
    address_space = next(line for line in limits.read_text().splitlines() if line.startswith("Max address space"))
    assert address_space.split()[3] == str(8 << 30)


def test_what_a_library_prints_is_no_answer(decoder: Decoder, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    for _ in range(3):
        with pytest.raises(BadInput):
            decoder.check(tmp_path / "cut.png")
    assert len(decoder._idle) == 1
