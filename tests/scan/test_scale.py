"""Large projects and folders: bounded time and memory, and a cancel that is heard within a second."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import Cancelled
from NatronIExec.scan.project_scan import scan

READERS, CHAIN, FOLDER = 250, 18, 10_000
#: Seconds; many times what it takes on a quiet machine.
PATIENCE = 60
HEARD = 1.0


@pytest.fixture
def large(make: Any) -> Path:
    """5000 nodes: 250 readers, each through 18 nodes into a merge."""
    made = make()
    for number in range(10):
        made.footage(f"c{number}.%04d.png", 1, 40, size=1)
    below = ""
    for number in range(READERS):
        at = made.read(f"R{number}", str(made.folder / f"plates/c{number % 10}.%04d.png"), 1, 40)
        at = made.node(f"T{number}", ".timeOffset", at, timeOffset=number % 5)
        for step in range(CHAIN - 1):
            at = made.node(f"G{number}_{step}", ".GradePlugin", at, major=2)
        below = made.node(f"M{number}", ".MergePlugin", below, at, labels=("B", "A")) if below else at
    made.write("W", below, frames=(10, 30))
    project: Path = made.save()
    return project


def test_five_thousand_nodes(large: Path) -> None:
    began = time.monotonic()
    seen: list[tuple[int, int, str]] = []
    found = scan(large, environment={}, progress=lambda *step: seen.append(step))
    assert time.monotonic() - began < PATIENCE
    # 21 frames of each clip, and those that Natron only looks at: beside a merge, and for the clip's size
    assert len({path for chunk in found.chunks for path in chunk.files}) == 10 * (21 + 2)
    assert len(found.files) == 10 * (21 + 3)
    assert {what.split(" frame ")[0] for _, _, what in seen} >= {"Reading the project", "Finding what"}
    assert all(done <= total for done, total, _ in seen)


def crowded(make: Any) -> Any:
    made = make()
    folder = made.folder / "plates"
    folder.mkdir()
    for frame in range(FOLDER):
        (folder / f"bg.{frame:06d}.png").touch()
    made.read("R", str(folder / "bg.######.png"), 0, FOLDER - 1)
    return made


def test_crowded_folder(make: Any) -> None:
    """A few frames of a large folder cost one listing, not a stat a file; whole clips of it are one list."""
    made = crowded(make)
    made.write("W", "R", frames=(1, 30))
    found = scan(made.save(), environment={})
    assert len({path for chunk in found.chunks for path in chunk.files}) == 30
    made.node("U", "com.unknown.Thing", "R")
    made.write("V", "U", "v.####.png", frames=(1, 400))
    found = scan(made.save(), writers=["V"], environment={})
    assert len(found.files) == FOLDER
    assert len({id(chunk.files) for chunk in found.chunks}) == 1


def test_cancel_is_heard(large: Path, make: Any) -> None:
    """Nothing takes longer than a second between two questions whether to stop. Counted in this thread's own time, for
    what else the machine does is no fault of the scan."""
    made = crowded(lambda: make("other"))
    made.node("U", "com.unknown.Thing", "R")
    made.write("W", "U", frames=(1, 40))
    for project in (large, made.save()):
        times = [time.thread_time()]

        def cancel(times: list[float] = times) -> bool:
            times.append(time.thread_time())
            return False

        scan(project, environment={}, cancel=cancel)
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        assert max(gaps) < HEARD


@pytest.mark.parametrize("after", [0, 3, 15, 30])
def test_cancelled_at_any_point(large: Path, after: int) -> None:
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > after

    with pytest.raises(Cancelled):
        scan(large, environment={}, cancel=cancel)
