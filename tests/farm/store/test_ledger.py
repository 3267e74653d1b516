"""Limits hold for all that was spent and all that is on its way, and the ledger says what came back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import farm_records as made
import pytest

from NatronIExec.errors import PriceAboveCap
from NatronIExec.farm.store.job import Job, Sent
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.settings import Settings

NOON_S = time.mktime((2026, 9, 21, 12, 0, 0, 0, 0, -1))
DAY_S = 86_400
PRICE_NRLC = 2 * made.TASK_PRICE_NRLC


@pytest.fixture
def spool(tmp_path: Path) -> Any:
    opened = Spool(tmp_path / "spool")
    yield opened
    opened.close()


@pytest.fixture
def ledger(spool: Spool) -> Callable[..., Ledger]:
    def make(job: int | None = None, day: int | None = None) -> Ledger:
        settings = Settings(job_cap_nrlc=job, day_cap_nrlc=day)
        return Ledger(spool, lambda: settings, lambda: NOON_S)

    return make


def spend(spool: Spool, ledger: Ledger, job_id: str, at_s: float, refunded_nrlc: int = 0) -> Job:
    job = made.bought(job_id, start_s=at_s, sent=(Sent("match", "0x1", "", 0, "ok", 10**17),))
    spool.add(job, [], [])
    ledger.record(job, refunded_nrlc)
    return job


def test_a_job_is_capped(ledger: Callable[..., Ledger]) -> None:
    ledger(job=100).allow(100)
    with pytest.raises(PriceAboveCap, match="cap a job"):
        ledger(job=100).allow(101)
    ledger().allow(10**18)


def test_a_day_is_capped_with_what_was_spent_since_midnight(spool: Spool, ledger: Callable[..., Ledger]) -> None:
    books = ledger(day=3 * PRICE_NRLC)
    spend(spool, books, "yesterday", NOON_S - DAY_S)
    spend(spool, books, "today", NOON_S - 3600)
    books.allow(2 * PRICE_NRLC)
    with pytest.raises(PriceAboveCap, match="cap a day"):
        books.allow(2 * PRICE_NRLC + 1)
    books.record(spool.job("today"), PRICE_NRLC)
    books.allow(3 * PRICE_NRLC)


def test_what_is_on_its_way_counts_at_its_most(spool: Spool, ledger: Callable[..., Ledger]) -> None:
    books = ledger(day=2 * PRICE_NRLC)
    spool.add(made.job("going"), [], [])
    books.allow(PRICE_NRLC)
    with pytest.raises(PriceAboveCap):
        books.allow(PRICE_NRLC + 1)
    spool.update("going", state="failed")
    books.allow(2 * PRICE_NRLC)


def test_the_sheet_says_what_a_month_cost(spool: Spool, ledger: Callable[..., Ledger]) -> None:
    books = ledger()
    spend(spool, books, "august", NOON_S - 40 * DAY_S)
    spend(spool, books, "september", NOON_S - DAY_S, refunded_nrlc=made.TASK_PRICE_NRLC)
    sheet = books.sheet()
    assert sheet["month_spent_nrlc"] == made.TASK_PRICE_NRLC
    newest = sheet["entries"][0]
    assert (newest["job"], newest["paid_nrlc"], newest["gas_wei"]) == ("september", PRICE_NRLC, str(10**17))
    assert newest["transaction"] == made.deal().transaction
    assert newest["name"] == "shot"
