"""Running NatronRenderer: its log understood, its stalls ended, its exit code not believed.

Grammar of the log: Engine/OutputSchedulerThread.cpp. Frames come out of order and in parallel, a message comes before
the line of its frame, "Rendering finished" is printed after a failure too, and the exit code is 0 then (seen running).
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

_FRAME = re.compile(r"^(\S+) ==> Frame: (-?\d+), Progress: ([\d.]+)%")
_CANNOT_LOAD = re.compile(r"^Persistent message: (.+?): Cannot load frame")
#: Natron repairs these by itself; alone they do not make a frame wrong (a missing input has its own message besides).
_HARMLESS = re.compile(r"contains NaN values")
_TROUBLE = ("Persistent message:", "Error while rendering", "Error caught while rendering", "Render aborted")
_FATAL = ("does not exist in the loaded plug-ins", "ERROR: Natron:", "ERROR: Project loader:")
#: Preferences that a stalled render is tried again with (Engine/Settings.cpp).
FEWER_THREADS = (
    "--setting",
    "nParallelRenders=1",
    "--setting",
    "nThreadsPerEffect=1",
    "--setting",
    "noRenderThreads=1",
)
LOG_LINES = 2000


@dataclass
class Outcome:
    """What one run of the renderer did. `frames` are those that it reported; `trouble` its complaints, with
    `unloadable` the inputs among them; `fatal` what no frame survives; `stalled` and `crashed` how it ended."""

    frames: Dict[int, float] = field(default_factory=dict)
    trouble: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    unloadable: Set[str] = field(default_factory=set)
    fatal: List[str] = field(default_factory=list)
    log: List[str] = field(default_factory=list)
    stalled: bool = False
    crashed: bool = False


def find_renderer(environ: Mapping[str, str]) -> Tuple[List[str], str]:
    """The command, and its kind: "natron", or "slate" where no Natron is installed."""
    named = environ.get("NATRON_RENDERER") or shutil.which("NatronRenderer", path=environ.get("PATH"))
    if named:
        return [named], "natron"
    return [sys.executable, "-m", "NatronIExec.container.slate"], "slate"


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    stall_s: float,
    progress: Callable[[int], None],
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run to the end, or until no frame was finished for `stall_s` seconds; then the whole process group is killed, as
    it is when we are asked to end. It stays in our session: who kills that, kills the renderer too."""
    with _ended_in_order():
        return _run(command, environment, folder, stall_s, progress, clock)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    stall_s: float,
    progress: Callable[[int], None],
    clock: Callable[[], float],
) -> Outcome:
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=str(folder),
        preexec_fn=os.setpgrp,
    )
    lines: queue.Queue[Optional[str]] = queue.Queue()
    assert child.stdout is not None
    reader = threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True)
    reader.start()
    outcome = Outcome()
    try:
        _follow(lines, outcome, stall_s, progress, clock)
        code = child.wait() if not outcome.stalled else None
    finally:
        _kill_group(child)
        reader.join()
        child.stdout.close()
    # Below zero: a signal. From 128 on: a shell's word for one. 1 is Natron's refusal, which its log explains.
    outcome.crashed = code is not None and (code < 0 or code >= 128)
    if code == 1 and not outcome.fatal:
        outcome.fatal.append("the renderer refused the project")
    return outcome


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM (a worker that stops, a parent that died) leaves by the same way as an error, which ends the renderer."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's business
        return

    def leave(*_: object) -> None:
        # Once: Linux says it again for each thread of the parent, and the way out must not be left half-way
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is leave:
            signal.signal(signal.SIGTERM, before)


def _pump(stream: IO[bytes], lines: queue.Queue[Optional[str]]) -> None:
    for raw in stream:
        lines.put(raw.decode("utf-8", "replace").rstrip())
    lines.put(None)


def _follow(
    lines: queue.Queue[Optional[str]],
    outcome: Outcome,
    stall_s: float,
    progress: Callable[[int], None],
    clock: Callable[[], float],
) -> None:
    last = clock()
    while True:
        try:
            line = lines.get(timeout=max(0.05, last + stall_s - clock()))
        except queue.Empty:
            outcome.stalled = True
            return
        if line is None:
            return
        if _understand(line, outcome, progress, clock() - last):
            last = clock()
        elif clock() - last > stall_s:
            outcome.stalled = True
            return


def _understand(line: str, outcome: Outcome, progress: Callable[[int], None], since_s: float) -> bool:
    """Note one line of the log; True when it says that a frame is done."""
    outcome.log.append(line)
    del outcome.log[:-LOG_LINES]
    found = _FRAME.match(line)
    if found:
        frame = int(found.group(2))
        outcome.frames[frame] = since_s
        progress(frame)
        return True
    if any(mark in line for mark in _FATAL):
        outcome.fatal.append(line)
    elif line.startswith(_TROUBLE):
        lost = _CANNOT_LOAD.match(line)
        if lost:
            outcome.unloadable.add(lost.group(1))
        (outcome.warnings if _HARMLESS.search(line) else outcome.trouble).append(line)
    return False


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
