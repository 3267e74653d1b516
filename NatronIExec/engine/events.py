"""Combines bursts of changes into few messages: at most ten per second, each with the newest row of every changed
job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from NatronIExec.errors import NatronIExecError
from NatronIExec.farm.store.job import JobFrame

PAUSE_S = 0.1

Message = dict[str, Any]


class Announcer:
    """Implements `farm.store.events.Events`. `row` gives a job's JobRow; `send` goes to all who subscribed."""

    def __init__(self, send: Callable[[Message], None], row: Callable[[str], dict[str, Any]]) -> None:
        self._send = send
        self._row = row
        self._jobs: dict[str, None] = {}
        self._removed: dict[str, None] = {}
        self._frames: dict[str, dict[tuple[str, int, str], JobFrame]] = {}
        self._wallet: Message | None = None
        self._change = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._change:
            self._stopping = True
            self._change.notify()
        self._thread.join()

    def job_changed(self, job: str) -> None:
        with self._change:
            self._jobs[job] = None
            self._change.notify()

    def job_removed(self, job: str) -> None:
        with self._change:
            self._jobs.pop(job, None)
            self._removed[job] = None
            self._change.notify()

    def frames_changed(self, job: str, frames: Sequence[JobFrame]) -> None:
        with self._change:
            known = self._frames.setdefault(job, {})
            known.update({(frame.writer, frame.frame, frame.view): frame for frame in frames})
            self._jobs[job] = None
            self._change.notify()

    def wallet_changed(self, wallet: Message) -> None:
        with self._change:
            self._wallet = wallet
            self._change.notify()

    def notice(self, job: str | None, level: str, title: str, remedy: str) -> None:
        self._send({"event": "notice", "job": job, "level": level, "title": title, "remedy": remedy})

    def _run(self) -> None:
        while True:
            with self._change:
                while not (self._jobs or self._removed or self._frames or self._wallet or self._stopping):
                    self._change.wait()
                if self._stopping:
                    return
                jobs, removed, frames, wallet = self._jobs, self._removed, self._frames, self._wallet
                self._jobs, self._removed, self._frames, self._wallet = {}, {}, {}, None
            for message in self._messages(list(jobs), list(removed), frames, wallet):
                self._send(message)
            with self._change:
                self._change.wait_for(lambda: self._stopping, PAUSE_S)

    def _messages(
        self,
        jobs: list[str],
        removed: list[str],
        frames: dict[str, dict[tuple[str, int, str], JobFrame]],
        wallet: Message | None,
    ) -> list[Message]:
        messages: list[Message] = []
        rows = []
        for job in jobs:
            try:
                rows.append(self._row(job))
            except NatronIExecError:
                continue  # the job was removed meanwhile
        if rows or removed:
            messages.append({"event": "jobs", "jobs": rows, "removed": removed})
        for job, changed in frames.items():
            messages.append({"event": "frames", "job": job, "frames": [frame.to_row() for frame in changed.values()]})
        if wallet is not None:
            messages.append({"event": "wallet", "wallet": wallet})
        return messages
