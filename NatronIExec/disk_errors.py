"""A disk that is full, read-only or unplugged: how it shows, and what is said of it."""

from __future__ import annotations

import sqlite3

from NatronIExec import paths
from NatronIExec.errors import OutputError

#: How it shows in files and in the spool.
TROUBLE = (OSError, sqlite3.OperationalError)


def said(problem: Exception) -> OutputError:
    """`problem` is one of TROUBLE that nobody nearer to it could explain."""
    where = getattr(problem, "filename", None) or paths.home()
    return OutputError(
        f"{where} cannot be used: {getattr(problem, 'strerror', None) or problem}.",
        "Make room or allow writing there, then go on; what came back and what was bought is kept.",
    )
