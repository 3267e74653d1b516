"""What is put is done: once, at the earlier time, by one thread a key, and again after an error."""

from __future__ import annotations

import queue
import threading

from NatronIExec.farm.run.work_queue import AFTER_ERROR_S, WorkQueue, make_queues

PATIENCE_S = 60


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_what_is_put_before_the_start_is_done_then() -> None:
    done: queue.Queue[str] = queue.Queue()
    work = WorkQueue("test")
    work.put("a")
    assert work.busy
    work.start(done.put)
    assert done.get(timeout=PATIENCE_S) == "a"
    work.stop()
    assert not work.busy


def test_what_is_put_while_it_runs_is_done_afterwards() -> None:
    began: queue.Queue[str] = queue.Queue()
    go_on = threading.Event()

    def do(key: str) -> None:
        began.put(key)
        assert go_on.wait(PATIENCE_S)

    work = WorkQueue("test", threads=2)
    work.start(do)
    work.put("a")
    assert began.get(timeout=PATIENCE_S) == "a"
    work.put("a")
    work.put("a")
    work.put("b")
    assert began.get(timeout=PATIENCE_S) == "b"
    assert began.empty()
    go_on.set()
    assert began.get(timeout=PATIENCE_S) == "a"
    work.stop()
    assert began.empty()


def test_it_is_done_again_when_it_asks_for_it_and_after_an_error() -> None:
    clock, done = Clock(), queue.Queue[str]()
    answers = iter([5.0, None])

    def do(key: str) -> float | None:
        done.put(key)
        if key != "a":
            return None
        if clock() > 5:
            raise RuntimeError("a bug")
        return next(answers)

    def passed(now_s: float, *expected: str) -> None:
        """By then; the one thread has put `a` again before it takes anything else."""
        clock.now_s = now_s
        work.put("other")
        assert sorted(done.get(timeout=PATIENCE_S) for _ in expected) == sorted(expected)

    work = WorkQueue("test", clock=clock)
    work.put("a")
    work.start(do)
    assert done.get(timeout=PATIENCE_S) == "a"
    passed(0.0, "other")
    passed(4.9, "other")
    passed(5.0, "a", "other")
    passed(1000.0, "other")
    work.put("a")
    assert done.get(timeout=PATIENCE_S) == "a"
    passed(1000.0, "other")
    passed(1000.0 + AFTER_ERROR_S, "a", "other")
    work.stop()


def test_the_earlier_time_counts() -> None:
    clock, done = Clock(), queue.Queue[str]()
    work = WorkQueue("test", clock=clock)
    work.put("a", 100)
    work.put("a", 10)
    work.put("a", 50)
    assert not work.busy
    clock.now_s = 10
    assert work.busy
    work.start(done.put)
    assert done.get(timeout=PATIENCE_S) == "a"
    work.stop()
    clock.now_s = 1000
    assert not work.busy


def test_all_queues_stop_and_say_whether_they_are_busy() -> None:
    queues = make_queues()
    assert not queues.busy
    queues.clear.put("a")
    assert queues.busy
    queues.stop()
