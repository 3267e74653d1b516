"""The ledger: what each job cost and what was refunded, and the user's spending limits per job and per day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from NatronIExec.errors import PriceAboveCap
from NatronIExec.farm.store.job import Job
from NatronIExec.farm.store.spool import Spool
from NatronIExec.settings import Settings
from NatronIExec.wording import rlc


class Ledger:
    def __init__(self, spool: Spool, settings: Callable[[], Settings], clock: Callable[[], float] = time.time) -> None:
        self._spool = spool
        self._settings = settings
        self._clock = clock

    def allow(self, most_nrlc: int) -> None:
        """Raises PriceAboveCap if a job of at most `cost_nrlc` would exceed the limit per job or, together with all
        other jobs of today, the limit per day. Jobs that are not bought yet count with the most that they can cost."""
        settings = self._settings()
        if settings.job_cap_nrlc is not None and most_nrlc > settings.job_cap_nrlc:
            raise _above("job", most_nrlc, settings.job_cap_nrlc)
        if settings.day_cap_nrlc is not None:
            today = self._spent_since(_midnight(self._clock())) + sum(
                job.most_nrlc for job in self._spool.open_jobs() if not job.bought
            )
            if today + most_nrlc > settings.day_cap_nrlc:
                raise _above("day", today + most_nrlc, settings.day_cap_nrlc)

    def record(self, job: Job, refunded_nrlc: int) -> None:
        """Write or update the job's line. `refunded_nrlc` is what came back so far; the gas (wei) is that of all its
        mined transactions."""
        self._spool.enter(
            {
                "job": job.id,
                "name": job.name,
                "at_s": job.start_s or self._clock(),
                "paid_nrlc": job.paid_nrlc,
                "refunded_nrlc": refunded_nrlc,
                "gas_wei": str(sum(sent.gas_wei for sent in job.sent)),
                "network": job.quote.network,
                "transaction": next((deal.transaction for deal in reversed(job.deals)), ""),
            }
        )

    def sheet(self) -> dict[str, Any]:
        """The answer to `ledger`."""
        month = time.strftime("%Y-%m", time.localtime(self._clock()))
        entries = self._spool.ledger()
        spent = sum(
            entry["paid_nrlc"] - entry["refunded_nrlc"]
            for entry in entries
            if time.strftime("%Y-%m", time.localtime(entry["at_s"])) == month
        )
        return {"entries": entries, "month_spent_nrlc": spent}

    def _spent_since(self, at_s: float) -> int:
        return sum(e["paid_nrlc"] - e["refunded_nrlc"] for e in self._spool.ledger() if e["at_s"] >= at_s)


def _midnight(now_s: float) -> float:
    day = time.localtime(now_s)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))


def _above(what: str, cost_nrlc: int, cap_nrlc: int) -> PriceAboveCap:
    return PriceAboveCap(
        f"That is {rlc(cost_nrlc)}, the cap a {what} is {rlc(cap_nrlc)}.",
        f"Raise the cap a {what} in the settings, or render less.",
    )
