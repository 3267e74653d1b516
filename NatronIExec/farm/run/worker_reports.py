"""What a worker group says of tasks that the chain still counts as running.

A task that failed at its worker stays open on chain until its deadline, which may be hours away. The scheduler of the
worker group knows at once, so it is asked, a few tasks at each poll: whoever watches the job reads the reason within a
minute, and can render the frames again while the money of the failed task comes back by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from NatronIExec import log
from NatronIExec.errors import NatronIExecError, WalletError
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.run.buyer import Sign
from NatronIExec.farm.run.last_words import in_clear
from NatronIExec.farm.store.job import Job, JobTask
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.orders import task_id
from NatronIExec.iexec.scheduler import Scheduler

#: Tasks asked about at each poll, and at one that follows another failure: what breaks one task often breaks all.
CALM, ALARMED = 2, 16
#: Seconds that a scheduler is left alone after it did not answer.
REST_S = 60.0
#: A worker group tries a failed task at other workers. After so many it is taken for lost.
WORKERS_LOST = 2
#: The last line of a task that failed (`container/voice.py`).
_LAST_WORDS = "FAILED: "
#: Characters of a reason that are kept.
_LONGEST = 300


@dataclass(frozen=True)
class Reported:
    """A task that its worker group has given up, with the reason in one line."""

    task: JobTask
    reason: str


class WorkerReports:
    """`ask` is called by one thread at a time for a job."""

    def __init__(
        self, spool: Spool, services: Services, sign: Sign, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spool = spool
        self._services = services
        self._sign = sign
        self._clock = clock
        self._schedulers: dict[tuple[str, str], Scheduler] = {}
        self._rest_until_s: dict[tuple[str, str], float] = {}
        #: By job: the number of the task that was asked about last, and whether it had failed.
        self._asked: dict[str, tuple[int, bool]] = {}
        self._lock = threading.Lock()
        self._log = log.get_logger("farm")

    def ask(self, job: Job) -> list[Reported]:
        """Tasks whose failure is news; it is recorded in the spool. A scheduler that does not answer is no news."""
        where = (job.quote.network, job.quote.workerpool)
        if self._clock() < self._rest_until_s.get(where, 0.0):
            return []
        wanted = self._next(job)
        found: list[Reported] = []
        try:
            scheduler = self._scheduler(where)
            for task in wanted:
                if scheduler.task(_taskid(job, task)).lost(WORKERS_LOST):
                    found.append(Reported(task, self._reason(job, task, scheduler)))
        except NatronIExecError as problem:
            self._rest_until_s[where] = self._clock() + REST_S
            self._log.info("the scheduler of %s does not answer: %s", where[1], problem)
        with self._lock:
            if wanted:
                self._asked[job.id] = (wanted[-1].index, bool(found))
        self._record(job, found)
        return found

    def forget(self, job_id: str) -> None:
        with self._lock:
            self._asked.pop(job_id, None)

    def _next(self, job: Job) -> Sequence[JobTask]:
        """The open tasks whose turn it is, round and round."""
        open_tasks = [task for task in self._spool.tasks(job.id, "rendering") if not task.note]
        with self._lock:
            last, alarmed = self._asked.get(job.id, (-1, False))
        ahead = [task for task in open_tasks if task.index > last]
        return (ahead + open_tasks[: len(open_tasks) - len(ahead)])[: ALARMED if alarmed else CALM]

    def _scheduler(self, where: tuple[str, str]) -> Scheduler:
        network, workerpool = where
        services = self._services.of(network)
        known = self._schedulers.get(where)
        if known is None or known.network != services.network:
            known = self._schedulers[where] = Scheduler(services.network, workerpool, services.transport)
        return known

    def _reason(self, job: Job, task: JobTask, scheduler: Scheduler) -> str:
        """What the task said last; only the requester may read it, so a locked wallet leaves the bare fact."""
        try:
            tries = scheduler.logs(_taskid(job, task), self._sign(job.quote.account))
        except WalletError:
            return "The workers failed; unlock the wallet to read why."
        for _, out, err in reversed(tries):
            lines = in_clear(out.splitlines(), job.artist_key)
            said = [line[len(_LAST_WORDS) :] for line in lines if line.startswith(_LAST_WORDS)]
            text = (said or [line for line in err.splitlines() if line.strip()] or [""])[-1]
            if text.strip():
                return _printable(text)[:_LONGEST]
        return "The workers failed and left no reason."

    def _record(self, job: Job, found: Sequence[Reported]) -> None:
        """The task stays open, since its money is still bound; its frames count as failed, so that they can be rendered
        again. If the chain delivers it after all, they are imported."""
        if not found:
            return
        self._spool.change_tasks(job.id, {one.task.index: {"note": one.reason} for one in found})
        for one in found:
            self._spool.change_frames(job.id, [one.task.index], unless=("imported",), state="failed", log=one.reason)


def _taskid(job: Job, task: JobTask) -> str:
    """The chain's id; it follows from the deal before the chain has said anything of the task."""
    if task.taskid:
        return task.taskid
    deal = next(deal for deal in job.deals if deal.first <= task.index < deal.first + deal.tasks)
    return task_id(deal.dealid, task.index)


def _printable(line: str) -> str:
    """A stranger's line without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in line).strip()
