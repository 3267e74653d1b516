"""Plans are kept for who submits them, by as many threads as ask."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Iterator

import pytest

from NatronIExec.farm.order.plan import Plan
from NatronIExec.farm.order.shown_plans import PLANS_KEPT, ShownPlans
from NatronIExec.scan.scan_result import Scan
from NatronIExec.submission import Submission


def plan(plan_id: str) -> Plan:
    scan = Scan(Path("/p.ntp"), Path("/p.ntp"), (), (), (), (), (), 0, 0)
    return Plan(plan_id, Submission("/p.ntp", "local"), scan, scan, None, (), None, None, None, 0, 0)


def test_the_last_few_are_kept() -> None:
    shown = ShownPlans()
    for number in range(PLANS_KEPT + 1):
        shown.keep(plan(str(number)))
    assert shown.find("0") is None
    assert shown.find(None) is None
    found = shown.find(str(PLANS_KEPT))
    assert found is not None
    assert found.id == str(PLANS_KEPT)
    shown.forget(found.id)
    assert shown.find(found.id) is None


@pytest.fixture
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switching_often")
def test_many_threads_plan_at_once() -> None:
    """A thread that fails fails the test."""
    shown, began = ShownPlans(), threading.Barrier(16)

    def work(name: int) -> None:
        began.wait(60)
        for number in range(300):
            made = plan(f"{name}-{number}")
            shown.keep(made)
            shown.find(made.id)
            shown.forget(made.id)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert all(shown.find(f"{name}-299") is None for name in range(16))
