"""What apps have earned: by edition and month, from the chain."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.records import Deal, TaskStatus


@dataclass
class Earned:
    """Of one edition in one month (UTC, of the deal). A task pays the app when it is completed (PoCo
    IexecPoco2Facet); one that failed or waits pays nothing yet."""

    edition: str
    month: str
    deals: int = 0
    tasks: int = 0
    completed: int = 0
    earned_nrlc: int = 0
    pending_nrlc: int = 0


def revenue(hub: Hub, market: Market, apps: Mapping[str, str]) -> dict[str, Any]:
    """`apps` maps editions to addresses. Returns {rows: [Earned …], earned_nrlc, stakes: [{owner, stake_nrlc}]}. The
    market names the deals, the chain says what each of them is worth: a market that invents one is not believed."""
    rows: dict[tuple[str, str], Earned] = {}
    for edition, app in apps.items():
        for deal in _deals(hub, market, app):
            month = time.strftime("%Y-%m", time.gmtime(deal.start_s))
            _count(hub, deal, rows.setdefault((edition, month), Earned(edition, month)))
    owners = sorted(set(hub.owners(list(apps.values()))))
    return {
        "rows": [asdict(rows[key]) for key in sorted(rows)],
        "earned_nrlc": sum(row.earned_nrlc for row in rows.values()),
        "stakes": [{"owner": owner, "stake_nrlc": hub.account(owner).stake_nrlc} for owner in owners],
    }


def _deals(hub: Hub, market: Market, app: str) -> list[Deal]:
    named = list(dict.fromkeys(market.deals_of_app(app)))
    return [deal for deal in hub.deals(named) if deal is not None and deal.app.lower() == app.lower()]


def _count(hub: Hub, deal: Deal, row: Earned) -> None:
    tasks = hub.tasks([(deal.dealid, index) for index in deal.indexes])
    completed = sum(task.status == TaskStatus.COMPLETED for task in tasks)
    failed = sum(task.status == TaskStatus.FAILED for task in tasks)
    row.deals += 1
    row.tasks += len(tasks)
    row.completed += completed
    row.earned_nrlc += completed * deal.app_price_nrlc
    row.pending_nrlc += (len(tasks) - completed - failed) * deal.app_price_nrlc
