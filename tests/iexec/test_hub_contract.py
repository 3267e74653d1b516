"""What a hub does, said once: the contracts of the local iExec and the fake chain of the farm's tests hold to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import fake_chain
import pytest
from eth_utils.crypto import keccak

from NatronIExec.errors import NotEnoughFunds, OrderRefused
from NatronIExec.iexec.claims import build_claims, claimable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import NULL_DATASET, hash_order, new_salt, sign_order, task_id
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal, Match, RequestOrder, TaskStatus, WorkerpoolOrder
from NatronIExec.iexec.transactions import Transaction
from NatronIExec.iexec.transport import Transport
from NatronIExec.iexec.watch import BagWatch

RESULTS = b'{"storage": "ipfs", "location": "/ipfs/Qm"}'


class FakeSide:
    def __init__(self) -> None:
        self.node = fake_chain.FakeNode()
        self.hub, self.market = self.node.hub, self.node.market
        self.requester, self.pool_owner = fake_chain.REQUESTER, fake_chain.POOL_OWNER

    def advance(self, seconds: int) -> None:
        self.node.advance(seconds)

    def finish(self, deal: Deal, index: int) -> bytes:
        digest = keccak(text=f"result {index}")
        self.node.finish(deal.dealid, index, RESULTS, digest)
        return digest


class RealSide:
    def __init__(self, local: Any, finish: Callable[..., bytes]) -> None:
        local.faults.every = "never-initialized"
        self.local, self.finish = local, finish
        self.hub = Hub(local.network, Transport())
        self.market = Market(local.network, self.hub.transport)
        self.requester, self.pool_owner = local.signer("requester"), local.signer("pool_owner")

    def advance(self, seconds: int) -> None:
        self.local.chain.chain.rpc("evm_increaseTime", seconds)
        self.local.chain.chain.rpc("evm_mine")


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeSide()
    return RealSide(request.getfixturevalue("local"), request.getfixturevalue("finish"))


@pytest.fixture
def match_of(side: Any) -> Callable[..., Match]:
    """Of `volume` tasks; `pool` and `request` are changed fields of the two orders."""

    def make(volume: int = 2, pool: dict[str, Any] | None = None, **request: Any) -> Match:
        app = next(row.order for row in side.market.app_orders(side.hub.network.app) if row.order.tag == NO_TAG)
        sold: Any = side.market.workerpool_orders(workerpool=side.hub.network.workerpool, category=0, min_trust=1)[
            0
        ].order
        if pool is not None:
            own = replace(sold, **{"salt": new_salt(), **pool})
            sold = sign_order(own, side.hub.domain, side.pool_owner)
        assert isinstance(sold, WorkerpoolOrder)
        z, payer = ZERO_ADDRESS, side.requester.address
        asked = RequestOrder(
            app.app, app.appprice, z, 0, z, sold.workerpoolprice, payer, volume, NO_TAG, 0, 1, payer, z, "{}",
            new_salt(),
        )  # fmt: skip
        return Match(app, NULL_DATASET, sold, sign_order(replace(asked, **request), side.hub.domain, side.requester))

    return make


def sent(side: Any, transactions: list[Transaction]) -> list[str]:
    signed = [transaction.signed_by(side.requester) for transaction in transactions]
    for one in signed:
        side.hub.send(one)
    assert all(side.hub.wait(one.hash).ok for one in signed)
    return [one.hash for one in signed]


def bought(side: Any, match: Match) -> list[Deal]:
    ready = preflight(side.hub, match)
    sent(side, side.hub.build_match(match, ready.deposit_nrlc, ready.nonce, ready.fees, ready.gas))
    return list(side.hub.deals_of_request(hash_order(match.request, side.hub.domain), match.request.volume))


def test_it_is_the_hub_that_it_says(side: Any) -> None:
    assert side.hub.check()[:2] == side.hub.categories()[:2]
    assert side.hub.category(0).timeref_s == 300


def test_a_purchase_locks_its_price_and_is_found_by_its_order(side: Any, match_of: Callable[..., Match]) -> None:
    match, payer = match_of(volume=3), side.requester.address
    order_hash = hash_order(match.request, side.hub.domain)
    before, nonce = side.hub.balances(payer), side.hub.nonce(payer)
    ready = preflight(side.hub, match)
    assert (ready.volume, ready.total_nrlc, ready.nonce) == (3, 3 * match.task_price_nrlc, nonce)
    assert side.hub.deals_of_request(order_hash, 3) == []
    (deal,) = bought(side, match)
    after = side.hub.balances(payer)
    assert after.locked_nrlc - before.locked_nrlc == 3 * match.task_price_nrlc == 3 * deal.task_price_nrlc
    assert before.rlc_nrlc + before.stake_nrlc - after.rlc_nrlc - after.stake_nrlc == ready.total_nrlc
    assert after.eth_wei < before.eth_wei
    assert side.hub.nonce(payer) > nonce
    assert side.hub.consumed([order_hash]) == {order_hash: 3}
    assert (deal.bot_first, deal.bot_size, deal.requester) == (0, 3, payer)
    assert deal.final_deadline_s(300) == deal.start_s + 3000


def test_two_small_orders_make_two_deals_of_one_request(side: Any, match_of: Callable[..., Match]) -> None:
    match = match_of(volume=3, pool={"volume": 2})
    assert [(deal.bot_first, deal.bot_size) for deal in bought(side, match)] == [(0, 2)]
    with pytest.raises(OrderRefused, match="used up"):
        preflight(side.hub, match)
    other = replace(match, workerpool=match_of(pool={"volume": 2}).workerpool)
    assert [(deal.bot_first, deal.bot_size) for deal in bought(side, other)] == [(0, 2), (2, 1)]


@pytest.mark.parametrize(
    ("pool", "request_changes", "says"),
    [
        ({"category": 1}, {}, "category"),
        ({"trust": 0}, {}, "trust"),
        ({}, {"workerpoolmaxprice": 1}, "costs more"),
        ({"sign": "0x" + "11" * 64 + "1b"}, {}, "not signed by its owner"),
        ({"requesterrestrict": "0x" + "12" * 20}, {}, "does not sell to this account"),
    ],
)
def test_what_does_not_fit_is_refused(
    side: Any, match_of: Callable[..., Match], pool: dict[str, Any], request_changes: dict[str, Any], says: str
) -> None:
    match = match_of(pool=pool, **request_changes)
    if "sign" in pool:
        match = replace(match, workerpool=replace(match.workerpool, sign=pool["sign"]))
    with pytest.raises(OrderRefused, match=says):
        preflight(side.hub, match)
    with pytest.raises(OrderRefused, match=says):
        side.hub.build_match(match, 0)


def test_what_cannot_be_paid_is_refused(side: Any, match_of: Callable[..., Match]) -> None:
    with pytest.raises(NotEnoughFunds):
        preflight(side.hub, match_of(volume=10**6, pool={"workerpoolprice": 10**7, "volume": 10**6}))


def test_a_closed_order_buys_nothing_more(side: Any, match_of: Callable[..., Match]) -> None:
    match = match_of(volume=2)
    sent(side, [side.hub.build_close(match.request)])
    with pytest.raises(OrderRefused, match="used up"):
        preflight(side.hub, match)
    assert side.hub.deals_of_request(hash_order(match.request, side.hub.domain), 2) == []


def test_sending_twice_is_once(side: Any, match_of: Callable[..., Match]) -> None:
    match = match_of()
    ready = preflight(side.hub, match)
    (transaction,) = side.hub.build_match(match, ready.deposit_nrlc)
    signed = transaction.signed_by(side.requester)
    assert side.hub.receipt(signed.hash) is None
    side.hub.send(signed)
    side.hub.send(signed)
    receipt = side.hub.wait(signed.hash)
    assert 0 < receipt.gas_wei <= transaction.max_gas_wei
    assert receipt.block <= side.hub.block().number


def test_a_task_is_followed_to_its_end(side: Any, match_of: Callable[..., Match]) -> None:
    first = side.hub.block().number
    (deal,) = bought(side, match_of(volume=2))
    bag = BagWatch(side.hub, [deal], first)
    assert bag.poll() == []
    digest = side.finish(deal, 1)
    done = {change.index: change for change in bag.poll()}[1]
    assert (done.status, done.result_digest) == (TaskStatus.COMPLETED, "0x" + digest.hex())
    assert done.results
    assert bag.open == 1
    again = BagWatch(side.hub, [deal], first, bag.state())
    assert again.open == 1
    assert side.hub.tasks([(deal.dealid, 0), (deal.dealid, 1)])[1].result_digest == "0x" + digest.hex()


def test_money_comes_back_after_the_deadline_once(side: Any, match_of: Callable[..., Match]) -> None:
    payer, first = side.requester.address, side.hub.block().number
    (deal,) = bought(side, match_of(volume=3))
    side.finish(deal, 0)
    bag = BagWatch(side.hub, [deal], first)
    bag.poll()
    assert claimable(side.hub, [deal], side.hub.block().timestamp_s, 300) == []
    side.advance(3001)
    late = claimable(side.hub, [deal], side.hub.block().timestamp_s, 300)
    assert [task.taskid for task in late] == [task_id(deal.dealid, 1), task_id(deal.dealid, 2)]
    held = side.hub.balances(payer)
    sent(side, build_claims(side.hub, late, payer))
    back = side.hub.balances(payer)
    assert held.locked_nrlc - back.locked_nrlc == 2 * deal.task_price_nrlc == back.stake_nrlc - held.stake_nrlc
    assert {change.index: change.status for change in bag.poll()} == {1: TaskStatus.FAILED, 2: TaskStatus.FAILED}
    assert claimable(side.hub, [deal], side.hub.block().timestamp_s, 300) == []
    with pytest.raises(OrderRefused):
        build_claims(side.hub, late[:1], payer)
