"""`python -m NatronIExec.engine`: runs the engine. Only one runs per state folder; a second one ends at once."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections.abc import Iterator
from typing import IO

from NatronIExec import log, paths
from NatronIExec.redaction import Redactor


def main() -> int:
    """Returns 0 after a normal end, also when another engine is already running."""
    gc.disable()  # imports create no garbage, and looking for it takes a tenth of the start
    from NatronIExec.engine.engine import Engine

    paths.private_folder(paths.home())
    with _only_one() as alone:
        if not alone:
            return 0
        redactor = Redactor()
        log.to_file("engine", redactor)
        engine = Engine(redactor)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.stop_soon())
        engine.start()
        gc.freeze()
        gc.enable()
        engine.run()
    return 0


@contextlib.contextmanager
def _only_one() -> Iterator[bool]:
    """Yields whether this process got the lock. The system releases it when the process ends, even after a crash."""
    with paths.engine_lock().open("a+b") as file:
        yield _locked(file)


def _locked(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
