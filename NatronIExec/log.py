"""Logging to files, never to stderr (Natron reads that as the failure of its own next script), and never a secret."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Set

from NatronIExec import paths
from NatronIExec.errors import NatronIExecError

_ROOT = "NatronIExec"
_HIDDEN = "[hidden]"
#: A private key, with or without 0x, after a word that says it is secret; hashes of the same length stay readable.
_KEY = re.compile(r"(?i)(key|secret|password|mnemonic|seed)(\W{1,4})(0x)?[0-9a-f]{64}\b")
_BARE_KEY = re.compile(r"(?i)(0x)?[0-9a-f]{64}\Z")
_PAIR = re.compile(
    r"(?i)([\"']?\b\w*(?:password|mnemonic|private_key|authkey)\w*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,}]+)"
)


class Redactor(logging.Filter):
    """Hides secrets in log messages and tracebacks: those that it was given, and text that looks like a password or a
    key."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: Set[str] = set()
        self._hidden: List[str] = []
        self._lock = threading.Lock()

    def add_secret(self, secret: str) -> None:
        """Hide `secret` until `forget`. Secrets of less than four characters are left to the patterns, as they would
        hide parts of ordinary words."""
        with self._lock:
            self._kept.update(_spellings(secret))

    @contextmanager
    def hiding(self, *secrets: str) -> Iterator[None]:
        """Hide `secrets` inside the block and drop them from memory afterwards. After an unexpected exception they stay
        hidden until `forget`, because its traceback is logged outside the block."""
        spelled = [spelling for secret in secrets for spelling in _spellings(secret)]
        with self._lock:
            self._hidden += spelled
        try:
            yield
        except NatronIExecError:
            raise
        except BaseException:
            with self._lock:
                self._kept.update(spelled)
            raise
        finally:
            with self._lock:
                for spelling in spelled:
                    self._hidden.remove(spelling)

    def forget(self) -> None:
        """Drop what `add_secret` was given. Secrets inside a running `hiding` block stay hidden."""
        with self._lock:
            self._kept.clear()

    def redact(self, text: str) -> str:
        with self._lock:
            secrets = sorted(self._kept.union(self._hidden), key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        text = _PAIR.sub(lambda found: found.group(1) + _HIDDEN, text)
        return _KEY.sub(lambda found: found.group(1) + found.group(2) + _HIDDEN, text)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self.redact(record.getMessage())
        record.args = None
        return True


def _spellings(secret: str) -> Set[str]:
    """The forms in which a program may print the secret: as typed, without surrounding spaces, a key without 0x and in
    upper or lower case."""
    bare = secret.strip()
    found = {secret, bare, " ".join(bare.split())}
    if _BARE_KEY.match(bare):
        digits = bare[-64:]
        found.update((digits, digits.lower(), digits.upper()))
    return {spelling for spelling in found if len(spelling) >= 4}


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """Each new file can be read by its owner only."""

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)


class _RedactedFormatter(logging.Formatter):
    """Redacts the whole record, because tracebacks may hold secrets too."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))


def get_logger(area: str) -> logging.Logger:
    """The logger of one area; silent until `to_file` was called in this process."""
    root = logging.getLogger(_ROOT)
    root.propagate = False
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return root.getChild(area)


def to_file(name: str, redactor: Redactor, folder: Path | None = None) -> Path:
    """Send everything to `<logs>/<name>.log` (three files of 2 MiB), readable by its owner only. Returns its path."""
    target = paths.private_folder(folder or paths.logs()) / f"{name}.log"
    handler = _PrivateFile(str(target), maxBytes=2 << 20, backupCount=2, encoding="utf-8")
    handler.addFilter(redactor)
    handler.setFormatter(_RedactedFormatter(redactor))
    root = logging.getLogger(_ROOT)
    root.setLevel(logging.INFO)
    root.propagate = False
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    return target
