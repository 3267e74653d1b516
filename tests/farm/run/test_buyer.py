"""A job is bought once, at no more than its price, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_chain import GAS, GAS_PRICE_WEI, POOL_PRICE_NRLC, REQUESTER
from fake_farm import SmallFarm
from farm_records import TASK_PRICE_NRLC

from NatronIExec.errors import Cancelled, NotEnoughFunds, OrderRefused, PriceAboveCap, Unreachable, WalletLocked
from NatronIExec.farm.run import buyer as buying


@pytest.fixture
def farm(tmp_path: Path) -> Any:
    made = SmallFarm(tmp_path)
    yield made
    made.spool.close()


def locked_nrlc(farm: SmallFarm) -> int:
    return farm.node.world.money[REQUESTER.address].locked


def test_what_is_bought_is_recorded_with_its_price(farm: SmallFarm) -> None:
    job = farm.bought(volume=3)
    (deal,) = job.deals
    assert (job.step, job.state, deal.tasks, deal.first) == ("bought", "waiting", 3, 0)
    assert deal.deal_price_nrlc == 3 * TASK_PRICE_NRLC == job.paid_nrlc == locked_nrlc(farm)
    assert deal.task_price_nrlc == TASK_PRICE_NRLC
    assert [sent.outcome for sent in job.sent] == ["ok"]
    (entry,) = farm.ledger.sheet()["entries"]
    assert (entry["paid_nrlc"], entry["gas_wei"]) == (3 * TASK_PRICE_NRLC, str(GAS * GAS_PRICE_WEI))
    assert entry["transaction"] == job.sent[0].hash == deal.transaction


@pytest.mark.parametrize("step", ["signed", "sent"])
def test_a_crash_buys_nothing_twice(farm: SmallFarm, step: str) -> None:
    class Died(Exception):
        pass

    def die(job: str, reached: str) -> None:
        if reached == step:
            raise Died

    ordered = farm.ordered()
    farm.spool._on_step = die
    with pytest.raises(Died):
        farm.buyer.buy(ordered)
    farm.spool._on_step = lambda job, reached: None
    job = farm.new_buyer().buy(farm.spool.job("job-1"))
    assert len(job.deals) == len(job.sent) == len(farm.node.world.deals) == 1
    assert locked_nrlc(farm) == job.paid_nrlc == 2 * TASK_PRICE_NRLC
    assert farm.new_buyer().buy(job).deals == job.deals
    assert locked_nrlc(farm) == job.paid_nrlc


def test_two_orders_are_two_deals_of_one_job(farm: SmallFarm) -> None:
    farm.node.orders["workerpool"].clear()
    first, second = farm.node.sell(volume=1), farm.node.sell(volume=1, price_nrlc=POOL_PRICE_NRLC - 5)
    rows = {row.order: row.order_hash for row in farm.node.market.workerpool_orders()}
    offers = tuple((rows[order], order) for order in (first, second))
    job = farm.bought(quote=farm.quote(2, workerpool_orders=offers))
    assert [(deal.first, deal.tasks, deal.task_price_nrlc) for deal in job.deals] == [
        (0, 1, TASK_PRICE_NRLC),
        (1, 1, TASK_PRICE_NRLC - 5),
    ]
    assert len({deal.transaction for deal in job.deals}) == 2


def test_what_others_bought_away_is_bought_elsewhere_for_no_more(farm: SmallFarm) -> None:
    farm.node.orders["workerpool"].clear()
    sold_out = farm.node.sell(volume=2)
    ordered = farm.ordered()
    row = next(row for row in farm.node.market.workerpool_orders() if row.order == sold_out)
    farm.node.world.consumed[row.order_hash] = 1
    farm.node.sell(volume=9, price_nrlc=POOL_PRICE_NRLC + 1)
    job = farm.buyer.buy(ordered)
    assert [deal.tasks for deal in job.deals] == [1]
    assert [(task.state, task.note[:11]) for task in farm.spool.tasks("job-1")] == [
        ("waiting", ""),
        ("refused", "not bought:"),
    ]
    farm.node.sell(volume=9, price_nrlc=POOL_PRICE_NRLC - 1)
    assert [deal.tasks for deal in farm.bought("job-2", quote=farm.quote(2)).deals] == [2]


def test_nothing_is_bought_when_nobody_sells_at_the_price(farm: SmallFarm) -> None:
    ordered = farm.ordered()
    farm.node.orders["workerpool"].clear()
    farm.node.world.consumed[ordered.quote.workerpool_orders[0][0]] = 1000
    with pytest.raises(OrderRefused):
        farm.buyer.buy(ordered)
    assert farm.buyer.nothing_bought(farm.spool.job("job-1"))
    assert locked_nrlc(farm) == 0


def test_gas_above_the_promise_is_asked_about(farm: SmallFarm) -> None:
    with pytest.raises(PriceAboveCap, match="Gas"):
        farm.bought(quote=farm.quote(2, gas_wei=1000))
    assert farm.spool.job("job-1").sent == ()


def test_what_is_signed_by_nobody_is_not_sent(farm: SmallFarm) -> None:
    farm.locked = True
    with pytest.raises(WalletLocked):
        farm.bought()
    farm.locked = False
    farm.node.world.money[REQUESTER.address].wallet = 5
    with pytest.raises(NotEnoughFunds):
        farm.buyer.buy(farm.spool.job("job-1"))
    assert farm.node.world.deals == {}
    assert farm.spool.job("job-1").step == "ordered"


def test_a_cancelled_job_is_not_bought(farm: SmallFarm) -> None:
    ordered = farm.ordered()
    farm.spool.update("job-1", cancelled=True)
    with pytest.raises(Cancelled):
        farm.buyer.buy(ordered)
    assert farm.buyer.nothing_bought(farm.spool.job("job-1"))


def test_a_purchase_that_is_stuck_is_looked_up_again(farm: SmallFarm) -> None:
    farm.node.holding = True
    ordered = farm.ordered()
    with pytest.raises(Unreachable, match="not mined"):
        farm.buyer.buy(ordered)
    assert not farm.buyer.nothing_bought(farm.spool.job("job-1"))
    farm.node.mine()
    job = farm.buyer.buy(farm.spool.job("job-1"))
    assert (len(job.sent), len(job.deals)) == (1, 1)


def test_a_stuck_purchase_that_is_cancelled_is_withdrawn(farm: SmallFarm) -> None:
    """The order is closed with the same nonce, so that only one of the two can happen."""
    farm.node.holding = True
    ordered = farm.ordered()
    with pytest.raises(Unreachable):
        farm.buyer.buy(ordered)
    farm.spool.update("job-1", cancelled=True)

    def pause(_: float) -> None:
        if len(farm.node.held) == 2:
            farm.node.mine()

    with pytest.raises(Cancelled):
        farm.new_buyer(pause).buy(farm.spool.job("job-1"))
    job = farm.spool.job("job-1")
    assert {sent.what: sent.outcome for sent in job.sent} == {buying.CLOSE: "ok", "deposit and match": "never"}
    assert farm.buyer.nothing_bought(job)
    assert farm.node.world.deals == {}
