"""What was shown, what is signed and what the chain holds are one and the same."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from NatronIExec.errors import OrderRefused, ServiceError
from NatronIExec.farm.order.agreed import require_agreed, require_dealt
from NatronIExec.farm.order.plan import match_of, unsigned_request
from NatronIExec.iexec.network import TDX_TAG


@pytest.fixture
def quote() -> Any:
    from farm_records import quote

    return quote()


def test_what_is_bought_is_what_was_shown(quote: Any) -> None:
    order, request = quote.workerpool_orders[0][1], unsigned_request(quote)
    good = match_of(quote, order, request)
    require_agreed(quote, good)
    # a confidential job's results are for an account of its own
    require_agreed(quote, replace(good, request=replace(request, beneficiary="0x" + "99" * 20)))
    for change in (
        {"app": replace(good.app, app="0x" + "99" * 20)},
        {"app": replace(good.app, appprice=quote.app_price_nrlc + 1)},
        {"app": replace(good.app, tag=TDX_TAG)},
        {"workerpool": replace(order, workerpool="0x" + "99" * 20)},
        {"workerpool": replace(order, workerpoolprice=quote.workerpool_price_nrlc + 1)},
        {"workerpool": replace(order, category=order.category + 1)},
        {"request": replace(request, volume=request.volume + 1)},
        {"request": replace(request, requester="0x" + "99" * 20)},
        {"request": replace(request, workerpool="0x" + "00" * 20)},
    ):
        with pytest.raises(OrderRefused, match="not what was asked for"):
            require_agreed(quote, replace(good, **change))


def test_a_deal_is_looked_at_once_more(quote: Any) -> None:
    request = unsigned_request(quote, "{}")
    good = SimpleNamespace(
        dealid="0x11", app=quote.app.app, workerpool=quote.workerpool, category=quote.category, tag=quote.tag,
        app_price_nrlc=quote.app_price_nrlc, workerpool_price_nrlc=0, requester=quote.account,
        beneficiary=quote.account, params="{}",
    )  # fmt: skip
    require_dealt(quote, request, [good])  # type: ignore[list-item]
    for name, value in {
        "app": "0x" + "99" * 20, "workerpool": "0x" + "99" * 20, "category": 4, "tag": TDX_TAG, "params": "{ }",
        "workerpool_price_nrlc": 10**12, "app_price_nrlc": 10**12, "beneficiary": "0x" + "99" * 20,
    }.items():  # fmt: skip
        with pytest.raises(ServiceError) as refused:
            require_dealt(quote, request, [SimpleNamespace(**{**vars(good), name: value})])  # type: ignore[list-item]
        assert refused.value.details["differs"]
