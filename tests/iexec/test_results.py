"""Archives from strangers."""

from __future__ import annotations

import copy
import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Callable

import pytest

from NatronIExec.errors import ResultRefused
from NatronIExec.iexec.results import ResultArchive, result_location


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    def make(*entries: tuple[object, bytes]) -> Path:
        path = tmp_path / "result.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries:
                archive.writestr(name, content)  # type: ignore[arg-type]
        return path

    return make


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_an_honest_archive(packed: Callable[..., Path], tmp_path: Path) -> None:
    with ResultArchive(packed(("frames.json", b"{}"), ("frames/1.png", b"picture"))) as archive:
        assert archive.names == ["frames.json", "frames/1.png"]
        assert archive.read("frames.json", 10) == b"{}"
        assert archive.size("frames/1.png") == 7
        digest = archive.extract("frames/1.png", tmp_path / "out", 10)
        assert len(digest) == 64
        assert (tmp_path / "out").read_bytes() == b"picture"
        with pytest.raises(ResultRefused, match="larger than 3"):
            archive.read("frames/1.png", 3)
        with pytest.raises(ResultRefused, match="not in it"):
            archive.read("nothing", 3)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "c:\\x", "a\\b", "frames:stream", "a" * 600])
def test_names_that_lead_out_of_it(packed: Callable[..., Path], name: str) -> None:
    with pytest.raises(ResultRefused, match="leads out"):
        ResultArchive(packed((name, b"x")))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o666, stat.S_IFIFO | 0o666])
def test_links_and_devices(packed: Callable[..., Path], mode: int) -> None:
    with pytest.raises(ResultRefused, match="link or a device"):
        ResultArchive(packed((entry("frames/1.png", mode), b"/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(packed: Callable[..., Path]) -> None:
    with pytest.raises(ResultRefused, match="twice"):
        ResultArchive(packed(("a", b"1"), ("a", b"2")))


def test_black_frames_are_no_bomb(packed: Callable[..., Path], tmp_path: Path) -> None:
    black = bytes(50_000_000)
    with ResultArchive(packed(("frames/1.tif", black), ("frames/2.tif", black))) as archive:
        archive.extract("frames/2.tif", tmp_path / "out", len(black))
    assert (tmp_path / "out").stat().st_size == len(black)


def test_a_bomb_whose_entries_share_their_content(tmp_path: Path) -> None:
    path = tmp_path / "result.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(50_000_000))
        for number in range(9):
            shared = copy.copy(archive.filelist[0])
            shared.filename = f"b{number}"
            archive.filelist.append(shared)
    with pytest.raises(ResultRefused, match="would unpack to 500000000"):
        ResultArchive(path)


def test_a_bomb_that_says_how_large_it_is(packed: Callable[..., Path]) -> None:
    path = packed(("a", b"x" * 5000))
    path.write_bytes(path.read_bytes().replace((5000).to_bytes(4, "little"), (2**31).to_bytes(4, "little")))
    with pytest.raises(ResultRefused, match="would unpack"):
        ResultArchive(path)


def test_another_packing_than_workers_use(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", bytes(50_000_000))
    with pytest.raises(ResultRefused, match="do not use"):
        ResultArchive(tmp_path / "x")


def test_too_many_entries(packed: Callable[..., Path]) -> None:
    with pytest.raises(ResultRefused, match="20001 entries"):
        ResultArchive(packed(*((f"{n}", b"") for n in range(20_001))))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What zipfile was given to parse."""
    seen: list[object] = []
    real = zipfile.ZipFile._RealGetContents  # type: ignore[attr-defined]
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", lambda own: (seen.append(own), real(own)))
    return seen


@pytest.mark.parametrize("comment", [b"", b"a comment of the worker's"])
def test_a_huge_directory_is_refused_before_it_is_read(tmp_path: Path, parsed: list[object], comment: bytes) -> None:
    """A hundred thousand entries: more than the old form of the record can count."""
    path = tmp_path / "result.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
        archive.filelist = [copy.copy(archive.filelist[0]) for _ in range(100_000)]
        archive.comment = comment
    with pytest.raises(ResultRefused, match="100000 entries"):
        ResultArchive(path)
    assert parsed == []


@pytest.mark.parametrize("large", [False, True])
def test_a_directory_of_few_that_is_huge(tmp_path: Path, parsed: list[object], large: bool) -> None:
    """The count lies, or the names are long."""
    path = tmp_path / "result.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
        for number in range(100):
            archive.filelist.append(copy.copy(archive.filelist[0]))
            archive.filelist[-1].filename = f"{number:065000}"
        if large:
            archive.filelist[-1].header_offset = 2**32  # needs the larger form of the records
    with pytest.raises(ResultRefused, match="directory takes 6"):
        ResultArchive(path)
    assert parsed == []


def test_the_larger_form_of_the_records_is_read(tmp_path: Path) -> None:
    """What zipfile writes of 65 536 entries and of files beyond 4 GiB."""
    path = tmp_path / "result.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
    plain = path.read_bytes()
    at = plain.rfind(b"PK\5\6")
    entries, size, offset = struct.unpack("<H2L", plain[at + 10 : at + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(plain[:at] + record + locator + end)
    with ResultArchive(path) as archive:
        assert archive.read("a", 10) == b"1"


def test_damage(packed: Callable[..., Path]) -> None:
    path = packed(("a", bytes(range(256)) * 50))
    content = bytearray(path.read_bytes())
    content[60:200] = bytes(140)
    path.write_bytes(content)
    with ResultArchive(path) as archive, pytest.raises(ResultRefused, match="damaged"):
        archive.read("a", 10**6)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04" + bytes(50)])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ResultRefused, match="no zip"):
        ResultArchive(tmp_path / "x")


def test_sizes_that_lie(tmp_path: Path) -> None:
    """The directory says 10 bytes; more come out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"x" * 5000)
    content = buffer.getvalue().replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "x").write_bytes(content)
    with ResultArchive(tmp_path / "x") as opened, pytest.raises(ResultRefused):
        opened.read("a", 100)


@pytest.mark.parametrize(
    "results",
    [b"", b"{}", b'{"storage": "ipfs"}', b'{"storage": "http", "location": "/ipfs/Qm"}',
     b'{"storage": "ipfs", "location": "/ipfs/../../etc"}', b'{"storage": "ipfs", "location": 5}', b"[" * 9000],
)  # fmt: skip
def test_links_that_lead_nowhere(results: bytes) -> None:
    with pytest.raises(ResultRefused):
        result_location(results)


def test_a_link() -> None:
    place = "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
    assert result_location(b'{ "storage": "ipfs", "location": "%s" }' % place.encode()) == place


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_not_the_workers_fault(packed: Callable[..., Path]) -> None:
    with ResultArchive(packed(("frames/1.png", b"p" * 100_000))) as archive, pytest.raises(OSError, match="space"):
        archive.extract("frames/1.png", Path("/dev/full"), 100_000)


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ResultArchive(tmp_path / "gone.zip")
