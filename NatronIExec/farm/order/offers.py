"""The worker groups that could take a render now, their prices, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from NatronIExec.errors import OrderRefused
from NatronIExec.farm.order.network_services import NetworkServices
from NatronIExec.iexec.network import NO_TAG, TDX_TAG
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, Category, PublishedOrder, WorkerpoolOrder
from NatronIExec.wording import count

#: The shortest time limit in seconds that is chosen by itself: starting the renderer and fetching inputs takes minutes.
LEAST_TIME_LIMIT_S = 60


@dataclass(frozen=True)
class Wanted:
    """What is to be bought: `tasks` of an app for `requester` ("" without an account). `later` is the number of tasks
    that may follow automatically at the same prices (the rest after a test)."""

    tasks: int
    confidential: bool = False
    trust: int = 1
    workerpool: str | None = None
    category: int | None = None
    requester: str = ""
    later: int = 0


@dataclass(frozen=True)
class Offer:
    """A worker group's order; `reason` says why it does not fit, "" if it fits."""

    order: WorkerpoolOrder
    order_hash: str
    remaining: int
    category: Category
    name: str
    reason: str

    def to_row(self) -> dict[str, Any]:
        """The WorkerpoolRow of docs/engine-protocol.md."""
        return {
            "workerpool": self.order.workerpool,
            "name": self.name,
            "task_price_nrlc": self.order.workerpoolprice,
            "category": self.category.id,
            "category_name": self.category.name,
            "time_limit_s": self.category.timeref_s,
            "trust": self.order.trust,
            "volume": self.remaining,
            "confidential": bool(int(self.order.tag, 16) & 1),
            "fits": not self.reason,
            "reason": self.reason,
            "order_hash": self.order_hash,
        }


def tag_of(services: NetworkServices, confidential: bool) -> str:
    return TDX_TAG if confidential else services.network.tag


def app_address(services: NetworkServices, tasks: int) -> str:
    """The free edition renders one task a job. Raises OrderRefused where no app is deployed yet."""
    network = services.network
    address = (network.app_single if tasks == 1 else "") or network.app
    if not address:
        raise OrderRefused(
            f"There is no render app on {network.title} yet.",
            "Choose another network; `natron-iexec devnet up` starts a local one.",
        )
    return address


def app_order(services: NetworkServices, wanted: Wanted) -> AppOrder:
    """The cheapest order of our app that fits. Raises OrderRefused when there is none."""
    tag, address = tag_of(services, wanted.confidential), app_address(services, max(wanted.tasks, wanted.later))
    for found in services.market.app_orders(address, requester=wanted.requester or None):
        order = found.order
        assert isinstance(order, AppOrder)
        if int(order.tag, 16) == int(tag, 16) and found.remaining >= wanted.tasks:
            return order
    raise OrderRefused(
        "The render app is not for sale for that many tasks now.", "Try again later, or render fewer frames at once."
    )


def offers(services: NetworkServices, wanted: Wanted) -> list[Offer]:
    """All open worker group orders, those that fit first, cheapest first."""
    filters = {"requester": wanted.requester} if wanted.requester else {}
    categories = services.categories()
    found = [_offer(services, row, wanted, categories) for row in services.market.workerpool_orders(**filters)]
    return sorted(found, key=lambda o: (bool(o.reason), o.order.workerpoolprice, o.category.timeref_s, o.order_hash))


def choose(found: Sequence[Offer], tasks: int) -> list[Offer]:
    """Orders of the cheapest worker group and category that together sell `tasks`. Raises OrderRefused."""
    best: list[Offer] = []
    for first in found:
        if first.reason:
            continue
        group = [o for o in found if not o.reason and _group(o) == _group(first)]
        taken = _fill(group, tasks)
        if taken and (not best or _worst(taken) < _worst(best)):
            best = taken
    if not best:
        reasons = sorted({offer.reason for offer in found if offer.reason})
        why = f" ({'; '.join(reasons[:3])})" if reasons else ""
        raise OrderRefused(
            f"No worker group sells {count(tasks, 'task')} like {'this' if tasks == 1 else 'these'} now{why}.",
            "Use larger chunks, choose another worker group, or try again later.",
        )
    return best


def _fill(group: Sequence[Offer], tasks: int) -> list[Offer]:
    taken: list[Offer] = []
    for offer in group:
        taken.append(offer)
        tasks -= offer.remaining
        if tasks <= 0:
            return taken
    return []


def _worst(taken: Sequence[Offer]) -> tuple[int, int]:
    return max(offer.order.workerpoolprice for offer in taken), len(taken)


def _group(offer: Offer) -> tuple[str, int]:
    return offer.order.workerpool, offer.category.id


def _offer(services: NetworkServices, row: PublishedOrder, wanted: Wanted, categories: dict[int, Category]) -> Offer:
    order = row.order
    assert isinstance(order, WorkerpoolOrder)
    category = categories.get(order.category, Category(order.category, "?", "", 0))
    name = "iExec workers" if order.workerpool == services.network.workerpool else order.workerpool[:10]
    return Offer(order, row.order_hash, row.remaining, category, name, _reason(services, row, order, category, wanted))


def _reason(
    services: NetworkServices, row: PublishedOrder, order: WorkerpoolOrder, category: Category, wanted: Wanted
) -> str:
    """Why a match would be refused, in the words of the worker group list; "" if it would not."""
    tag = int(tag_of(services, wanted.confidential), 16)
    if wanted.workerpool and order.workerpool.lower() != wanted.workerpool.lower():
        return "another worker group was chosen"
    if wanted.category is not None and order.category != wanted.category:
        return "another time limit was chosen"
    if wanted.category is None and category.timeref_s < LEAST_TIME_LIMIT_S:
        return f"only {category.timeref_s} s a task"
    if row.remaining < 1:
        return "sold out"
    if order.trust < wanted.trust:
        return f"at most {order.trust} workers check each other"
    if tag & int(order.tag, 16) != tag:
        return "no enclave"
    if order.requesterrestrict not in (ZERO_ADDRESS, wanted.requester):
        return "sells to others only"
    if order.apprestrict not in (ZERO_ADDRESS, services.network.app, services.network.app_single):
        return "renders another app only"
    return ""


__all__ = ["NO_TAG", "Offer", "Wanted", "app_address", "app_order", "choose", "offers", "tag_of"]
