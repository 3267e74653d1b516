"""Settings, redaction, sealing, pictures."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from NatronIExec import images, log, seal, settings
from NatronIExec.errors import BadInput, ResultRefused
from NatronIExec.redaction import Redactor
from NatronIExec.wire import load_json


def test_settings_are_kept_and_checked(home: Path) -> None:
    assert settings.load() == settings.Settings()
    settings.save(settings.changed(settings.load(), {"job_cap_nrlc": 5, "notify": False, "s3": {"bucket": "b"}}))
    file = home / "settings.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "of_a_newer_version": 1}))
    found = settings.load()
    assert (found.job_cap_nrlc, found.notify, found.s3) == (5, False, {"bucket": "b"})
    settings.save(found)
    assert json.loads(file.read_text())["of_a_newer_version"] == 1
    assert os.stat(file).st_mode & 0o777 == 0o600
    changes: list[dict[str, Any]] = [{"job_cap_nrlc": "5"}, {"notify": 1}, {"lock_after_s": -1}, {"colour": "red"}]
    for wrong in changes:
        with pytest.raises(BadInput):
            settings.changed(found, wrong)
    assert "password" not in json.dumps(settings.help_text("network"))


@pytest.mark.parametrize("content", ["{", "[]", '{"notify": 7}'])
def test_damaged_settings_are_put_aside(home: Path, content: str) -> None:
    home.mkdir()
    (home / "settings.json").write_text(content)
    assert settings.load() == settings.Settings()
    assert [path.read_text() for path in home.glob("settings.json.damaged-*")] == [content]


def test_logs_hold_no_secret(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add_secret("correct horse battery")
    redactor.add_secret("abc")
    file = log.to_file("x", redactor, tmp_path)
    logger = log.get_logger("test")
    try:
        logger.info("the words are %s", "correct horse battery")
        logger.info('{"password": "typed twice", "n": 1}')
        logger.info("private key 0x" + "4c" * 32)
        logger.info("hash 0x" + "77" * 32)
        try:
            raise ValueError("mnemonic=one-two-three correct horse battery")
        except ValueError:
            logger.exception("failed")
    finally:
        for handler in list(logging.getLogger("NatronIExec").handlers):
            logging.getLogger("NatronIExec").removeHandler(handler)
            handler.close()
    text = file.read_text()
    for secret in ("horse", "typed twice", "4c4c", "one-two"):
        assert secret not in text
    assert "77" * 32 in text
    assert os.stat(file).st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [0, 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 9_000_000])
def test_what_is_sealed_opens_only_whole_and_with_its_key(tmp_path: Path, size: int) -> None:
    plain, sealed, opened = tmp_path / "p", tmp_path / "s", tmp_path / "o"
    plain.write_bytes(os.urandom(min(size, 1000)) * (size // 1000 + 1) if size else b"")
    with plain.open("r+b") as file:
        file.truncate(size)
    key = seal.new_key()
    seal.seal_file(plain, sealed, key)
    assert sealed.stat().st_size == seal.sealed_size(size)
    seal.open_file(sealed, opened, key)
    assert opened.read_bytes() == plain.read_bytes()
    content = sealed.read_bytes()
    for broken in (content[:-1], content[:5], b"x" + content[1:], content[:-1] + bytes([content[-1] ^ 1])):
        sealed.write_bytes(broken)
        with pytest.raises(ResultRefused):
            seal.open_file(sealed, opened, key)
    sealed.write_bytes(content)
    with pytest.raises(ResultRefused):
        seal.open_file(sealed, opened, seal.new_key())


@pytest.mark.parametrize("size", [0, 5, 4 * 1024 * 1024 + 1])
def test_what_is_sealed_for_one_opens_for_nobody_else(tmp_path: Path, size: int) -> None:
    plain, sealed, opened = tmp_path / "p", tmp_path / "s", tmp_path / "o"
    plain.write_bytes(os.urandom(size))
    private, public = seal.new_pair()
    seal.seal_for(public, plain, sealed)
    assert sealed.stat().st_size == seal.sealed_for_size(size)
    seal.open_with(private, sealed, opened)
    assert opened.read_bytes() == plain.read_bytes()
    with pytest.raises(ResultRefused):
        seal.open_with(seal.new_pair()[0], sealed, opened)
    content = sealed.read_bytes()
    zero_point = content[:5] + bytes(32) + content[37:]
    for broken in (content[:-1], content[:20], zero_point, content[:6] + bytes([content[6] ^ 1]) + content[7:]):
        sealed.write_bytes(broken)
        with pytest.raises(ResultRefused):
            seal.open_with(private, sealed, opened)


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "exr"])
def test_pictures(tmp_path: Path, extension: str) -> None:
    picture = tmp_path / f"a.{extension}"
    images.draw_slate(picture, (64, 36), ["7", "Write1"], 0.5)
    facts = images.check(picture)
    assert (facts.width, facts.height) == (64, 36)
    other = tmp_path / f"b.{extension}"
    images.draw_slate(other, (64, 36), ["7", "Write1"], 0.5)
    assert images.pixel_hash(picture) == images.pixel_hash(other)
    images.draw_slate(other, (64, 36), ["8", "Write1"], 0.5)
    assert images.pixel_hash(picture) != images.pixel_hash(other)
    small = tmp_path / "t.png"
    images.thumbnail_png(picture, 32, small)
    assert (images.check(small).width, images.check(small).height) == (32, 18)
    sheet = tmp_path / "sheet.png"
    images.contact_sheet([picture, other], sheet)
    assert images.check(sheet).format == "png"
    picture.write_bytes(picture.read_bytes()[: picture.stat().st_size // 2])
    with pytest.raises(BadInput):
        images.check(picture)


@pytest.mark.parametrize("channel", range(4))
def test_the_hash_is_of_every_channel(tmp_path: Path, channel: int) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    hashes = set()
    for value in (0.25, 0.5):
        picture = oiio.ImageBuf(oiio.ImageSpec(300, 600, 4, "half"))
        oiio.ImageBufAlgo.fill(picture, tuple(value if at == channel else 0.25 for at in range(4)))
        assert picture.write(str(tmp_path / "a.exr"))
        hashes.add(images.pixel_hash(tmp_path / "a.exr"))
    assert len(hashes) == 2


def test_the_place_of_a_picture_counts(tmp_path: Path) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    hashes = set()
    for left, top, full in ((0, 0, 600), (500, 0, 600), (0, 5, 600), (0, 0, 700)):
        spec = oiio.ImageSpec(60, 40, 3, "half")
        spec.x, spec.y, spec.full_width, spec.full_height = left, top, full, 400
        assert oiio.ImageBuf(spec).write(str(tmp_path / "a.exr"))
        hashes.add(images.pixel_hash(tmp_path / "a.exr"))
        facts = images.check(tmp_path / "a.exr")
        assert (facts.width, facts.height, facts.full) == (60, 40, (full, 400))
    assert len(hashes) == 4


def test_a_picture_is_looked_through_in_strips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    for name, tile in (("lines.exr", 0), ("tiles.exr", 64), ("lines.tif", 0)):
        spec = oiio.ImageSpec(300, 700, 3, "half" if name.endswith("exr") else "uint16")
        spec.x, spec.y, spec.tile_width, spec.tile_height = (-8, -16, tile, tile) if tile else (0, 0, 0, 0)
        picture = oiio.ImageBuf(spec)
        oiio.ImageBufAlgo.noise(picture, "uniform", 0.0, 1.0, False, 7)
        assert picture.write(str(tmp_path / name))
        whole = images.pixel_hash(tmp_path / name)
        monkeypatch.setattr(images, "_STRIP", 1)
        assert images.pixel_hash(tmp_path / name) == whole
        monkeypatch.undo()


def test_what_is_no_picture(tmp_path: Path) -> None:
    for name, content in (("a.png", b"no"), ("a.py", b"import os"), ("a.exr", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput):
            images.check(tmp_path / name)
    assert images.is_picture("x.EXR")
    assert not images.is_picture("x.mov")


def test_json_from_strangers() -> None:
    assert load_json(b'{"a": ["[[[[", {"b": 1}]}') == {"a": ["[[[[", {"b": 1}]}
    assert load_json(json.dumps(["]" * 200, ["["] * 200])) == ["]" * 200, ["["] * 200]
    for deep in (b"[" * 100, b'["]",' * 100 + b"1" + b"]" * 100, b'{"a":' * 70 + b"1" + b"}" * 70):
        with pytest.raises(ValueError, match="deep"):
            load_json(deep)
    with pytest.raises(ValueError, match="Expecting"):
        load_json("{")
