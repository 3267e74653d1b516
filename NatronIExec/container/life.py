"""Does the renderer still work? A long frame is as silent as a renderer that hangs; the processor tells them apart."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Callable

#: Of one core, since the last look: who used less is waiting for something that does not come.
BUSY_SHARE = 0.05
_PROC = Path("/proc")


class Life:
    """Signs of life of one process group: a frame, or work on one. `stalled` when there was neither for
    `stall_s` seconds of `clock`."""

    def __init__(self, group: int, stall_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._group = group
        self._stall_s = stall_s
        self._clock = clock
        self.sign()

    def sign(self) -> None:
        self._since, self._used_s = self._clock(), cpu_seconds(self._group)

    @property
    def look_at(self) -> float:
        """When it is time to ask again."""
        return self._since + self._stall_s

    def stalled(self) -> bool:
        now = self._clock()
        if now < self.look_at:
            return False
        before, since = self._used_s, self._since
        self.sign()
        return self._used_s - before < BUSY_SHARE * (now - since)


def cpu_seconds(group: int) -> float:
    """What the processes of `group` and their ended children have used until now (proc(5), /proc/PID/stat); 0 where
    the system has no such files: then only frames are signs of life."""
    ticks = 0
    for stat in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # the name before the last bracket may hold anything; then state, parent, group …
            values = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(values[2]) == group:
                ticks += sum(int(value) for value in values[11:15])
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0
