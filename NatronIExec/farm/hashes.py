"""SHA-256 of many files, remembered while they do not change.

`Hashes.of` is what the bundle asks; the cache is keyed by path, size, mtime, inode and ctime, and written in one
transaction a batch.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from NatronIExec import paths
from NatronIExec.errors import Cancelled

THREADS = 4
_BLOCK = 1 << 20

#: size, mtime_ns, inode, ctime_ns
Key = tuple[int, int, int, int]


class Hashes:
    """Safe for several threads. A cache that cannot be read is begun anew: it can be thrown away."""

    def __init__(self, cache: Path | None = None) -> None:
        self._file = cache or paths.cache() / "hashes.sqlite"
        self._lock = threading.Lock()

    def of(self, files: Sequence[Path], cancel: Callable[[], bool] = lambda: False) -> dict[Path, str]:
        """SHA-256 in hex of each. Raises OSError for a file that cannot be read, Cancelled when asked to stop."""
        keys = {file: _key(file) for file in dict.fromkeys(files)}
        with self._lock, _opened(self._file) as db:
            known = self._known(db, keys)
            new = [file for file in keys if file not in known]
            with ThreadPoolExecutor(THREADS) as threads:
                found = dict(zip(new, threads.map(lambda file: sha256_of(file, cancel), new)))
            rows = [(str(file), *keys[file], bytes.fromhex(digest)) for file, digest in found.items()]
            with db:
                db.executemany("INSERT OR REPLACE INTO hashes VALUES (?,?,?,?,?,?)", rows)
        return {**known, **found}

    def _known(self, db: sqlite3.Connection, keys: dict[Path, Key]) -> dict[Path, str]:
        known: dict[Path, str] = {}
        for file, key in keys.items():
            row = db.execute(
                "SELECT sha256 FROM hashes WHERE path=? AND size=? AND mtime_ns=? AND inode=? AND ctime_ns=?",
                (str(file), *key),
            ).fetchone()
            if row:
                known[file] = row[0].hex()
        return known


def sha256_of(file: Path, cancel: Callable[[], bool] = lambda: False) -> str:
    digest, block = hashlib.sha256(), bytearray(_BLOCK)
    view = memoryview(block)
    with file.open("rb", buffering=0) as content:
        while count := content.readinto(block):
            if cancel():
                raise Cancelled("Cancelled.")
            digest.update(view[:count])
    return digest.hexdigest()


def _key(file: Path) -> Key:
    facts = os.stat(file)
    return facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns


class _opened:
    """The cache's database, made when it is not there."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> sqlite3.Connection:
        paths.private_folder(self._file.parent)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError:
            self._file.unlink()
            self._db = self._open()
        return self._db

    def __exit__(self, *_: object) -> Iterator[None] | None:
        self._db.close()
        return None

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(str(self._file), timeout=30)
        db.execute(
            "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, "
            "inode INTEGER, ctime_ns INTEGER, sha256 BLOB) WITHOUT ROWID"
        )
        return db
