"""How much memory Natron may use here. Left to itself it takes shares of the whole machine for its cache, and as many
frames at once as there are processors, whatever the task was given; who exceeds that is killed without a word.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Dict, Mapping, Sequence

#: Of the task's memory, for Natron's cache of pictures (Engine/Settings.cpp, maxRAMPercent: a share of the machine's).
CACHE_SHARE = 0.3
#: What each frame that is rendered at the same time is given: an HD graph of a hundred nodes in 32 bits stays below.
FRAME_BYTES = 1 << 30
#: Where a container's limit is written: version 2 of the kernel's control groups, then 1.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_bytes(promised: int, files: Sequence[str] = _LIMITS) -> int:
    """The least of what the network promised (0: nothing), the container's limit, and the machine's memory."""
    limits = [machine_bytes()]
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            limits.append(int(Path(file).read_text()))
    return min(limit for limit in [*limits, promised] if limit > 0)


def machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def natron_preferences(available: int, machine: int, processors: int) -> Dict[str, int]:
    """Natron's preferences (Engine/Settings.cpp) for so many bytes of memory. Nothing is put on a disk cache: a task
    renders each picture once."""
    at_once = max(1, min(processors, int(available * (1 - CACHE_SHARE)) // FRAME_BYTES))
    return {
        "maxRAMPercent": max(1, int(100 * CACHE_SHARE * available / machine)),
        "unreachableRAMPercent": 0,
        "maxViewerDiskCache": 0,
        "maxDiskCacheNode": 0,
        "nParallelRenders": at_once,
    }


def write_preferences(folder: Path, preferences: Mapping[str, int]) -> None:
    """Into the file that Natron reads at its start, with `folder` as its XDG_CONFIG_HOME. On the command line
    (--setting) the sizes of the caches end Natron 2.6 before the project is loaded: the caches are not made by then."""
    file = folder / "INRIA" / "Natron.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["[General]", *(f"{name}={value}" for name, value in preferences.items())]
    file.write_text("\n".join(lines) + "\n", encoding="ascii")
