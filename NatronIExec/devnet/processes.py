"""Child processes that never outlive us, nor do theirs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Callable, Mapping, Sequence

from NatronIExec import paths
from NatronIExec.errors import ServiceError

_PR_SET_PDEATHSIG = 1
#: A process that hangs in a disk's driver is not waited for longer.
KILL_S = 5.0
#: Loaded here: after a fork in a process with threads a lock of the loader may be held for ever.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
#: The kernel watches the thread that forked, not its process: this one lives as long as the process does.
_FORKING = ThreadPoolExecutor(1, thread_name_prefix="devnet-fork")


def start(
    command: Sequence[str],
    output: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.STDOUT,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    last_words: signal.Signals = signal.SIGKILL,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own. On Linux the kernel sends it `last_words` if we die; `SIGTERM` lets it end its
    own children, which the kernel does not. As root it can be made another `user`'s."""

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid(), last_words) if sys.platform == "linux" else None,
            user=user,
            group=user,
            extra_groups=None if user is None else (),
        )

    return _FORKING.submit(begin).result()


def spawn(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child with its output in `log`; the kernel ends it if we die."""
    with log.open("ab") as output:
        return start(command, output, environment=environment, folder=folder)


def _dying_with(parent: int, last_words: signal.Signals) -> Callable[[], None]:
    """For preexec_fn (Linux prctl)."""

    def ask() -> None:
        assert _LIBC is not None
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the daemon waits for signals that its children must hear
        _LIBC.prctl(_PR_SET_PDEATHSIG, last_words)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


def stop(child: subprocess.Popen[bytes], grace_s: float = 5) -> None:
    """Ask, then insist."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def kill_session(leader: int) -> None:
    """End the process `leader` that `start` began and all that it began, also when it is gone itself. What it starts
    may have groups of its own, so on Linux the whole session is looked for, until nothing of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    give_up = time.monotonic() + KILL_S
    while (left := _of_session(leader)) and time.monotonic() < give_up:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def session_rss_bytes(leader: int) -> int:
    """Memory that all processes of a session hold now; 0 where the system does not say."""
    pages = 0
    for pid in _of_session(leader):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages += int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") if pages else 0


def _of_session(leader: int) -> list[int]:
    """Running ones; proc(5): after the name in brackets come state, parent, group and session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        with contextlib.suppress(OSError):
            state, _, _, session = (entry / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()[:4]
            if session == str(leader) and state not in "ZX":
                found.append(int(entry.name))
    return found


def kept_port(file: Path) -> int:
    """The port noted in `file` where it is free, else another, noted for the next time. Whoever is under way meets the
    network where it was: engines with open jobs, and deals whose inputs are named by it."""
    for wanted in (_noted(file), 0):
        with contextlib.suppress(OSError, OverflowError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(("127.0.0.1", wanted))
            probe.listen(1)
            port = int(probe.getsockname()[1])
            paths.write_atomic(file, str(port).encode())
            return port
    raise ServiceError("There is no free port on this machine.", "End programs that you do not need.")


def _noted(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0
