"""The result archive of a worker. Nothing in it is trusted: neither names nor sizes nor the archive's structure."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Callable, Iterator

from NatronIExec.errors import ResultRefused
from NatronIExec.iexec.transport import Transport
from NatronIExec.wire import load_json

MAX_ENTRIES = 20_000
MAX_UNPACKED = 64 * 1024**3
#: deflate cannot do better than 1032:1, and a black picture without compression of its own comes near it.
MAX_RATIO = 1032
#: An entry of the directory is 46 bytes and its name; `frames/…` is far below this.
MAX_DIRECTORY = MAX_ENTRIES * 256
_BLOCK = 1 << 18
#: The records at an archive's end (APPNOTE 4.3.14 to 4.3.16): how many entries there are, and the directory's size.
_END, _END_FORMAT, _MAX_COMMENT = b"PK\5\6", "<4s4H2LH", 1 << 16
_LOCATOR, _LOCATOR_FORMAT = b"PK\6\7", "<4sLQL"
_END64, _END64_FORMAT = b"PK\6\6", "<4sQ2H2L4Q"
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)
_LOCATION = re.compile(r"/ipfs/[A-Za-z0-9]{40,100}")


def result_location(results: bytes) -> str:
    """`/ipfs/<cid>` from the on-chain results JSON. Raises ResultRefused when it names no such place."""
    try:
        found = load_json(results)
        location = found["location"] if found["storage"] == "ipfs" else ""
    except (ValueError, KeyError, TypeError) as problem:
        raise ResultRefused("The worker left no link to its result.", "The task can be bought again.") from problem
    if not isinstance(location, str) or not _LOCATION.fullmatch(location):
        raise ResultRefused("The worker left an invalid link to its result.", "The task can be bought again.")
    return location


def fetch_result(
    transport: Transport,
    gateway: str,
    location: str,
    to: Path,
    max_bytes: int,
    cancel: Callable[[], bool] = lambda: False,
) -> None:
    """Download the archive to `to`, resuming an earlier part. Raises Unreachable while the gateway has it not yet."""
    transport.stream(f"{gateway}{location}", to, max_bytes, cancel)


class ResultArchive:
    """A zip file from a stranger. Opening it checks its whole directory; reading stops at the size that the caller
    expects.

    Refused: absolute names, `..`, back-slashes, drive letters, links, devices, encrypted or repeated entries, too many
    of them, more in them than fits into a file of its size (entries that share their content).
    """

    def __init__(self, path: Path) -> None:
        """Raises ResultRefused for what is in the file, OSError when the file cannot be opened."""
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = self._opened()
            self._inspect()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ResultArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        """The files in it, folders left out."""
        return list(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        """A small file, at most `limit` bytes."""
        return b"".join(self._blocks(name, limit))

    def extract(self, name: str, to: Path, limit: int) -> str:
        """Write one file to `to` and return its SHA-256 in hex; `to` is the caller's choice, never the archive's."""
        digest = hashlib.sha256()
        with to.open("wb") as file:
            for block in self._blocks(name, limit):
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    def size(self, name: str) -> int:
        """The size that the entry claims."""
        return self._entry(name).file_size

    def _entry(self, name: str) -> zipfile.ZipInfo:
        if name not in self._entries:
            raise _refused(f"{name} is not in it")
        return self._entries[name]

    def _opened(self) -> zipfile.ZipFile:
        try:
            _check_directory(self._file)
            return zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
            raise _refused("it is no zip archive") from problem

    def _inspect(self) -> None:
        infos = self._zip.infolist()
        _check_entries(len(infos))
        for info in infos:
            _check_name(info.filename)
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused("it holds a link or a device")
            if info.flag_bits & 1:
                raise _refused("it is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused("it uses a compression that workers do not use")
            if info.is_dir():
                continue
            if info.filename in self._entries:
                raise _refused("it holds the same name twice")
            self._entries[info.filename] = info
        total = sum(info.file_size for info in self._entries.values())
        if total > MAX_UNPACKED or total > MAX_RATIO * self._size:
            raise _refused(f"it would unpack to {total} bytes")

    def _blocks(self, name: str, limit: int) -> Iterator[bytes]:
        """The unpacked bytes, block by block. The sizes in the directory may be false, so the bytes that come out are
        counted. An error of the caller (a full disk) is not taken for a bad archive."""
        entry = self._entry(name)
        count = 0
        try:
            with self._zip.open(entry) as source:
                while block := source.read(_BLOCK):
                    count += len(block)
                    if count > limit:
                        raise _refused(f"{name} is larger than {limit} bytes")
                    yield block
        except _DAMAGE as problem:
            raise _refused(f"{name} is damaged") from problem


def _check_directory(file: BinaryIO) -> None:
    """Check the directory's size, as the end of the file states it, before zipfile reads the whole directory into
    memory. A file without such an end is left to zipfile, which refuses it."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _MAX_COMMENT - struct.calcsize(_END_FORMAT))
    file.seek(start)
    tail = file.read()
    file.seek(0)
    # zipfile tries the very end first, then the last place that looks like one
    for at in {len(tail) - struct.calcsize(_END_FORMAT), tail.rfind(_END)}:
        for entries, directory in _ends(file, start + at):
            _check_entries(entries)
            if directory > MAX_DIRECTORY:
                raise _refused(f"its directory takes {directory} bytes")


def _check_entries(entries: int) -> None:
    if entries > MAX_ENTRIES:
        raise _refused(f"it holds {entries} entries")


def _ends(file: BinaryIO, at: int) -> list[tuple[int, int]]:
    """(entries, bytes of the directory) as the record at `at` says, and as the larger form before it does, which may
    be where its locator points or right before that."""
    end = _record(file, at, _END, _END_FORMAT)
    if end is None:
        return []
    before = at - struct.calcsize(_LOCATOR_FORMAT)
    locator = _record(file, before, _LOCATOR, _LOCATOR_FORMAT)
    places = [locator[2], before - struct.calcsize(_END64_FORMAT)] if locator else []
    large = [found for place in places if (found := _record(file, place, _END64, _END64_FORMAT))]
    small = [] if large and end[5] == 0xFFFFFFFF else [(0 if large else end[4], end[5])]
    return [*small, *((found[7], found[8]) for found in large)]


def _record(file: BinaryIO, at: int, mark: bytes, form: str) -> tuple[Any, ...] | None:
    size = struct.calcsize(form)
    if not 0 <= at < 1 << 62:
        return None
    file.seek(at)
    content = file.read(size)
    file.seek(0)
    return struct.unpack(form, content) if len(content) == size and content.startswith(mark) else None


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if (
        not name
        or name.startswith("/")
        or "\\" in name
        or "\x00" in name
        or ":" in name
        or ".." in path.parts
        or len(name) > 500
    ):
        raise _refused("a name in it leads out of it")


def _refused(why: str) -> ResultRefused:
    return ResultRefused(f"The worker's archive is refused: {why}.", "The task can be bought again.")
