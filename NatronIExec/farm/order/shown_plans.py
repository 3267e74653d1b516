"""The plans that were shown recently and may be submitted by their id. Older plans are forgotten and made anew on
submit."""

from __future__ import annotations

import threading

from NatronIExec.farm.order.plan import Plan

PLANS_KEPT = 8


class ShownPlans:
    """The latest plans; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: dict[str, Plan] = {}

    def keep(self, plan: Plan) -> None:
        with self._lock:
            self._plans[plan.id] = plan
            for old in list(self._plans)[:-PLANS_KEPT]:
                del self._plans[old]

    def find(self, plan_id: str | None) -> Plan | None:
        with self._lock:
            return self._plans.get(plan_id or "")

    def forget(self, plan_id: str) -> None:
        with self._lock:
            self._plans.pop(plan_id, None)
