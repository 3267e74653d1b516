"""The database of everything that must survive the engine: jobs with their tasks and frames, uploads, the ledger.
SQLite in WAL mode; each change is synced to disk.

A job's own record is one JSON value, so that a new field needs no new column; what is counted and searched (tasks,
frames, uploads, money) has tables. Every change is one transaction: a crash leaves the old or the new whole.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from NatronIExec import paths
from NatronIExec.errors import Cancelled, Conflict
from NatronIExec.farm.store.job import STEPS, Job, JobFrame, JobTask
from NatronIExec.farm.store.migrations import SCHEMA, migrate
from NatronIExec.farm.store.records import from_json, to_json
from NatronIExec.frames import parse_frames
from NatronIExec.states import is_settled

_TABLES = """
CREATE TABLE jobs (id TEXT PRIMARY KEY, created_s REAL NOT NULL, settled INTEGER NOT NULL, removed INTEGER NOT NULL,
                   record TEXT NOT NULL);
CREATE TABLE steps (job TEXT NOT NULL, step TEXT NOT NULL, at_s REAL NOT NULL);
CREATE TABLE tasks (job TEXT NOT NULL, idx INTEGER NOT NULL, frames TEXT, writer TEXT, state TEXT, dealid TEXT,
                    taskid TEXT, worker TEXT, location TEXT, digest TEXT, tries INTEGER, note TEXT,
                    PRIMARY KEY (job, idx)) WITHOUT ROWID;
CREATE TABLE frames (job TEXT NOT NULL, writer TEXT NOT NULL, frame INTEGER NOT NULL, view TEXT NOT NULL,
                     chunk INTEGER, state TEXT, tries INTEGER, time_s REAL, size INTEGER, file TEXT, log TEXT,
                     PRIMARY KEY (job, writer, frame, view)) WITHOUT ROWID;
CREATE TABLE uploads (network TEXT NOT NULL, cid TEXT NOT NULL, job TEXT NOT NULL, stored INTEGER NOT NULL,
                      PRIMARY KEY (network, cid, job)) WITHOUT ROWID;
CREATE TABLE ledger (job TEXT PRIMARY KEY, name TEXT, at_s REAL, paid_nrlc INTEGER, refunded_nrlc INTEGER, gas_wei TEXT,
                     network TEXT, tx TEXT);
