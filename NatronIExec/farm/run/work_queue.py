"""Work that is done by a few threads, now or later, each key by one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from NatronIExec import log

AFTER_ERROR_S = 60.0


class WorkQueue:
    """`do(key)` returns after how many seconds it wants to be called again, or None. What is put while it runs is run
    afterwards; what is put twice is done once, at the earlier time. Errors of `do` are logged, and it is done again
    after a minute: by then a full disk may have room, and a bug that always hits costs a line a minute."""

    def __init__(
        self,
        name: str,
        do: Callable[[str], float | None],
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._do = do
        self._clock = clock
        self._due: dict[str, float] = {}
        self._running: set[str] = set()
        self._change = threading.Condition()
        self._stopping = False
        self._log = log.get_logger("farm")
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, key: str, delay_s: float = 0) -> None:
        with self._change:
            due = self._clock() + delay_s
            self._due[key] = min(due, self._due.get(key, due))
            self._change.notify()

    @property
    def busy(self) -> bool:
        """Something runs, or is to run now; what waits for a later time does not count."""
        with self._change:
            return bool(self._running) or any(due <= self._clock() for due in self._due.values())

    def stop(self) -> None:
        """Ends when what runs has ended."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self) -> None:
        while (key := self._take()) is not None:
            again = None
            try:
                again = self._do(key)
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
