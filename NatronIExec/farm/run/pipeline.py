"""Brings every open job forward: it works off the queues and continues where a crash interrupted.

An error has one of three effects: the step is retried later (a service is away), the job is paused (the user must
answer), or the task is refused (it is lost).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from NatronIExec import disk_errors, log
from NatronIExec.errors import (
    Cancelled,
    NatronIExecError,
    NotEnoughFunds,
    OutputError,
    PriceAboveCap,
    ResultRefused,
    ServiceError,
    ServiceUnavailable,
    Unreachable,
    WalletError,
    WalletLocked,
    kind_of,
)
from NatronIExec.farm.run.buyer import Buyer
from NatronIExec.farm.run.collector import Collected, Collector
from NatronIExec.farm.run.completion import Completion
from NatronIExec.farm.run.keyed_locks import KeyedLocks
from NatronIExec.farm.run.submitter import Submitter
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.run.work_queue import Queues
from NatronIExec.farm.run.worker_reports import WorkerReports
from NatronIExec.farm.store.events import Events
from NatronIExec.farm.store.job import Job, JobError, JobTask
from NatronIExec.farm.store.spool import Spool
from NatronIExec.settings import Settings
from NatronIExec.states import is_settled
from NatronIExec.wording import clock, count

#: Longest pause in seconds between two attempts to reach a service.
LONGEST_WAIT_S = 300
#: Seconds after which a result that no gateway delivers counts as lost; `import` asks for it again.
RESULT_PATIENCE_S = 24 * 3600
#: Errors that pause a job, since the user can solve them.
_ASKS = (WalletError, NotEnoughFunds, PriceAboveCap, OutputError)


class Pipeline:
    """Does the work of all `queues` except `rest`."""

    def __init__(
        self,
        spool: Spool,
        submitter: Submitter,
        buyer: Buyer,
        watcher: Watcher,
        collector: Collector,
        completion: Completion,
        reports: WorkerReports,
        events: Events,
        settings: Callable[[], Settings],
        queues: Queues,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._submitter = submitter
        self._buyer = buyer
        self._watcher = watcher
        self._collector = collector
        self._completion = completion
        self._reports = reports
        self._events = events
        self._settings = settings
        self._clock = clock
        self._queues = queues
        self._heard_s: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._missed_s: dict[str, float] = {}
        self._collecting = KeyedLocks()
        self._log = log.get_logger("farm")

    def start(self) -> None:
        """Start the queues and continue all open jobs."""
        self._queues.submit.start(self._do_submit)
        self._queues.watch.start(self._do_watch)
        self._queues.collect.start(self._do_collect)
        self._queues.clear.start(self._completion.clear)
        known = set()
        for job in self._spool.all_jobs():
            known.add(job.id)
            if not is_settled(job.state) or (job.bought and job.step != "over"):
                self.go_on(job)
            else:
                if job.state == "done":
                    self._queues.rest.put(job.id)
                self._queues.clear.put(job.id)
        for folder in self._spool.folder.iterdir():
            if folder.is_dir() and folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def heard_s(self, job_id: str) -> float | None:
        """When the chain last answered about an open job, in Unix seconds."""
        return self._heard_s.get(job_id)

    def go_on(self, job: Job) -> None:
        """Start or continue a job; a paused one stays paused."""
        if job.bought:
            self._queues.watch.put(job.id)
            for task in self._spool.tasks(job.id, "delivered"):
                self._queues.collect.put(_key(job.id, task.index))
        elif job.state != "paused":
            self._queues.submit.put(job.id)

    def resume(self, job: Job) -> None:
        """Continue a paused job after the user's answer."""
        self.go_on(self._spool.update(job.id, state="rendering" if job.bought else "preparing", error=None))
        self._events.job_changed(job.id)

    def cancelled(self, job_id: str) -> None:
        """Call after the job's record was marked as cancelled, so that its thread notices."""
        self._queues.submit.put(job_id)

    def look(self, job_id: str) -> None:
        """Look at the chain now instead of at the next poll."""
        self._queues.watch.put(job_id)

    def clear(self, job_id: str) -> None:
        self._queues.clear.put(job_id)

    # buying

    def _do_submit(self, job_id: str) -> float | None:
        job = self._spool.job(job_id)
        if job.bought or is_settled(job.state):
            return None
        if job.cancelled and not job.reached("signed"):
            self._ended(job, "cancelled", None)
            return None
        try:
            job = self._submitter.advance(job_id)
        except Cancelled:
            return self._cannot_buy(job_id, None) if self._spool.job(job_id).cancelled else None
        except _ASKS as problem:
            self._pause(job_id, problem)
            return None
        except (Unreachable, ServiceError) as problem:
            return self._later(job_id, job_id, problem)
        except NatronIExecError as problem:
            return self._cannot_buy(job_id, problem)
        except disk_errors.TROUBLE as problem:
            self._log.exception("job %s", job_id)
            self._pause(job_id, disk_errors.said(problem))
            return None
        except Exception as problem:  # a bug: the job must not hang, and the log must say why
            self._log.exception("job %s", job_id)
            return self._cannot_buy(job_id, _bug(problem))
        self._tries.pop(job_id, None)
        self.go_on(job)
        return None

    def _cannot_buy(self, job_id: str, problem: NatronIExecError | None) -> float | None:
        """End a job that failed, or was cancelled (`problem` is None). If it is not certain that nothing was bought,
        the job is kept open and looked at again later."""
        job = self._spool.job(job_id)
        try:
            over = self._buyer.nothing_bought(job)
        except NatronIExecError as unknown:
            self._log.warning("job %s: what was bought is not known: %s", job_id, unknown)
            over = False
        if not over:
            return self._later(job_id, job_id, problem) if problem else self._settings().poll_s
        self._ended(job, "failed" if problem else "cancelled", problem)
        return None

    def _ended(self, job: Job, state: str, problem: NatronIExecError | None) -> None:
        """End a job of which nothing was bought."""
        self._tries.pop(job.id, None)
        error = JobError.of(problem) if problem else None
        self._spool.update(job.id, state=state, error=error, ended_s=self._clock())
        self._events.job_changed(job.id)
        if problem:
            self._log.warning("job %s failed: %s", job.id, problem)
            self._events.notice(job.id, "error", f"{job.name}: {problem.title}", problem.remedy)
        self._queues.clear.put(job.id)

    def _pause(self, job_id: str, problem: NatronIExecError) -> None:
        job = self._spool.update(job_id, state="paused", error=JobError.of(problem))
        self._log.warning("job %s waits for an answer: %s", job_id, problem)
        self._events.job_changed(job_id)
        self._events.notice(job_id, "warning", f"{job.name}: {problem.title}", problem.remedy)

    def _later(self, job_id: str, key: str, problem: NatronIExecError) -> float:
        """The seconds to wait before the next try. Until then the job shows which service is away."""
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        job = self._spool.job(job_id)
        if job.error != JobError.of(problem):
            self._spool.update(job_id, error=JobError.of(problem))
            self._events.job_changed(job_id)
            self._log.warning("job %s: %s", job_id, problem)
        return float(min(LONGEST_WAIT_S, self._settings().poll_s * 2 ** min(tries - 1, 10)))

    # watching

    def _do_watch(self, job_id: str) -> float | None:
        job = self._spool.job(job_id)
        if job.step == "over" or not job.bought:
            return None
        try:
            changed = self._watcher.poll(job)
        except (Unreachable, ServiceError) as problem:
            return min(60.0, self._later(job_id, f"watch {job_id}", problem))
        self._tries.pop(f"watch {job_id}", None)
        self._heard_s[job_id] = self._clock()
        if job.error and issubclass(kind_of(job.error.code), ServiceUnavailable):
            self._spool.update(job_id, error=None)
            self._events.job_changed(job_id)
        if changed:
            self._announce(job_id, changed)
        self._listen(job)
        for task in self._spool.tasks(job_id, "delivered"):
            self._queues.collect.put(_key(job_id, task.index))
        if self._watcher.late(job):
            self._try_claim(job_id)
        self._completion.refresh(job_id)
        if self._spool.job(job_id).step == "over":
            self._heard_s.pop(job_id, None)
            self._reports.forget(job_id)
            return None
        return self._settings().poll_s

    def _listen(self, job: Job) -> None:
        """Say what the worker group reports of tasks that the chain still counts as running."""
        reported = self._reports.ask(job)
        if not reported:
            return
        self._announce(job.id, [one.task.index for one in reported])
        self._events.job_changed(job.id)
        lost = count(sum(len(one.task.frames) for one in reported), "frame")
        self._log.warning("job %s: workers failed at tasks %s", job.id, [one.task.index for one in reported])
        self._events.notice(
            job.id,
            "warning",
            f"{job.name}: {lost} failed. {reported[0].reason}",
            f"They can be rendered again now; what they cost comes back by itself {clock(job.refund_at_s)}.",
        )

    def _announce(self, job_id: str, chunks: list[int]) -> None:
        self._events.frames_changed(job_id, [frame for at in chunks for frame in self._spool.frames(job_id, at)])

    def _try_claim(self, job_id: str) -> None:
        """Claim refunds if the wallet is unlocked; otherwise the job says that a refund is waiting."""
        job = self._spool.job(job_id)
        try:
            claimed = self._watcher.claim(job)
        except NatronIExecError as problem:
            self._log.warning("claiming for job %s: %s", job_id, problem)
            said: NatronIExecError = problem
            if isinstance(problem, WalletLocked):
                title = "Unfinished frames can be refunded; the wallet is locked."
                said = WalletLocked(title, "Unlock the wallet, or claim the refund.")
            if isinstance(said, (WalletError, NotEnoughFunds)) and job.error != JobError.of(said):
                self._spool.update(job_id, error=JobError.of(said))
                self._events.job_changed(job_id)
                self._events.notice(job_id, "warning", f"{job.name}: {said.title}", said.remedy)
        else:
            if claimed.tasks:
                self._spool.update(job_id, error=None)
                self._queues.watch.put(job_id)

    # collecting

    def _do_collect(self, key: str) -> float | None:
        job_id, index = key.rsplit(":", 1)
        job = self._spool.job(job_id)
        if job.state == "paused":
            return None
        try:
            self.collect(job, int(index))
        except (Unreachable, ServiceError) as problem:
            if self._clock() - self._missed_s.setdefault(key, self._clock()) > RESULT_PATIENCE_S:
                self._lost(job, self._spool.task(job_id, int(index)), problem)
                self._answered(key)
                return None
            return min(60.0, self._later(job_id, key, problem))
        except OutputError as problem:
            self._pause(job_id, problem)
        except Cancelled:
            return None  # the engine stops
        except disk_errors.TROUBLE as problem:
            self._log.exception("job %s, task %s", job_id, index)
            self._pause(job_id, disk_errors.said(problem))
        except Exception as problem:  # a bug: what came back is kept, and the job must not hang
            self._log.exception("job %s, task %s", job_id, index)
            self._pause(job_id, _bug(problem))
        else:
            self._answered(key)
        return None

    def _answered(self, key: str) -> None:
        """Forget the counters of retries."""
        self._tries.pop(key, None)
        self._missed_s.pop(key, None)

    def collect(self, job: Job, index: int) -> Collected:
        """Import the frames of one delivered task. A refused result is recorded, not raised."""
        with self._collecting.of((job.id, index)):
            task = self._spool.task(job.id, index)
            if task.state != "delivered":
                return Collected(0, 0)
            try:
                done = self._collector.collect(job, task)
            except ResultRefused as problem:
                self._lost(job, task, problem)
                return Collected(0, 0)
            self._spool.change_tasks(job.id, {index: {"state": "done", "note": ""}})
        self._announce(job.id, [index])
        self._completion.refresh(job.id)
        return done

    def _lost(self, job: Job, task: JobTask, problem: NatronIExecError) -> None:
        self._log.warning("job %s, task %d: %s", job.id, task.index, problem)
        self._spool.change_tasks(job.id, {task.index: {"state": "refused", "note": problem.title}})
        self._spool.change_frames(job.id, [task.index], unless=("imported",), state="failed", log=problem.title)
        self._announce(job.id, [task.index])
        self._completion.refresh(job.id)


def _key(job_id: str, index: int) -> str:
    return f"{job_id}:{index}"


def _bug(problem: Exception) -> NatronIExecError:
    return NatronIExecError(
        f"Something unforeseen happened ({type(problem).__name__}).",
        "The log has the details; please report it. Retry the job to go on.",
    )
