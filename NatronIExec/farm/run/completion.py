"""Derives a job's state from its tasks, ends it when all are settled, and removes what was uploaded for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from NatronIExec import log
from NatronIExec.errors import CannotRemove, NatronIExecError
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.run.work_queue import Queues
from NatronIExec.farm.store.events import Events
from NatronIExec.farm.store.job import Job
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.settings import Settings
from NatronIExec.states import TASKS_OVER, is_settled

#: Longest pause in seconds between two attempts to remove uploads.
LONGEST_WAIT_S = 300
REMOVED_AT_ONCE = 20


class Completion:
    """`refresh` may be called by several threads. A finished test whose other frames follow automatically is put into
    `queues.rest`, and each job whose uploads may be removed into `queues.clear`."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        watcher: Watcher,
        ledger: Ledger,
        events: Events,
        settings: Callable[[], Settings],
        queues: Queues,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._services = services
        self._watcher = watcher
        self._ledger = ledger
        self._events = events
        self._settings = settings
        self._queues = queues
        self._clock = clock
        self._tries: dict[str, int] = {}
        self._guard = threading.Lock()
        self._log = log.get_logger("farm")

    def refresh(self, job_id: str) -> None:
        """Update the job's state from its tasks, and end the job when all are settled."""
        with self._guard:
            job = self._spool.job(job_id)
            if job.step == "over":
                self._mend(job)
                return
            if job.state == "paused":
                return
            tasks = self._spool.counts_of(job_id, "tasks")
            over = sum(tasks.get(state, 0) for state in TASKS_OVER) == sum(tasks.values())
            state = _state(tasks) if not over else self._end_state(job)
            if over:
                self._ledger.record(job, self._watcher.refunded_nrlc(job))
                job = self._spool.update(job_id, state=state, step="over", ended_s=self._clock(), error=None)
            elif state != job.state:
                job = self._spool.update(job_id, state=state)
        self._events.job_changed(job_id)
        if over:
            self._after(job)

    def _mend(self, job: Job) -> None:
        """Correct the state of an ended job after an import brought frames that had counted as lost."""
        state = self._end_state(job)
        if job.state in ("partly", "failed") and state != job.state:
            self._spool.update(job.id, state=state)
            self._events.job_changed(job.id)

    def _end_state(self, job: Job) -> str:
        frames = self._spool.counts_of(job.id, "frames")
        done, total = frames.get("imported", 0), sum(frames.values())
        if done < total:
            return "partly" if done else "failed"
        return "held" if job.rest is not None and job.submission.test_frames == "auto" else "done"

    def _after(self, job: Job) -> None:
        self._watcher.forget(job.id)
        again = "They can be rendered again; what is there stays."
        words = {
            "done": ("info", "all frames are there.", ""),
            "held": ("warning", "the test frames are there.", "Look at them, then render the rest."),
            "partly": ("warning", "some frames are missing.", again),
            "failed": ("error", "no frame was rendered.", again),
        }
        level, text, remedy = words[job.state]
        self._events.notice(job.id, level, f"{job.name}: {text}", remedy)
        if job.state == "done" and job.rest is not None and not job.cancelled:
            self._queues.rest.put(job.id)
        if job.state != "held":
            self._queues.clear.put(job.id)

    def clear(self, job_id: str) -> float | None:
        """Remove the uploads of a job that is over, except those that another job needs."""
        job = self._spool.job(job_id)
        if job.inputs_cleared or not is_settled(job.state) or (job.bought and job.step != "over"):
            return None
        if job.state == "held" and not job.removed:
            return None
        due_s = (job.ended_s or 0) + self._settings().keep_inputs_days * 86400
        if self._clock() < due_s:
            return min(3600.0, due_s - self._clock())
        try:
            self._remove_inputs(job)
        except CannotRemove as problem:
            self._log.warning("inputs of job %s stay where they are: %s", job_id, problem)
            if not job.secret:  # what is sealed stays sealed, as was said before it was sent
                self._events.notice(job_id, "warning", f"{job.name}: {problem.title}", problem.remedy)
        except NatronIExecError as problem:
            self._log.warning("inputs of job %s are not cleared yet: %s", job_id, problem)
            tries = self._tries[job_id] = self._tries.get(job_id, 0) + 1
            return float(min(LONGEST_WAIT_S, 2**tries))
        self._spool.forget_uploads(job_id)
        folder = self._spool.job_folder(job_id)
        for sealed in folder.glob("sent/sealed-*"):
            sealed.unlink(missing_ok=True)
        self._spool.update(job_id, inputs_cleared=True)
        return None

    def _remove_inputs(self, job: Job) -> None:
        """Remove a few at a time: between two batches other jobs can record which files they need."""
        storage = self._services.of(job.quote.network).storage
        if job.step != "over" or self._all_home(job.id):
            storage.clear_drop(job.id)
        while True:
            with self._spool.removing_uploads(job.id, REMOVED_AT_ONCE) as unneeded:
                if not unneeded:
                    return
                storage.remove(unneeded)

    def _all_home(self, job_id: str) -> bool:
        """Whether nothing that a worker left is still to be brought home by an import."""
        return not self._spool.tasks(job_id, "delivered") and not self._spool.tasks(job_id, "refused")


def _state(tasks: Mapping[str, int]) -> str:
    if tasks.get("waiting") == sum(tasks.values()):
        return "waiting"
    if tasks.get("delivered") and not tasks.get("waiting") and not tasks.get("rendering"):
        return "importing"
    return "rendering"
