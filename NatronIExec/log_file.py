"""A log on disk: no secret in it, never large, read by its owner only. The engine's logging and the plug-in's own log
inside Natron write through it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Callable

from NatronIExec import paths

#: A log is this file and `KEPT` older ones (`.1` is the newest of them).
MAX_BYTES = 2 << 20
KEPT = 2


class LogFile:
    """Safe for threads. `redact` hides what must not be written. The file is opened for each line, so that it can be
    renamed or removed meanwhile."""

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        self.path = path
        self._redact = redact
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """A line, or several. Raises OSError."""
        line = (self._redact(text) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            paths.private_folder(self.path.parent)
            self._make_room(len(line))
            descriptor = os.open(str(self.path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(line)

    def _make_room(self, size: int) -> None:
        if not self.path.exists() or self.path.stat().st_size + size <= MAX_BYTES:
            return
        for number in range(KEPT, 0, -1):
            newer = self._older(number - 1)
            if newer.exists():
                newer.replace(self._older(number))

    def _older(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
