"""What an app has earned, counted from the chain after a real render."""

from __future__ import annotations

from typing import Any

from NatronIExec.publish.revenue import revenue


def test_a_render_is_counted_once_and_paid_when_completed(
    farm: Any, submission: dict[str, Any], hub: Any, market: Any, local: Any
) -> None:
    apps = {"distributed": local.network.app, "free": local.network.app_single}
    before = _of(revenue(hub, market, apps), "distributed")
    farm.settled(farm.call("submit", **submission)["job"])
    after = _of(revenue(hub, market, apps), "distributed")
    change = {name: after[name] - before[name] for name in after}
    assert change == {"deals": 1, "tasks": 2, "completed": 2, "earned_nrlc": 2 * 10**6, "pending_nrlc": 0}


def test_a_task_that_was_not_delivered_earns_nothing(
    farm: Any, submission: dict[str, Any], hub: Any, market: Any, local: Any
) -> None:
    local.faults.by_index[1] = "never-initialized"
    apps = {"distributed": local.network.app}
    before = _of(revenue(hub, market, apps), "distributed")
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: row["frames_done"] == 2, job)
    after = _of(revenue(hub, market, apps), "distributed")
    assert after["earned_nrlc"] - before["earned_nrlc"] == 10**6
    assert after["pending_nrlc"] - before["pending_nrlc"] == 10**6


def test_a_market_that_invents_deals_is_not_believed(hub: Any, market: Any, local: Any, monkeypatch: Any) -> None:
    apps = {"distributed": local.network.app}
    honest = revenue(hub, market, apps)
    real = market.deals_of_app(local.network.app)
    monkeypatch.setattr(type(market), "deals_of_app", lambda self, app: [*real, *real, "0x" + "77" * 32])
    assert revenue(hub, market, apps) == honest


def _of(found: dict[str, Any], edition: str) -> dict[str, int]:
    names = ("deals", "tasks", "completed", "earned_nrlc", "pending_nrlc")
    rows = [row for row in found["rows"] if row["edition"] == edition]
    return {name: sum(row[name] for row in rows) for name in names}
