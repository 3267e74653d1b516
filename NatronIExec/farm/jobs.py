"""The verbs of the queue: what the GUI's buttons and the command line do with jobs."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from NatronIExec.errors import Conflict, NatronIExecError, PriceAboveCap
from NatronIExec.farm import job_rows
from NatronIExec.farm.order.frame_selection import Progress, split_test
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.order.plan import Plan, make_plan
from NatronIExec.farm.order.retry import Asked, retry_submission
from NatronIExec.farm.order.shown_plans import ShownPlans
from NatronIExec.farm.pack.bundle import export_bundle
from NatronIExec.farm.run.buyer import Sign
from NatronIExec.farm.run.pipeline import Pipeline
from NatronIExec.farm.run.submitter import PROJECT_COPY, copy_project
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.store.events import Events
from NatronIExec.farm.store.job import Job, JobError, JobFrame, JobTask
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.frames import FrameSet
from NatronIExec.scan.output_paths import Targets
from NatronIExec.states import is_over, is_settled
from NatronIExec.submission import Submission
from NatronIExec.wording import count, rlc


class Jobs:
    """`account` gives the paying address or None; `sign` gives its signer or raises WalletLocked; `clock` counts Unix
    seconds. All amounts are in nRLC, gas in wei."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        pipeline: Pipeline,
        watcher: Watcher,
        ledger: Ledger,
        events: Events,
        account: Callable[[], str | None],
        sign: Sign,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._services = services
        self._pipeline = pipeline
        self._watcher = watcher
        self._ledger = ledger
        self._events = events
        self._account = account
        self._sign = sign
        self._clock = clock
        self._plans = ShownPlans()
        self._accepting = threading.Lock()

    # before

    def plan(
        self,
        submission: Submission,
        progress: Progress | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Plan:
        """Plan a render; spends nothing and needs no password. The plan can be submitted by its id for a while."""
        services = self._services.of(submission.network)
        plan = make_plan(_new_id(), submission, services, self._account(), self._ledger.allow, progress, cancel)
        self._plans.keep(plan)
        return plan

    def retry_plan(self, job_id: str, frames: Asked, progress: Progress | None = None) -> Plan:
        """A plan for rendering a job's lost frames, or those given, again."""
        return self.plan(self._again(self._spool.job(job_id), frames), progress)

    def _again(self, job: Job, frames: Asked) -> Submission:
        """The submission of a retry. Frames that a later job has imported or is rendering do not count as lost."""
        later: dict[tuple[str, int], str] = {}
        for other in self._spool.descendants(job.id):
            for frame in self._spool.frames(other.id):
                under_way = not is_settled(other.state) and frame.state != "failed"
                if frame.state == "imported" or under_way:
                    later[(frame.writer, frame.frame)] = other.id
        project = self._spool.job_folder(job.id) / PROJECT_COPY
        return retry_submission(job, self._spool.frames(job.id), frames, project, later)

    def submit(self, submission: Submission, plan_id: str | None = None, max_total_nrlc: int | None = None) -> str:
        """Accept a job and start it; returns its id. A plan is accepted once: submitting it again returns the id of its
        job. Raises the first of `Plan.problems`, PriceAboveCap if it costs more than `max_total_nrlc`, WalletLocked."""
        return self._accepted(plan_id) or self._accept(self._shown(plan_id, submission), max_total_nrlc)

    def _accepted(self, plan_id: str | None) -> str | None:
        """The job that was made from a plan, also by an earlier run of the engine."""
        return next((job.id for job in self._spool.all_jobs() if job.plan == plan_id), None) if plan_id else None

    def _shown(self, plan_id: str | None, submission: Submission) -> Plan:
        """The plan that the user saw. If it is forgotten, a new one with the same id."""
        shown = self._plans.find(plan_id)
        if shown and shown.submission == submission:
            return shown
        plan = self.plan(submission)
        return replace(plan, id=plan_id) if plan_id else plan

    def _accept(self, plan: Plan, max_total_nrlc: int | None, parent: Job | None = None) -> str:
        if plan.problems:
            raise plan.problems[0]
        if plan.quote is None:
            raise Conflict("This plan cannot be bought.", "Plan it again.")
        if max_total_nrlc is not None and plan.most_nrlc > max_total_nrlc:
            raise PriceAboveCap(
                f"The render now costs up to {rlc(plan.most_nrlc)}, not the {rlc(max_total_nrlc)} that were shown.",
                "Look at the new price and submit again.",
            )
        self._ledger.allow(plan.most_nrlc)
        self._sign(plan.quote.account)
        job_id = _new_id()
        folder = self._spool.job_folder(job_id)
        copy_project(Path(plan.submission.project), folder)
        job, parts = self._new_job(job_id, plan, parent), _parts(plan)
        with (
            self._accepting
        ):  # one at a time, so that two jobs together stay within the caps and one plan makes one job
            try:
                self._ledger.allow(plan.most_nrlc)
            except PriceAboveCap:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            known = self._accepted(plan.id)
            if known:
                shutil.rmtree(folder, ignore_errors=True)
                return known
            self._spool.add(job, *parts)
        self._plans.forget(plan.id)
        self._events.job_changed(job_id)
        self._pipeline.go_on(job)
        return job_id

    def _new_job(self, job_id: str, plan: Plan, parent: Job | None) -> Job:
        assert plan.quote is not None
        first = _frozen(plan) if plan.rest is None and plan.work is plan.scan else _first(plan)
        used = {chunk.writer for chunk in plan.work.chunks}
        return Job(
            id=job_id,
            created_s=self._clock(),
            submission=first,
            quote=plan.quote,
            most_nrlc=plan.task_price_nrlc * plan.tasks,
            rest=plan.rest,
            rest_most_nrlc=plan.rest_most_nrlc,
            parent=parent.id if parent else "",
            plan=plan.id,
            moves=parent.moves if parent else (),
            writers=tuple(writer for writer in plan.work.writers if writer.name in used),
        )

    # later

    def retry(
        self, job_id: str, frames: Asked = None, plan_id: str | None = None, max_total_nrlc: int | None = None
    ) -> str:
        """Render lost frames (or those given) again; returns the new job's id. A paused job is continued instead."""
        job = self._spool.job(job_id)
        if job.state == "paused" and frames is None:
            self._pipeline.resume(job)
            return job_id
        new = self._accepted(plan_id)
        if new is None:
            plan = self._shown(plan_id, self._again(job, frames))
            new = self._accept(plan, max_total_nrlc, parent=job)
        if frames is None and job.rest is not None:
            self._spool.update(job_id, state="done" if job.state == "held" else job.state, rest=None)
            self._events.job_changed(job_id)
            self._pipeline.clear(job_id)
        return new

    def render_rest(self, job_id: str) -> None:
        """Buy the rest after a test automatically, for at most the price that was shown for both."""
        job = self._spool.job(job_id)
        if job.rest is None or job.cancelled:
            return
        rest = job.rest.frames_of
        if any(other.submission.frames_of == rest for other in self._spool.descendants(job.id)):
            self._spool.update(job.id, rest=None)  # it was accepted before a crash
            return
        project = self._spool.job_folder(job.id) / PROJECT_COPY
        try:
            plan = self.plan(job.rest.with_(project=str(project), original=str(job.submission.artist_file)))
            _check_gas(plan, job)
            self._accept(plan, job.rest_most_nrlc, parent=job)
        except NatronIExecError as problem:
            self._spool.update(job.id, state="held", error=JobError.of(problem))
            self._events.job_changed(job.id)
            self._events.notice(
                job.id, "warning", f"{job.name}: the rest is not bought. {problem.title}", problem.remedy
            )
        else:
            self._spool.update(job.id, rest=None)

    def unlocked(self) -> None:
        """Continue the jobs that waited for the wallet; called when it is unlocked."""
        for job in self._spool.open_jobs():
            if job.error and job.error.code in ("wallet-locked", "wallet"):
                self._pipeline.resume(job)

    def cancel(self, job_id: str) -> dict[str, list[str]]:
        """Cancel a job. Returns sentences: what was stopped, and what is bought and cannot be undone."""
        job = self._spool.job(job_id)
        if is_over(job.state):
            raise Conflict("This job is over.", "There is nothing to stop.")
        job = self._spool.update(job_id, cancelled=True, rest=None)
        stopped, bought = [], []
        if job.state == "held":
            self._spool.update(job_id, state="done")
            stopped.append("The rest is not rendered.")
            self._pipeline.clear(job_id)
        elif not job.bought:
            if job.reached("signed"):
                bought.append("If the purchase is made already, its frames are brought home; else it is withdrawn.")
            else:
                stopped.append("Nothing was bought; nothing is spent.")
            self._pipeline.cancelled(job_id)
        else:
            left = self._spool.counts_of(job_id, "tasks")
            going = left.get("waiting", 0) + left.get("rendering", 0)
            tasks = count(sum(deal.tasks for deal in job.deals), "task")
            bought.append(f"{tasks} bought, which cannot be given back; {going} not finished.")
            bought.append("Their frames still come, and what is not delivered in time is refunded.")
        self._events.job_changed(job_id)
        return {"stopped": stopped, "bought": bought}

    def import_frames(self, job_id: str) -> dict[str, Any]:
        """Import frames (again): delivered ones, those that are missing from their folder, and those that could not be
        fetched in time."""
        job = self._spool.job(job_id)
        if job.state == "paused":
            self._pipeline.resume(job)
        imported = skipped = 0
        for task in self._spool.tasks(job_id):
            if task.state == "done":
                frames = self._spool.frames(job_id, task.index)
                if all(frame.file and os.path.exists(frame.file) for frame in frames):
                    skipped += len(frames)
                    continue
            if task.location and task.state in ("done", "refused"):
                self._spool.change_tasks(job_id, {task.index: {"state": "delivered"}})
            if self._spool.task(job_id, task.index).state == "delivered":
                done = self._pipeline.collect(self._spool.job(job_id), task.index)
                imported, skipped = imported + done.imported, skipped + done.skipped
        return {"imported": imported, "skipped": skipped, "folder": job_rows.out_folder(self._spool.job(job_id))}

    def claim(self, job_id: str | None = None, unlock: Callable[[], None] = lambda: None) -> dict[str, int]:
        """Claim the refunds of one job, or of all. Returns the number of tasks and their nRLC. `unlock` is called
        inside the claiming lock, so that this claim, not the engine's own, gets the refunds. Raises WalletLocked."""
        with self._watcher.claiming():
            unlock()
            return self._claim(job_id)

    def _claim(self, job_id: str | None) -> dict[str, int]:
        tasks = refund = 0
        wanted = [self._spool.job(job_id)] if job_id else self._spool.open_jobs()
        for job in wanted:
            if not job.bought or job.step == "over":
                continue
            claimed = self._watcher.claim(job)
            tasks, refund = tasks + claimed.tasks, refund + claimed.refund_nrlc
            if claimed.tasks:
                job = self._spool.update(job.id, error=None)
                # the job may have ended before the claim's gas was known
                self._ledger.record(job, self._watcher.refunded_nrlc(job))
                self._pipeline.look(job.id)
        return {"tasks": tasks, "refund_nrlc": refund}

    def remove(self, job_id: str) -> None:
        """Take a job off the list. Raises Conflict while it is under way."""
        job = self._spool.job(job_id)
        if not is_settled(job.state):
            raise Conflict("This job is under way.", "Cancel it first, or wait until it is over.")
        self._spool.update(job_id, removed=True)
        self._events.job_removed(job_id)
        self._pipeline.clear(job_id)

    def export(self, job_id: str, to: Path) -> Path:
        self._spool.job(job_id)
        return export_bundle(self._spool.job_folder(job_id), to)


def _parts(plan: Plan) -> tuple[list[JobTask], list[JobFrame]]:
    tasks, frames = [], []
    writers = {writer.name: Targets(writer, plan.submission.out) for writer in plan.work.writers}
    for chunk in plan.work.chunks:
        tasks.append(JobTask(chunk.index, FrameSet(chunk.frames), chunk.writer))
        frames += [
            JobFrame(chunk.writer, frame, view, chunk.index)
            for frame, view, _ in writers[chunk.writer].files(chunk.frames)
        ]
    return tasks, frames


def _check_gas(plan: Plan, test: Job) -> None:
    """Raises PriceAboveCap if the rest needs more gas than the test, which is what the price shown counted."""
    if plan.quote is not None and plan.quote.gas_wei > test.quote.gas_wei:
        raise PriceAboveCap("Gas has become more expensive than the price that was shown.", "Look at the new price.")


def _frozen(plan: Plan) -> Submission:
    """With `only_missing`, fix the frames that are missing now, so that files written before packing change nothing."""
    if not plan.submission.only_missing:
        return plan.submission
    frames = {name: FrameSet(found) for name, found in plan.work.frames_by_writer().items()}
    return plan.submission.with_(frames=None, frames_of=frames, writers=tuple(frames), only_missing=False)


def _first(plan: Plan) -> Submission:
    return split_test(plan.scan, plan.submission)[0]


def _new_id() -> str:
    """A new job or plan id: short enough to type, random enough to be unique."""
    return f"{time.strftime('%y%m%d')}-{os.urandom(4).hex()}"
