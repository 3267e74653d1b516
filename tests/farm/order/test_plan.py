"""The price that is shown is the most that can be spent, and what is in the way is said before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_chain import APP_PRICE_NRLC, POOL_PRICE_NRLC, REQUESTER
from fake_farm import SmallFarm

from NatronIExec.errors import ServiceError
from NatronIExec.farm.order.plan import FEE_ROOM, Plan, make_plan, unsigned_request
from NatronIExec.submission import from_json

TASK_PRICE_NRLC = APP_PRICE_NRLC + POOL_PRICE_NRLC


@pytest.fixture
def farm(tmp_path: Path) -> Any:
    made = SmallFarm(tmp_path)
    yield made
    made.spool.close()


def plan(farm: SmallFarm, submission: dict[str, Any], account: str | None = REQUESTER.address) -> Plan:
    return make_plan("plan-1", from_json(submission), farm.services.of("local"), account, farm.ledger.allow)


def codes(made: Plan) -> list[str]:
    return [problem.code for problem in made.problems]


def test_the_price_is_tasks_times_price_and_the_order_allows_just_that(
    farm: SmallFarm, submission: dict[str, Any]
) -> None:
    made = plan(farm, submission)
    assert codes(made) == []
    assert (made.tasks, made.task_price_nrlc, made.most_nrlc) == (2, TASK_PRICE_NRLC, 2 * TASK_PRICE_NRLC)
    assert made.quote is not None
    assert made.quote.gas_wei == made.gas_wei
    request = unsigned_request(made.quote)
    assert request.volume * (request.appmaxprice + request.workerpoolmaxprice) == made.most_nrlc
    sheet = made.to_sheet()
    assert (sheet["total_nrlc"], sheet["deposit_nrlc"]) == (made.most_nrlc, made.most_nrlc)
    assert sheet["workerpool"]["task_price_nrlc"] == POOL_PRICE_NRLC
    assert sheet["after_nrlc"] == 10**12 - made.most_nrlc


def test_what_is_staked_needs_no_deposit(farm: SmallFarm, submission: dict[str, Any]) -> None:
    farm.node.world.money[REQUESTER.address].stake = TASK_PRICE_NRLC
    assert plan(farm, submission).to_sheet()["deposit_nrlc"] == TASK_PRICE_NRLC


def test_the_dearest_of_several_orders_is_the_price_of_all(farm: SmallFarm, submission: dict[str, Any]) -> None:
    farm.node.orders["workerpool"].clear()
    farm.node.sell(volume=1, price_nrlc=5)
    farm.node.sell(volume=1, price_nrlc=9)
    made = plan(farm, submission)
    assert made.quote is not None
    assert len(made.quote.workerpool_orders) == 2
    assert made.most_nrlc == 2 * (APP_PRICE_NRLC + 9)


def test_a_test_that_goes_on_by_itself_is_priced_whole(farm: SmallFarm, submission: dict[str, Any]) -> None:
    asked = {**submission, "frames": "1-9", "chunk": 1}
    whole = plan(farm, {**asked, "test_frames": "auto-continue"})
    assert (whole.tasks, whole.rest_tasks) == (3, 6)
    assert whole.most_nrlc == 9 * TASK_PRICE_NRLC
    assert whole.to_sheet()["tasks"] == whole.to_sheet()["frames"] == 9
    first = plan(farm, {**asked, "test_frames": "auto"})
    assert first.most_nrlc == 3 * TASK_PRICE_NRLC
    assert whole.gas_wei == 2 * first.gas_wei


def test_without_an_account_there_is_a_price_all_the_same(farm: SmallFarm, submission: dict[str, Any]) -> None:
    made = plan(farm, submission, account=None)
    assert codes(made) == ["wallet"]
    assert made.most_nrlc == 2 * TASK_PRICE_NRLC
    assert made.to_sheet()["balance"] is None


def test_caps_and_empty_purses_are_said(farm: SmallFarm, submission: dict[str, Any]) -> None:
    assert codes(plan(farm, {**submission, "max_price_nrlc": 2 * TASK_PRICE_NRLC - 1})) == ["price-cap"]
    assert codes(plan(farm, {**submission, "max_price_nrlc": 2 * TASK_PRICE_NRLC})) == []
    farm.node.world.money[REQUESTER.address].wallet = 2 * TASK_PRICE_NRLC - 1
    assert codes(plan(farm, submission)) == ["funds"]
    farm.node.world.money[REQUESTER.address].wei = 1
    assert set(codes(plan(farm, submission))) == {"funds"}


def test_nobody_sells(farm: SmallFarm, submission: dict[str, Any]) -> None:
    farm.node.orders["workerpool"].clear()
    made = plan(farm, submission)
    assert codes(made) == ["order-refused"]
    assert made.quote is None
    assert made.to_sheet()["total_nrlc"] is None


def test_a_chain_that_is_away_is_no_problem_of_the_plan(farm: SmallFarm, submission: dict[str, Any]) -> None:
    farm.node.refuse["eth_gasPrice"] = (-32603, "internal error")
    with pytest.raises(ServiceError):
        plan(farm, submission)


def test_gas_has_room_for_rising_fees(farm: SmallFarm, submission: dict[str, Any]) -> None:
    made = plan(farm, submission)
    assert made.preflight is not None
    assert made.gas_wei % (FEE_ROOM * made.preflight.fees.max_fee_wei) == 0
    assert made.gas_wei > made.preflight.gas * made.preflight.fees.max_fee_wei
