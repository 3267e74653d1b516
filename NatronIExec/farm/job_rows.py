"""A job as lists and details show it: the JobRow and JobSheet of docs/engine-protocol.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from NatronIExec.farm.store.job import Job, JobTask
from NatronIExec.farm.store.job_targets import targets_of
from NatronIExec.states import FRAMES_LOST, TASKS_OVER
from NatronIExec.wording import clock, count

Counts = Mapping[str, int]


def job_row(job: Job, frames: Counts, tasks: Counts, refunded_nrlc: int, now_s: float) -> dict[str, Any]:
    total, done = sum(frames.values()), frames.get("imported", 0)
    lost = sum(frames.get(state, 0) for state in FRAMES_LOST)
    return {
        "id": job.id,
        "name": job.name,
        "project": job.submission.project,
        "original": str(job.submission.artist_file),
        "writers": [writer.name for writer in job.writers],
        "network": job.quote.network,
        "state": job.state,
        "state_text": state_text(job, done, total, lost),
        "step": job.step,
        "created_s": job.created_s,
        "ended_s": job.ended_s,
        "frames_total": total,
        "frames_done": done,
        "frames_failed": lost,
        "frames_running": frames.get("rendering", 0),
        "tasks_total": sum(tasks.values()),
        "tasks_done": sum(tasks.get(state, 0) for state in TASKS_OVER),
        "paid_nrlc": job.paid_nrlc,
        "most_nrlc": job.most_nrlc,
        "refunded_nrlc": refunded_nrlc,
        "workerpool": job.quote.workerpool_name or job.quote.workerpool,
        "refund_at_s": job.refund_at_s,
        "eta_s": _eta(job, done + lost, total, now_s),
        "out": out_folder(job),
        "last_update_s": job.ended_s or job.created_s,
        "error": asdict(job.error) if job.error else None,
        "thumbnail": None,
        "held": job.state == "held",
    }


def state_text(job: Job, done: int, total: int, lost: int) -> str:
    """The state in words, without how long it has lasted."""
    title = job.error.title if job.error else ""
    if job.state == "paused":
        return f"needs an answer: {title}"
    if job.error and not job.ended_s:
        return f"{title} Trying again."
    frames = f"{done} of {count(total, 'frame')}"
    if lost and not job.ended_s:
        return f"{frames}, {lost} failed" + ("" if done + lost < total else f"; refund {clock(job.refund_at_s)}")
    return {
        "preparing": "packing",
        "uploading": "uploading",
        "ordering": "buying",
        "waiting": "waiting for a worker",
        "rendering": f"rendering, {frames}",
        "importing": f"fetching frames, {frames}",
        "done": f"{count(total, 'frame')} rendered",
        "partly": f"{frames} rendered, {lost} failed",
        "failed": title or f"{count(lost, 'frame')} failed",
        "cancelled": "cancelled" if not job.bought else f"cancelled, {frames} rendered",
        "held": "test frames are there: look at them, then render the rest",
    }.get(job.state, job.state)


def job_sheet(
    row: Mapping[str, Any], job: Job, steps: Sequence[Mapping[str, Any]], tasks: Sequence[JobTask]
) -> dict[str, Any]:
    return {
        **row,
        "submission": job.submission.to_json(),
        "deals": [asdict(deal) for deal in job.deals],
        "manifest": job.manifest_cid or None,
        "request_order": job.request_hash or None,
        "steps": [dict(step) for step in steps],
        "tasks": [
            {
                "index": task.index,
                "taskid": task.taskid or None,
                "state": task.state,
                "frames": str(task.frames),
                "worker": task.worker or None,
                "result": task.location or None,
                "note": task.note,
            }
            for task in tasks
        ],
    }


def out_folder(job: Job) -> str:
    """The folder of the first writer's frames."""
    if not job.writers:
        return job.submission.out or ""
    return job.folder_for(targets_of(job, job.writers[0].name).folder)


def _eta(job: Job, settled: int, total: int, now_s: float) -> float | None:
    """Remaining seconds at the speed so far; None before the first frame is back."""
    if job.start_s is None or job.ended_s or not settled or settled >= total:
        return None
    return max(0.0, (now_s - job.start_s) / settled * (total - settled))
