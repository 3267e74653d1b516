"""Natron's cache and the frames that it renders at once stay within the memory of a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from NatronIExec.container.memory import (
    CACHE_SHARE,
    available_bytes,
    machine_bytes,
    natron_preferences,
    write_preferences,
)

GIB = 1 << 30


def _values(available: int, machine: int, processors: int) -> dict[str, int]:
    return natron_preferences(available, machine, processors)


@pytest.mark.parametrize("machine", [6, 16, 64, 512])
@pytest.mark.parametrize("processors", [1, 4, 64])
def test_cache_and_frames_fit_together(machine: int, processors: int) -> None:
    found = _values(6 * GIB, machine * GIB, processors)
    cache = max(found["maxRAMPercent"] * machine * GIB / 100, 0)
    assert cache <= max(6 * GIB * CACHE_SHARE, machine * GIB / 100) + 1
    assert 1 <= found["nParallelRenders"] <= min(4, processors)
    assert (found["maxViewerDiskCache"], found["maxDiskCacheNode"]) == (0, 0)


def test_little_memory_still_renders() -> None:
    assert _values(GIB // 2, 64 * GIB, 8)["nParallelRenders"] == 1
    assert _values(GIB // 2, 64 * GIB, 8)["maxRAMPercent"] == 1


def test_the_least_limit_holds(tmp_path: Path) -> None:
    limit, none = tmp_path / "memory.max", tmp_path / "max"
    limit.write_text(f"{GIB // 4}\n")
    none.write_text("max\n")
    files = [str(limit), str(none), str(tmp_path / "absent")]
    assert available_bytes(0, files) == GIB // 4
    assert available_bytes(GIB // 8, files) == GIB // 8
    assert available_bytes(0, files[1:]) == machine_bytes()


def test_natron_reads_them_from_its_own_file(tmp_path: Path) -> None:
    write_preferences(tmp_path, {"maxRAMPercent": 7, "nParallelRenders": 2})
    assert (tmp_path / "INRIA" / "Natron.conf").read_text() == "[General]\nmaxRAMPercent=7\nnParallelRenders=2\n"
