"""What is for sale is what a real market has: also what must not be bought."""

from __future__ import annotations

from typing import Any

from NatronIExec.devnet import stall
from NatronIExec.devnet.contracts import CATEGORIES
from NatronIExec.iexec.orders import hash_order
from NatronIExec.iexec.records import ZERO_ADDRESS


def test_own_and_strangers_orders_in_every_category(local: Any) -> None:
    sold: list[tuple[str, Any, str]] = []
    strangers = local.chain.deployed.strangers_pool
    stall.sell(local.network, strangers, lambda *order: sold.append(order))
    pools = [order for kind, order, _ in sold if kind == "workerpool"]
    for category in range(len(CATEGORIES)):
        here = [order for order in pools if order.category == category]
        own = [order for order in here if order.workerpool == local.network.workerpool]
        assert {order.trust for order in own} == {0, 3}
        assert [order.workerpoolprice for order in here if order.workerpool == strangers] == [0]
        for limit in ("requesterrestrict", "apprestrict", "datasetrestrict"):
            assert {getattr(order, limit) for order in own} > {ZERO_ADDRESS}
    assert len({hash_order(order, local.hub.domain) for order in pools}) == len(pools)


def test_groups_are_groups(local: Any) -> None:
    hub, who = local.hub, local.people["requester"].address
    answers = hub.batch([hub.member_call(group, who) for group in (stall.EVERYBODYS_GROUP, stall.NOBODYS_GROUP)])
    assert [hub.is_member(answer) for answer in answers] == [True, False]
