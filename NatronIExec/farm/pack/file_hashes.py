"""SHA-256 of many files, remembered while they do not change.

A cached hash is valid while the file's path, size, mtime, inode and ctime (times in nanoseconds) are unchanged. The
cache is read and written in batches, one transaction each. It may be deleted: everything is then hashed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from NatronIExec import paths
from NatronIExec.errors import Cancelled

#: Reading and hashing release the GIL; more threads than cores hide the latency of network folders.
THREADS = max(4, min(16, os.cpu_count() or 1))
#: Block size in bytes, small enough to stay in a core's cache between reading and hashing.
_BLOCK = 1 << 18
#: SQLite's smallest limit on parameters is 999.
_ASKED_AT_ONCE = 900
_WRITTEN_AT_ONCE = 2000
#: Hashes of files that changed this recently are not cached: a second change could have the same timestamp.
_FRESH_NS = 2_000_000_000

#: size, mtime_ns, inode, ctime_ns
Key = tuple[int, int, int, int]
Progress = Callable[[int, int, str], None]


class Hashes:
    """Safe for several threads, and for several processes on one cache."""

    def __init__(self, cache: Path | None = None, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._file = cache or paths.cache() / "hashes.sqlite"
        self._clock_ns = clock_ns

    def of(
        self,
        files: Sequence[Path],
        cancel: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
    ) -> dict[Path, str]:
        """SHA-256 in hex of each. `progress` gets bytes hashed, bytes to hash. Raises OSError for a file that cannot
        be read, Cancelled when asked to stop; what was hashed until then is remembered."""
        keys = {str(file): _key_of(os.stat(file)) for file in dict.fromkeys(files)}
        with _opened(self._file) as db:
            known = _known(db, keys)
        new = [path for path in keys if path not in known]
        if new:
            work = _Work(keys, new, cancel, progress)
            try:
                work.run()
            finally:
                self._remember(work.found)
            known.update((path, digest) for path, (digest, _) in work.found.items())
        return {file: known[str(file)].hex() for file in files}

    def _remember(self, found: dict[str, tuple[bytes, Key]]) -> None:
        latest = self._clock_ns() - _FRESH_NS
        rows = [(path, *key, digest) for path, (digest, key) in found.items() if max(key[1], key[3]) < latest]
        with _opened(self._file) as db:
            for at in range(0, len(rows), _WRITTEN_AT_ONCE):
                with contextlib.suppress(sqlite3.Error), db:
                    db.executemany(
                        "INSERT OR REPLACE INTO hashes VALUES (?,?,?,?,?,?)", rows[at : at + _WRITTEN_AT_ONCE]
                    )


class _Work:
    """One batch. Threads take the largest files first, so that the last ones to finish are small."""

    def __init__(
        self, keys: dict[str, Key], new: list[str], cancel: Callable[[], bool], progress: Progress | None
    ) -> None:
        self.found: dict[str, tuple[bytes, Key]] = {}
        self._waiting = sorted(new, key=lambda path: keys[path][0])
        self._total = sum(keys[path][0] for path in new)
        self._done = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._cancel = cancel
        self._progress = progress

    def run(self) -> None:
        count = min(THREADS, len(self._waiting))
        with ThreadPoolExecutor(count) as threads:
            for finished in [threads.submit(self._thread) for _ in range(count)]:
                finished.result()

    def _thread(self) -> None:
        buffer = memoryview(bytearray(_BLOCK))
        try:
            while not self._stop.is_set():
                try:
                    path = self._waiting.pop()
                except IndexError:
                    return
                self.found[path] = _hashed(path, buffer, self._pause)
        except BaseException:
            self._stop.set()
            raise

    def _pause(self, count: int) -> None:
        """Between two blocks: stop when asked to or when another thread failed."""
        if self._stop.is_set() or self._cancel():
            raise Cancelled("Cancelled.")
        if self._progress:
            with self._lock:
                self._done += count
                self._progress(min(self._done, self._total), self._total, "Reading the files")


def sha256_of(file: Path, cancel: Callable[[], bool] = lambda: False) -> str:
    def pause(_: int) -> None:
        if cancel():
            raise Cancelled("Cancelled.")

    return _hashed(str(file), memoryview(bytearray(_BLOCK)), pause)[0].hex()


def _hashed(path: str, buffer: memoryview, pause: Callable[[int], None]) -> tuple[bytes, Key]:
    """The digest and the cache key of what was read. If the file changed while it was read, the key is one that never
    matches."""
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        before = _key_of(os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as content:
            while count := content.readinto(buffer):
                digest.update(buffer[:count])
                pause(count)
        after = _key_of(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    return digest.digest(), after if before == after else (-1, 0, 0, 0)


def _key_of(facts: os.stat_result) -> Key:
    return facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns


def _known(db: sqlite3.Connection, keys: dict[str, Key]) -> dict[str, bytes]:
    wanted = list(keys)
    known: dict[str, bytes] = {}
    for at in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[at : at + _ASKED_AT_ONCE]
        marks = ",".join("?" * len(some))
        with contextlib.suppress(sqlite3.Error):
            for path, *key, digest in db.execute(f"SELECT * FROM hashes WHERE path IN ({marks})", some):
                if tuple(key) == keys[path]:
                    known[path] = digest
    return known


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Opens the cache's database. A damaged one is recreated; if the file cannot be used, an empty database in memory
    is used."""
    paths.private_folder(file.parent)
    try:
        db = _connected(str(file))
    except sqlite3.OperationalError:
        db = _connected(":memory:")
    except sqlite3.DatabaseError:
        file.unlink()
        db = _connected(str(file))
    try:
        yield db
    finally:
        db.close()


def _connected(name: str) -> sqlite3.Connection:
    db = sqlite3.connect(name, timeout=10)
    try:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(
            "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, "
            "inode INTEGER, ctime_ns INTEGER, sha256 BLOB) WITHOUT ROWID"
        )
    except sqlite3.Error:
        db.close()
        raise
    return db
