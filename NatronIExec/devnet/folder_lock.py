"""Which process owns a folder: a lock on one of its files, which the system lets go when the process ends."""

from __future__ import annotations

import sys
from typing import IO


def lock(file: IO[bytes], shared: bool = False) -> bool:
    """Take it without waiting; False while another has it. `shared` is for who only asks, so that several may ask at
    once; Windows knows no such lock, there they may take each other for the owner for a moment."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
