"""Running NatronRenderer: its log understood, its stalls ended, its exit code not believed.

Grammar of the log: Engine/OutputSchedulerThread.cpp. Frames come out of order and in parallel, a message comes before
the line of its frame, "Rendering finished" is printed after a failure too, and the exit code is 0 then (seen running).
"""

from __future__ import annotations

import contextlib
import math
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
from typing import IO, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from NatronIExec.container.life import Life
from NatronIExec.container.rights import OURS, Rights

_FRAME = re.compile(r"^(\S+) ==> Frame: (-?\d+), Progress: ([\d.]+)%")
_CANNOT_LOAD = re.compile(r"^Persistent message: (.+?): Cannot load frame")
#: Natron repairs these by itself; alone they do not make a frame wrong (a missing input has its own message besides).
_HARMLESS = re.compile(r"contains NaN values")
_TROUBLE = ("Persistent message:", "Error while rendering", "Error caught while rendering", "Render aborted")
_FATAL = ("ERROR: Natron:", "ERROR: Project loader:")
#: Natron goes on without a node that it cannot make (Engine/NodeGroupSerialization.cpp).
_NO_PLUGIN = re.compile(r"The node (\S+) version \S+ was found in the script but does not exist in the loaded plug-ins")
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
#: To say its version; the real one takes 50 ms.
VERSION_S = 20


@dataclass(frozen=True)
class Bounds:
    """What ends a run: no sign of life for `stall_s` seconds, the time `ends_at` of `clock`, and the want of one of
    `plugins` (their ids; empty: of any that the project names)."""

    stall_s: float
    ends_at: float = math.inf
    plugins: FrozenSet[str] = frozenset()
    clock: Callable[[], float] = time.monotonic


@dataclass
class Outcome:
    """What one run of the renderer did. `frames` are those that it reported; `trouble` its complaints, with
    `unloadable` the inputs among them; `fatal` what no frame survives; `stalled`, `late` and `crashed` how it ended. A
    crash after it had `finished` is none: the files are closed by then (seen running: an abort at its exit)."""

    frames: Dict[int, float] = field(default_factory=dict)
    trouble: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    unloadable: Set[str] = field(default_factory=set)
    fatal: List[str] = field(default_factory=list)
    log: List[str] = field(default_factory=list)
    finished: bool = False
    stalled: bool = False
    late: bool = False
    crashed: bool = False


def find_renderer(environ: Mapping[str, str]) -> Tuple[List[str], str]:
    """The command, and its kind: "natron", or "slate" where no Natron is installed."""
    named = environ.get("NATRON_RENDERER") or shutil.which("NatronRenderer", path=environ.get("PATH"))
    if named:
        return [named], "natron"
    return [sys.executable, "-m", "NatronIExec.container.slate"], "slate"


def version_of(command: Sequence[str], environment: Mapping[str, str], rights: Rights = OURS) -> str:
    """What the renderer says of itself, "" when it says nothing. Its exit code is 1 (natron 2.4 to 2.6)."""
    try:
        said = subprocess.run(
            [*command, "--version"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VERSION_S,
            preexec_fn=rights.give_up,
            check=False,
        ).stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return ""
    return next((line.strip() for line in said.splitlines() if "version" in line), "")


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    progress: Callable[[int], None],
    rights: Rights = OURS,
) -> Outcome:
    """Run to the end or to the first of `bounds`; then the whole process group is killed, as it is when we are asked to
    end. It stays in our session: who kills that, kills the renderer too."""
    with _ended_in_order():
        return _run(command, environment, folder, bounds, progress, rights)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    progress: Callable[[int], None],
    rights: Rights,
) -> Outcome:
    # No signal may come between the start of the renderer and the watch over it; the renderer itself can be ended.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def begin() -> None:
        os.setpgrp()
        rights.give_up()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=str(folder),
            preexec_fn=begin,
        )
        return _watched(child, bounds, progress, lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watched(
    child: subprocess.Popen[bytes], bounds: Bounds, progress: Callable[[int], None], watching: Callable[[], object]
) -> Outcome:
    """`watching` is called once an exception can no longer leave the renderer behind."""
    lines: queue.Queue[Optional[str]] = queue.Queue()
    assert child.stdout is not None
    reader = threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True)
    reader.start()
    outcome = Outcome()
    try:
        watching()
        _follow(lines, outcome, bounds, Life(child.pid, bounds.stall_s, bounds.clock), progress)
        code = None if outcome.stalled or outcome.late else child.wait()
    finally:
        _kill_group(child)
        reader.join()
        child.stdout.close()
    # Below zero: a signal. From 128 on: a shell's word for one. 1 is Natron's refusal, which its log explains.
    outcome.crashed = code is not None and (code < 0 or code >= 128) and not outcome.finished
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
    bounds: Bounds,
    life: Life,
    progress: Callable[[int], None],
) -> None:
    last = bounds.clock()
    while not outcome.stalled and not outcome.late:
        try:
            line = lines.get(timeout=max(0.05, min(life.look_at, bounds.ends_at) - bounds.clock()))
        except queue.Empty:
            line = ""
        if line is None:
            return
        if line and _understand(line, outcome, bounds.plugins, progress, bounds.clock() - last):
            last = bounds.clock()
            life.sign()
        outcome.late = bounds.clock() >= bounds.ends_at
        outcome.stalled = not outcome.late and life.stalled()


def _understand(
    line: str, outcome: Outcome, plugins: FrozenSet[str], progress: Callable[[int], None], since_s: float
) -> bool:
    """Note one line of the log; True when it says that a frame is done."""
    outcome.log.append(line)
    del outcome.log[:-LOG_LINES]
    found = _FRAME.match(line)
    if found:
        frame = int(found.group(2))
        outcome.frames[frame] = outcome.frames.get(frame, 0.0) + since_s  # a line for each view
        progress(frame)
        return True
    outcome.finished |= line.endswith(" ==> Rendering finished")
    absent = _NO_PLUGIN.search(line)
    if absent and plugins and absent.group(1) not in plugins:
        outcome.warnings.append(line)
    elif absent or any(mark in line for mark in _FATAL):
        outcome.fatal.append(line)
    elif line.startswith(_TROUBLE):
        lost = lost_input(line)
        if lost:
            outcome.unloadable.add(lost)
        (outcome.warnings if _HARMLESS.search(line) else outcome.trouble).append(line)
    return False


def lost_input(line: str) -> str:
    """The file that a line says could not be loaded, "" for any other line."""
    found = _CANNOT_LOAD.match(line)
    return found.group(1) if found else ""


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
