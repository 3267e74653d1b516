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
        if order.app.lower() != address.lower():
            continue  # whatever the market says: another app is not what is rendered with
        if int(order.tag, 16) == int(tag, 16) and found.remaining >= wanted.tasks:
            return order
    raise OrderRefused(
        "The render app is not for sale for that many tasks now.", "Try again later, or render fewer frames at once."
    )


def offers(services: NetworkServices, wanted: Wanted) -> list[Offer]:
    """All open worker group orders, those that fit first, cheapest first."""
    filters = {"requester": wanted.requester} if wanted.requester else {}
    app = app_address(services, max(wanted.tasks, wanted.later))
    categories = services.categories()
    rows = services.market.workerpool_orders(app=app, **filters)
    members = _memberships(services, [row.order for row in rows], app, wanted.requester)
    found = [_offer(services, row, wanted, categories, members) for row in rows]
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


def _memberships(
    services: NetworkServices, orders: Sequence[Any], app: str, requester: str
) -> dict[tuple[str, str], bool]:
    """(restriction, account) → whether an order with that restriction sells to it. Nobody, the very address and a group
    of accounts (ERC-734), which only the chain knows, are told apart."""
    pairs = {(order.apprestrict, app) for order in orders} | {(order.requesterrestrict, requester) for order in orders}
    sells = {pair: pair[0] in (ZERO_ADDRESS, pair[1]) for pair in pairs}
    groups = [pair for pair, open_to in sells.items() if not open_to and pair[1]]
    if groups:
        hub = services.hub
        answers = hub.transport.rpc_batch_raw(hub.network.rpc, [hub.member_call(*pair) for pair in groups])
        sells.update({pair: hub.is_member(answer) for pair, answer in zip(groups, answers)})
    return sells


def _offer(
    services: NetworkServices,
    row: PublishedOrder,
    wanted: Wanted,
    categories: dict[int, Category],
    members: dict[tuple[str, str], bool],
) -> Offer:
    order = row.order
    assert isinstance(order, WorkerpoolOrder)
    category = categories.get(order.category, Category(order.category, "?", "", 0))
    name = "iExec workers" if order.workerpool == services.network.workerpool else order.workerpool[:10]
    return Offer(
        order, row.order_hash, row.remaining, category, name, _reason(services, row, order, category, wanted, members)
    )


def _reason(
    services: NetworkServices,
    row: PublishedOrder,
    order: WorkerpoolOrder,
    category: Category,
    wanted: Wanted,
    members: dict[tuple[str, str], bool],
) -> str:
    """Why a match would be refused, in the words of the worker group list; "" if it would not."""
    tag = int(tag_of(services, wanted.confidential), 16)
    reason = _other_group(services, order, wanted)
    if reason:
        return reason
    if wanted.category is not None and order.category != wanted.category:
        return "another time limit was chosen"
    if wanted.category is None and category.timeref_s < LEAST_TIME_LIMIT_S:
        return f"only {category.timeref_s} s a task"
    if row.remaining < 1:
        return "sold out"
    if max(order.trust, 1) < wanted.trust:  # 0 and 1 are the same (PoCo IexecPoco1Facet)
        return f"at most {order.trust} workers check each other"
    if tag & int(order.tag, 16) != tag:
        return "no enclave"
    if not all(open_to for (limit, _), open_to in members.items() if limit == order.requesterrestrict):
        return "sells to others only"
    if not all(open_to for (limit, _), open_to in members.items() if limit == order.apprestrict):
        return "renders another app only"
    if order.datasetrestrict != ZERO_ADDRESS:
        return "sells with a dataset only"
    return ""


def _other_group(services: NetworkServices, order: WorkerpoolOrder, wanted: Wanted) -> str:
    """Anybody may sell at price 0 under any tag and render nothing: a group that is not the network's own is one that a
    person chose. Its secrets would be kept by another service than the network's."""
    own = services.network.workerpool
    chosen = wanted.workerpool or own
    if chosen and order.workerpool.lower() != chosen.lower():
        return "another worker group was chosen" if wanted.workerpool else "not the network's own worker group"
    if wanted.confidential and own and order.workerpool.lower() != own.lower():
        return "keeps its secrets elsewhere"
    return ""


__all__ = ["NO_TAG", "Offer", "Wanted", "app_address", "app_order", "choose", "offers", "tag_of"]