"""
_TASK_COLUMNS = "idx, frames, writer, state, dealid, taskid, worker, location, digest, tries, note"
_PUT_TASK = f"""
INSERT INTO tasks (job, {_TASK_COLUMNS})
VALUES (:job, :index, :frames, :writer, :state, :dealid, :taskid, :worker, :location, :digest, :tries, :note)
"""
_FRAME_COLUMNS = "writer, frame, view, chunk, state, tries, time_s, size, file, log"
_PUT_FRAME = f"""
INSERT OR REPLACE INTO frames (job, {_FRAME_COLUMNS})
VALUES (:job, :writer, :frame, :view, :chunk, :state, :tries, :time_s, :size, :file, :log)
"""

Row = Mapping[str, Any]


class Spool:
    """The spool of one engine, safe for its threads. `on_step` is called after a step is on disk (crash tests end the
    process there); `clock` gives Unix seconds."""

    def __init__(
        self,
        folder: Path,
        on_step: Callable[[str, str], None] = lambda job, step: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = paths.private_folder(folder)
        self._on_step = on_step
        self._clock = clock
        self._lock = threading.RLock()
        #: Held while a job says what it needs, and while what nobody needs is removed: so that nothing is removed
        #: that a job just found in the storage.
        self._uploading = threading.Lock()
        self._db = sqlite3.connect(str(folder / "jobs.sqlite"), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._prepare()

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise Conflict("The job list was written by a newer version.", "Update NatronIExec.")
        if version == SCHEMA:
            return
        with self._changing():
            if version == 0:
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA}")
            else:
                migrate(self._db, version)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def job_folder(self, job: str) -> Path:
        """The job's own folder: the copy of the project, what is sent, what came back."""
        return paths.private_folder(self.folder / job)

    # jobs

    def add(self, job: Job, tasks: Sequence[JobTask], frames: Iterable[JobFrame]) -> None:
        with self._changing() as db:
            db.execute("INSERT INTO jobs VALUES (?,?,0,0,?)", (job.id, job.created_s, _record(job)))
            db.executemany(_PUT_TASK, [_task_values(job.id, task) for task in tasks])
            db.executemany(_PUT_FRAME, [_frame_values(job.id, frame) for frame in frames])
            db.execute("INSERT INTO steps VALUES (?,?,?)", (job.id, "accepted", self._clock()))
        self._on_step(job.id, "accepted")

    def job(self, job_id: str) -> Job:
        """Raises Conflict for an unknown id."""
        rows = self._rows("SELECT record FROM jobs WHERE id=?", job_id)
        if not rows:
            raise Conflict(f"There is no job {job_id}.", "See `natron-iexec jobs` for those that there are.")
        return _job(rows[0])

    def jobs(self) -> list[Job]:
        """All jobs of the list, newest first."""
        rows = self._rows("SELECT record FROM jobs WHERE removed=0 ORDER BY created_s DESC, id DESC")
        return [_job(row) for row in rows]

    def open_jobs(self) -> list[Job]:
        """All unfinished jobs, oldest first."""
        rows = self._rows("SELECT record FROM jobs WHERE settled=0 ORDER BY created_s, id")
        return [_job(row) for row in rows]

    def descendants(self, job_id: str) -> list[Job]:
        """Retries of a job, their retries, and so on, oldest first."""
        found, family = [], {job_id}
        for job in self.all_jobs():
            if job.parent in family:
                family.add(job.id)
                found.append(job)
        return found

    def open_count(self) -> int:
        return int(self._rows("SELECT COUNT(*) AS n FROM jobs WHERE settled=0")[0]["n"])

    def all_jobs(self) -> list[Job]:
        rows = self._rows("SELECT record FROM jobs ORDER BY created_s, id")
        return [_job(row) for row in rows]

    def update(self, job_id: str, unless_cancelled: bool = False, **changes: Any) -> Job:
        """Change a job's record. A `step` among the changes is recorded with its time, and `on_step` is called once it
        is on disk. With `unless_cancelled`, raises Cancelled if the job was cancelled meanwhile."""
        step = changes.get("step")
        with self._changing() as db:
            before = self.job(job_id)
            if unless_cancelled and before.cancelled:
                raise Cancelled("Cancelled before it was signed.")
            if step is not None and STEPS.index(step) < STEPS.index(before.step):
                changes.pop("step")
            job = replace(before, **changes)
            settled = is_settled(job.state) and (job.step == "over" or not job.bought)
            db.execute(
                "UPDATE jobs SET record=?, settled=?, removed=? WHERE id=?",
                (_record(job), settled, job.removed, job_id),
            )
            if step is not None and step != before.step:
                db.execute("INSERT INTO steps VALUES (?,?,?)", (job_id, step, self._clock()))
        if step is not None:
            self._on_step(job_id, step)
        return job

    def steps(self, job_id: str) -> list[dict[str, Any]]:
        rows = self._rows("SELECT step, at_s FROM steps WHERE job=? ORDER BY at_s, rowid", job_id)
        return [dict(row) for row in rows]

    # tasks and frames

    def tasks(self, job_id: str, state: str | None = None) -> list[JobTask]:
        only, values = (" AND state=?", (job_id, state)) if state else ("", (job_id,))
        rows = self._rows(f"SELECT {_TASK_COLUMNS} FROM tasks WHERE job=?{only} ORDER BY idx", *values)
        return [_task(row) for row in rows]

    def task(self, job_id: str, index: int) -> JobTask:
        rows = self._rows(f"SELECT {_TASK_COLUMNS} FROM tasks WHERE job=? AND idx=?", job_id, index)
        if not rows:
            raise Conflict(f"The job has no task {index}.", "Task numbers begin at 0.")
        return _task(rows[0])

    def change_tasks(self, job_id: str, changes: Mapping[int, Mapping[str, Any]]) -> None:
        """{index: {field: value}} in one transaction."""
        with self._changing() as db:
            for index, values in changes.items():
                named = ", ".join(f"{name}=?" for name in values)
                db.execute(f"UPDATE tasks SET {named} WHERE job=? AND idx=?", (*values.values(), job_id, index))

    def frames(self, job_id: str, chunk: int | None = None) -> list[JobFrame]:
        """The frames of all chunks, or of one."""
        only, values = (" AND chunk=?", (job_id, chunk)) if chunk is not None else ("", (job_id,))
        order = "ORDER BY chunk, writer, frame, view"
        rows = self._rows(f"SELECT {_FRAME_COLUMNS} FROM frames WHERE job=?{only} {order}", *values)
        return [_frame(row) for row in rows]

    def change_frames(self, job_id: str, chunks: Iterable[int], unless: Sequence[str] = (), **values: Any) -> None:
        """All frames of some chunks, except those in the states `unless`."""
        named = ", ".join(f"{name}=?" for name in values)
        skip = f" AND state NOT IN ({_marks(len(unless))})" if unless else ""
        with self._changing() as db:
            db.executemany(
                f"UPDATE frames SET {named} WHERE job=? AND chunk=?{skip}",
                [(*values.values(), job_id, chunk, *unless) for chunk in chunks],
            )

    def put_frames(self, job_id: str, frames: Sequence[JobFrame]) -> None:
        """Write these frames, replacing their rows."""
        with self._changing() as db:
            db.executemany(_PUT_FRAME, [_frame_values(job_id, frame) for frame in frames])

    def frame_counts(self) -> dict[str, dict[str, int]]:
        """{job: {state: number of frames}} of all jobs, in one query."""
        counts: dict[str, dict[str, int]] = {}
        for row in self._rows("SELECT job, state, COUNT(*) AS n FROM frames GROUP BY job, state"):
            counts.setdefault(row["job"], {})[row["state"]] = row["n"]
        return counts

    def task_counts(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for row in self._rows("SELECT job, state, COUNT(*) AS n FROM tasks GROUP BY job, state"):
            counts.setdefault(row["job"], {})[row["state"]] = row["n"]
        return counts

    def counts_of(self, job_id: str, table: str) -> dict[str, int]:
        assert table in ("tasks", "frames")
        rows = self._rows(f"SELECT state, COUNT(*) AS n FROM {table} WHERE job=? GROUP BY state", job_id)
        return {row["state"]: row["n"] for row in rows}

    # uploads

    def plan_uploads(self, job_id: str, network: str, cids: Iterable[str]) -> None:
        """Record the CIDs that a job needs before they are uploaded, so that leftovers of a crash can be removed
        later."""
        with self._uploading, self._changing() as db:
            db.executemany(
                "INSERT OR IGNORE INTO uploads VALUES (?,?,?,0)",
                [(network, cid, job_id) for cid in dict.fromkeys(cids)],
            )

    def stored(self, network: str, cids: Iterable[str]) -> None:
        with self._changing() as db:
            db.executemany("UPDATE uploads SET stored=1 WHERE network=? AND cid=?", [(network, cid) for cid in cids])

    def stored_cids(self, network: str) -> set[str]:
        return {row["cid"] for row in self._rows("SELECT cid FROM uploads WHERE network=? AND stored=1", network)}

    @contextlib.contextmanager
    def removing_uploads(self, job_id: str, most: int) -> Iterator[list[str]]:
        """Yields CIDs of the job that no other job needs. The caller removes them inside the block, during which no job
        can start to need them. Afterwards they are forgotten, unless the block raised."""
        with self._uploading:
            unneeded = self._needed_by_nobody_else(job_id, most)
            yield unneeded
            self.forget_uploads(job_id, unneeded)

    def _needed_by_nobody_else(self, job_id: str, most: int) -> list[str]:
        rows = self._rows(
            "SELECT cid FROM uploads AS u WHERE job=? AND NOT EXISTS "
            "(SELECT 1 FROM uploads AS o WHERE o.cid=u.cid AND o.network=u.network AND o.job<>u.job) LIMIT ?",
            job_id,
            most,
        )
        return [row["cid"] for row in rows]

    def forget_uploads(self, job_id: str, cids: Iterable[str] | None = None) -> None:
        """Forget all uploads of the job, or those given."""
        with self._changing() as db:
            if cids is None:
                db.execute("DELETE FROM uploads WHERE job=?", (job_id,))
            else:
                db.executemany("DELETE FROM uploads WHERE job=? AND cid=?", [(job_id, cid) for cid in cids])

    # money

    def enter(self, entry: Row) -> None:
        """Write a job's line in the ledger, replacing the earlier one."""
        with self._changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO ledger VALUES "
                "(:job,:name,:at_s,:paid_nrlc,:refunded_nrlc,:gas_wei,:network,:transaction)",
                dict(entry),
            )

    def ledger(self) -> list[dict[str, Any]]:
        rows = self._rows("SELECT * FROM ledger ORDER BY at_s DESC")
        return [{("transaction" if name == "tx" else name): row[name] for name in row.keys()} for row in rows]  # noqa: SIM118


def _marks(count: int) -> str:
    return ",".join("?" * count)


def _record(job: Job) -> str:
    return json.dumps(to_json(job))


def _job(row: sqlite3.Row) -> Job:
    return from_json(Job, json.loads(row["record"]))


def _task_values(job_id: str, task: JobTask) -> Row:
    return {"job": job_id, **asdict(task), "frames": str(task.frames)}


def _task(row: sqlite3.Row) -> JobTask:
    values = dict(row)
    return JobTask(index=values.pop("idx"), frames=parse_frames(values.pop("frames")), **values)


def _frame_values(job_id: str, frame: JobFrame) -> Row:
    return {"job": job_id, **asdict(frame)}


def _frame(row: sqlite3.Row) -> JobFrame:
    return JobFrame(**dict(row))
