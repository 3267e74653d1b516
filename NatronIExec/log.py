"""Logging to files, never to stderr (Natron reads that as the failure of its own next script), and never a secret."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from NatronIExec import paths
from NatronIExec.log_file import LogFile
from NatronIExec.redaction import Redactor

_ROOT = "NatronIExec"


class _ToLogFile(logging.Handler):
    """A log that cannot be written is given up silently: there is nowhere to say it."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file = file
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self._file.write(self.format(record))


def get_logger(area: str) -> logging.Logger:
    """The logger of one area; silent until `to_file` was called in this process."""
    root = logging.getLogger(_ROOT)
    root.propagate = False
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return root.getChild(area)


def to_file(name: str, redactor: Redactor, folder: Path | None = None) -> Path:
    """Send everything to `<logs>/<name>.log`, messages and tracebacks redacted. Returns its path."""
    target = paths.private_folder(folder or paths.logs()) / f"{name}.log"
    root = logging.getLogger(_ROOT)
    root.setLevel(logging.INFO)
    root.propagate = False
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(_ToLogFile(LogFile(target, redactor.redact)))
    return target
