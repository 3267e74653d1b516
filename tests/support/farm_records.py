"""Jobs, tasks and frames as the spool keeps them, for tests that need one and care about a few of its fields."""

from __future__ import annotations

from typing import Any

from NatronIExec.farm.store.job import Job, JobDeal, JobFrame, JobTask, Quote
from NatronIExec.frames import FrameSet
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, WorkerpoolOrder
from NatronIExec.scan.writers import ScanWriter
from NatronIExec.submission import Submission

SALT = "0x" + "5a" * 32
APP, POOL = "0x" + "aa" * 20, "0x" + "bb" * 20
PAYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
APP_PRICE_NRLC, POOL_PRICE_NRLC = 1_000_000, 10_000_000
TASK_PRICE_NRLC = APP_PRICE_NRLC + POOL_PRICE_NRLC
GAS_WEI = 5 * 10**15
TIMEREF_S = 300
START_S = 1_790_000_000


def app_order(**changes: Any) -> AppOrder:
    z = ZERO_ADDRESS
    return AppOrder(**{**vars(AppOrder(APP, APP_PRICE_NRLC, 1000, NO_TAG, z, z, z, SALT)), **changes})


def pool_order(**changes: Any) -> WorkerpoolOrder:
    z = ZERO_ADDRESS
    made = WorkerpoolOrder(POOL, POOL_PRICE_NRLC, 1000, NO_TAG, 0, 1, z, z, z, SALT)
    return WorkerpoolOrder(**{**vars(made), **changes})


def quote(volume: int = 2, **changes: Any) -> Quote:
    made = Quote(
        network="local",
        account=PAYER,
        app=app_order(),
        workerpool_orders=(("0x" + "0d" * 32, pool_order()),),
        volume=volume,
        category=0,
        category_name="XS",
        timeref_s=TIMEREF_S,
        tag=NO_TAG,
        trust=1,
        app_price_nrlc=APP_PRICE_NRLC,
        workerpool_price_nrlc=POOL_PRICE_NRLC,
        gas_wei=GAS_WEI,
    )
    return Quote(**{**vars(made), **changes})


def writer(file: str = "/show/renders/shot_####.png", **changes: Any) -> ScanWriter:
    made = ScanWriter("Write1", "Write1", True, "", file, "png", 1, 4, 1, False, ())
    return ScanWriter(**{**vars(made), **changes})


def job(job_id: str = "job-1", volume: int = 2, **changes: Any) -> Job:
    """Accepted, of `volume` tasks; nothing is bought."""
    made = Job(
        id=job_id,
        created_s=START_S,
        submission=Submission("/show/shot.ntp", "local"),
        quote=quote(volume),
        most_nrlc=volume * TASK_PRICE_NRLC,
        writers=(writer(),),
    )
    return Job(**{**vars(made), **changes})


def deal(tasks: int = 2, first: int = 0, dealid: str = "0x" + "de" * 32, **changes: Any) -> JobDeal:
    made = JobDeal(dealid, "0x" + "77" * 32, tasks, first, tasks * TASK_PRICE_NRLC, START_S, START_S + 10 * TIMEREF_S)
    return JobDeal(**{**vars(made), **changes})


def bought(job_id: str = "job-1", volume: int = 2, **changes: Any) -> Job:
    """One deal over all of its tasks."""
    return job(
        job_id,
        volume,
        **{"step": "bought", "state": "waiting", "deals": (deal(volume),), "start_s": START_S, **changes},
    )


def tasks(count: int = 2, frames: int = 2) -> list[JobTask]:
    """`frames` frames a task, from 1 on."""
    return [JobTask(at, FrameSet(range(1 + at * frames, 1 + (at + 1) * frames)), "Write1") for at in range(count)]


def frames_of(some: list[JobTask]) -> list[JobFrame]:
    return [JobFrame(task.writer, number, "", task.index) for task in some for number in task.frames]
