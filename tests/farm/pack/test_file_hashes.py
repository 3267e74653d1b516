"""Hashes are those of what is on disk now, whatever the cache remembers."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from NatronIExec.errors import Cancelled
from NatronIExec.farm.pack.file_hashes import Hashes, sha256_of

LATER = 10_000_000_000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = []
    for at in range(20):
        path = tmp_path / "plates" / f"f.{at:04d}.exr"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes([at]) * (1000 + at))
        made.append(path)
    return made


def later(cache: Path) -> Hashes:
    """A cache whose clock is so far ahead that nothing is too fresh to be remembered."""
    import time

    return Hashes(cache, clock_ns=lambda: time.time_ns() + LATER)


def plain(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_bytes_of(hashes: Hashes, files: list[Path]) -> int:
    """Bytes that were hashed, not remembered."""
    seen = [0]
    hashes.of(files, progress=lambda done, total, what: seen.append(done))
    return seen[-1]


def test_right_and_remembered(files: list[Path], tmp_path: Path) -> None:
    hashes = later(tmp_path / "cache" / "h.sqlite")
    expected = {path: plain(path) for path in files}
    assert hashes.of([*files, files[0]]) == expected
    assert read_bytes_of(hashes, files) == 0
    assert hashes.of(files) == expected
    assert read_bytes_of(later(tmp_path / "cache" / "h.sqlite"), files) == 0


@pytest.mark.parametrize("restore", ["nothing", "mtime"])
def test_change_is_seen(files: list[Path], tmp_path: Path, restore: str) -> None:
    """Also of a file of the same size whose mtime was put back: its ctime tells."""
    hashes = later(tmp_path / "h.sqlite")
    hashes.of(files)
    facts = files[3].stat()
    files[3].write_bytes(b"?" * facts.st_size)
    if restore == "mtime":
        os.utime(files[3], ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert hashes.of(files)[files[3]] == plain(files[3])


def test_replaced_by_another_file(files: list[Path], tmp_path: Path) -> None:
    hashes = later(tmp_path / "h.sqlite")
    hashes.of(files)
    other = tmp_path / "other"
    other.write_bytes(b"!" * files[3].stat().st_size)
    os.utime(other, ns=(0, files[3].stat().st_mtime_ns))
    os.replace(other, files[3])
    assert hashes.of(files)[files[3]] == plain(files[3])


def test_fresh_files_are_not_remembered(files: list[Path], tmp_path: Path) -> None:
    hashes = Hashes(tmp_path / "h.sqlite", clock_ns=lambda: files[0].stat().st_mtime_ns)
    hashes.of(files)
    assert read_bytes_of(hashes, files) == sum(path.stat().st_size for path in files)


def test_damaged_cache(files: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "h.sqlite"
    cache.write_bytes(b"this is no database at all, but long enough to look at" * 40)
    assert later(cache).of(files) == {path: plain(path) for path in files}
    assert read_bytes_of(later(cache), files) == 0


def test_cache_that_cannot_be_made(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "h.sqlite").mkdir()
    assert later(tmp_path / "h.sqlite").of(files) == {path: plain(path) for path in files}


def test_cancel_keeps_what_is_done(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(64 << 20)
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(Cancelled):
        later(tmp_path / "h.sqlite").of([big], cancel)
    assert len(asked) < 10


def test_failure_stops_all(files: list[Path], tmp_path: Path) -> None:
    hashes = later(tmp_path / "h.sqlite")
    with pytest.raises(OSError, match="gone"):
        hashes.of([*files, tmp_path / "gone"])


def test_several_threads_on_one_cache(files: list[Path], tmp_path: Path) -> None:
    expected = {path: plain(path) for path in files}
    answers: list[bool] = []

    def ask() -> None:
        answers.append(later(tmp_path / "h.sqlite").of(files) == expected)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 6


def test_empty_and_large(tmp_path: Path) -> None:
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.write_bytes(b"")
    large.write_bytes(os.urandom(1000) * 5000)
    assert later(tmp_path / "h.sqlite").of([empty, large]) == {empty: plain(empty), large: plain(large)}
    assert sha256_of(large) == plain(large)
    assert later(tmp_path / "h.sqlite").of([]) == {}
