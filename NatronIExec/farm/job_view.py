"""What people see of jobs: the list, one job's sheet, its frames, logs and thumbnails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from NatronIExec import paths
from NatronIExec.errors import Conflict, NatronIExecError, WalletLocked
from NatronIExec.farm import job_rows
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.run.buyer import Sign
from NatronIExec.farm.run.collector import Collector
from NatronIExec.farm.run.image_decoder import Decoder
from NatronIExec.farm.run.last_words import in_clear
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.store.job import Job, JobFrame, JobTask
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.scheduler import Scheduler
from NatronIExec.wire import load_json


class JobView:
    """Changes nothing. `heard_s` says when the chain was last asked about a job (Unix seconds; None: not since the
    engine was started). Methods raise Conflict for an unknown job."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        heard_s: Callable[[str], float | None],
        watcher: Watcher,
        collector: Collector,
        decoder: Decoder,
        sign: Sign,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._services = services
        self._heard_s = heard_s
        self._watcher = watcher
        self._collector = collector
        self._decoder = decoder
        self._sign = sign
        self._clock = clock

    def rows(self) -> list[dict[str, Any]]:
        frames, tasks = self._spool.frame_counts(), self._spool.task_counts()
        refunds = {entry["job"]: entry["refunded_nrlc"] for entry in self._spool.ledger()}
        return [
            self._row(job, frames.get(job.id, {}), tasks.get(job.id, {}), refunds.get(job.id, 0))
            for job in self._spool.jobs()
        ]

    def row(self, job_id: str) -> dict[str, Any]:
        job = self._spool.job(job_id)
        frames, tasks = self._spool.counts_of(job_id, "frames"), self._spool.counts_of(job_id, "tasks")
        return self._row(job, frames, tasks, self._watcher.refunded_nrlc(job))

    def _row(self, job: Job, frames: Any, tasks: Any, refunded: int) -> dict[str, Any]:
        row = job_rows.job_row(job, frames, tasks, refunded, self._clock())
        row["last_update_s"] = self._heard_s(job.id) or row["last_update_s"]
        done = next((f for f in self._spool.frames(job.id, 0) if f.state == "imported"), None)
        row["thumbnail"] = done.frame if done else None
        return row

    def sheet(self, job_id: str) -> dict[str, Any]:
        job = self._spool.job(job_id)
        return job_rows.job_sheet(self.row(job_id), job, self._spool.steps(job_id), self._spool.tasks(job_id))

    def frames(self, job_id: str) -> list[JobFrame]:
        self._spool.job(job_id)
        return self._spool.frames(job_id)

    def active(self) -> int:
        return self._spool.open_count()

    def logs(self, job_id: str, task: int | None, tail: int) -> list[str]:
        """Of the job: its steps. Of a task: what the renderer printed, from its result, else (a task that failed leaves
        none) from its worker group."""
        if task is None:
            steps = self._spool.steps(job_id)
            lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(s['at_s']))} {s['step']}" for s in steps]
            lines += [f"task {t.index} ({t.frames}): {t.state} {t.note}".rstrip() for t in self._spool.tasks(job_id)]
            return lines[-tail:]
        found = self._spool.task(job_id, task)
        try:
            report = load_json(self._collector.log_file(job_id, task).read_bytes())
            text = str(report.get("log", "")) if isinstance(report, dict) else ""
        except (OSError, ValueError):
            text = "\n".join(self._worker_logs(self._spool.job(job_id), found))
        return [_printable(line) for line in text.splitlines()[-tail:]]

    def _worker_logs(self, job: Job, task: JobTask) -> list[str]:
        """What the worker group kept of a task's tries: only the requester may read it, so the wallet must be open."""
        lines = [task.note] if task.note else []
        if not task.taskid:
            return lines or ["This task has not begun yet."]
        services = self._services.of(job.quote.network)
        try:
            scheduler = Scheduler(services.network, job.quote.workerpool, services.transport)
            for worker, out, err in scheduler.logs(task.taskid, self._sign(job.quote.account)):
                lines += [f"worker {worker}", *in_clear(out.splitlines(), job.artist_key), *err.splitlines()]
        except WalletLocked:
            lines.append("Unlock the wallet to read what the worker group says of this task.")
        except NatronIExecError as problem:
            lines.append(f"The worker group has no log of this task: {problem}")
        return lines or ["This task has not brought its log home yet."]

    def thumbnail(self, job_id: str, frame: int, view: str | None, size: int, writer: str | None = None) -> Path:
        """A small PNG of a frame that came back, of any writer and view when none is named. Raises Conflict when it did
        not, BadInput when it is no picture."""
        for found in self._spool.frames(job_id):
            named = view in (None, found.view) and writer in (None, found.writer)
            if found.frame == frame and found.file and named:
                source = Path(found.file)
                if not source.exists():
                    break
                facts = source.stat()
                name = f"{job_id}-{found.writer}-{frame}-{found.view}-{size}-{facts.st_mtime_ns}.png"
                target = paths.private_folder(paths.cache() / "thumbnails") / name.replace(os.sep, "_")
                if not target.exists():
                    self._decoder.thumbnail_png(source, size, target)
                return target
        raise Conflict(f"Frame {frame} is not here.", "Wait until it is rendered, or import the job again.")


def _printable(line: str) -> str:
    """A stranger's line without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)
