"""What a run is ended by and what its log means, with small programs in the renderer's place."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from NatronIExec.container.life import BUSY_SHARE, Life, cpu_seconds
from NatronIExec.container.renderer import Bounds, Outcome, run

NO_PLUGIN = "The node {} version 2.0 was found in the script but does not exist in the loaded plug-ins."
FRAME = "Write1 ==> Frame: 1, Progress: 100.0%, 1.0 Fps, Time Remaining: 0 second"


def ran(folder: Path, program: str, bounds: Bounds) -> Outcome:
    return run([sys.executable, "-S", "-c", program], {}, folder, bounds, lambda frame: None)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not say what a process computes")
def test_a_frame_that_takes_long_is_no_stall(tmp_path: Path) -> None:
    program = f"import time\nwhile time.process_time() < 2.5: pass\nprint({FRAME!r})"
    outcome = ran(tmp_path, program, Bounds(stall_s=0.6))
    assert not outcome.stalled
    assert list(outcome.frames) == [1]


def test_a_program_that_does_nothing_is_stalled(tmp_path: Path) -> None:
    outcome = ran(tmp_path, "import signal; signal.pause()", Bounds(stall_s=1.5))
    assert outcome.stalled
    assert not outcome.late


def test_work_without_a_frame_ends_with_the_time(tmp_path: Path) -> None:
    outcome = ran(tmp_path, "while True: pass", Bounds(stall_s=0.6, ends_at=time.monotonic() + 2))
    assert outcome.late
    assert not outcome.stalled


def test_a_frame_is_a_sign_of_life_where_the_processor_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("NatronIExec.container.life._PROC", Path("/nowhere"))
    now = [0.0]
    life = Life(1, 10, lambda: now[0])
    now[0] = 9
    life.sign()
    now[0] = 18
    assert not life.stalled()
    now[0] = 19
    assert life.stalled()


def test_what_a_process_group_computes_counts_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("NatronIExec.container.life._PROC", tmp_path)
    for number, (name, group, ticks) in enumerate([("a) 1 (", 7, 100), ("b c", 7, 300), ("d", 8, 900), ("e", 7, -1)]):
        stat = tmp_path / str(number) / "stat"
        stat.parent.mkdir()
        whole = f"{number} ({name}) S 1 {group} {number} " + "0 " * 7 + f"{ticks} 0 0 0 20"
        stat.write_text(whole if ticks >= 0 else "torn")
    used = cpu_seconds(7)
    assert used == cpu_seconds(8) * 4 / 9
    now = [0.0]
    life = Life(7, used / BUSY_SHARE / 2, lambda: now[0])
    now[0] = life.look_at
    (tmp_path / "1" / "stat").write_text("1 (b) S 1 7 1 " + "0 " * 7 + "700 0 0 0 20")
    assert not life.stalled()
    now[0] = life.look_at
    assert life.stalled()


def test_only_a_plugin_that_the_pictures_need_is_fatal(tmp_path: Path) -> None:
    program = f"print({NO_PLUGIN.format('com.vendor.Magic')!r}); print({FRAME!r})"
    needed = ran(tmp_path, program, Bounds(60, plugins=frozenset({"com.vendor.Magic"})))
    unknown = ran(tmp_path, program, Bounds(60))
    other = ran(tmp_path, program, Bounds(60, plugins=frozenset({"net.sf.openfx.GradePlugin"})))
    assert needed.fatal == unknown.fatal == other.warnings == [NO_PLUGIN.format("com.vendor.Magic")]
    assert other.fatal == other.trouble == []
    assert list(other.frames) == [1]
