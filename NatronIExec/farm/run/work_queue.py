"""Queues of work for a few threads: now or at a later time, and each key in one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from NatronIExec import log

AFTER_ERROR_S = 60.0

#: Does the work of a key. Returns the seconds until it should be called again, or None when it is done.
Do = Callable[[str], float | None]


class WorkQueue:
    """What is put waits until `start` says what to do with it, so that a queue can be handed to those that fill it
    before those that empty it exist. What is put while its key is worked on is done afterwards; what is put twice is
    done once, at the earlier time. Errors are logged and tried again after a minute: by then a full disk may have room,
    and a bug that always hits costs a line a minute."""

    def __init__(self, name: str, threads: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._count = threads
        self._clock = clock
        self._due: dict[str, float] = {}
        self._running: set[str] = set()
        self._change = threading.Condition()
        self._stopping = False
        self._log = log.get_logger("farm")
        self._threads: list[threading.Thread] = []

    def start(self, do: Do) -> None:
        self._threads = [
            threading.Thread(target=self._work, args=(do,), name=f"{self._name}-{number}", daemon=True)
            for number in range(self._count)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, key: str, delay_s: float = 0) -> None:
        with self._change:
            due = self._clock() + delay_s
            self._due[key] = min(due, self._due.get(key, due))
            self._change.notify()

    @property
    def busy(self) -> bool:
        """Whether something runs or is due. Work for a later time does not count."""
        with self._change:
            return bool(self._running) or any(due <= self._clock() for due in self._due.values())

    def stop(self) -> None:
        """Stop, and wait until running work has ended."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, do: Do) -> None:
        while (key := self._take()) is not None:
            again = None
            try:
                again = do(key)
            except Exception:  # the outermost frame of a thread
                self._log.exception("%s", key)
                again = AFTER_ERROR_S
            with self._change:
                self._running.discard(key)
                self._change.notify_all()
            if again is not None:
                self.put(key, again)

    def _take(self) -> str | None:
        with self._change:
            while not self._stopping:
                ready = {key: due for key, due in self._due.items() if key not in self._running}
                if ready:
                    key = min(ready, key=lambda k: ready[k])
                    wait = ready[key] - self._clock()
                    if wait <= 0:
                        del self._due[key]
                        self._running.add(key)
                        return key
                    self._change.wait(wait)
                else:
                    self._change.wait()
            return None


class Queues(NamedTuple):
    """What is to be done for jobs. Keys are job ids; of `collect` a task of a job. `submit` buys, `watch` looks at the
    chain, `collect` fetches one task's frames, `rest` buys what follows a test, `clear` removes uploaded inputs."""

    submit: WorkQueue
    watch: WorkQueue
    collect: WorkQueue
    rest: WorkQueue
    clear: WorkQueue

    @property
    def busy(self) -> bool:
        return any(queue.busy for queue in self)

    def stop(self) -> None:
        for queue in self:
            queue.stop()


def make_queues() -> Queues:
    return Queues(
        submit=WorkQueue("submit", threads=2),
        watch=WorkQueue("watch"),
        collect=WorkQueue("collect", threads=2),
        rest=WorkQueue("rest"),
        clear=WorkQueue("clear"),
    )
