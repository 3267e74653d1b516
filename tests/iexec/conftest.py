"""A requester of the local iExec, and matches that it could buy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import pytest

from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import NULL_DATASET, RequestParams, hash_order, new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, Match, RequestOrder
from NatronIExec.iexec.transport import Transport


@pytest.fixture
def hub(local: Any) -> Hub:
    return Hub(local.network, Transport())


@pytest.fixture
def market(hub: Hub) -> Market:
    return Market(hub.network, hub.transport)


@pytest.fixture
def requester(local: Any) -> Any:
    return local.signer("requester")


@pytest.fixture
def make_match(local: Any, hub: Hub, market: Market, requester: Any) -> Callable[..., Match]:
    """A match of `volume` tasks that the chain takes; `changes` to the request order break it."""

    def make(volume: int = 1, category: int = 0, signer: Any = requester, **changes: Any) -> Match:
        app = next(row.order for row in market.app_orders(local.network.app) if row.order.tag == NO_TAG)
        pool = market.workerpool_orders(category=category)[0].order
        request = RequestOrder(
            app=app.app,
            appmaxprice=app.appprice,
            dataset=ZERO_ADDRESS,
            datasetmaxprice=0,
            workerpool=ZERO_ADDRESS,
            workerpoolmaxprice=pool.workerpoolprice,
            requester=signer.address,
            volume=volume,
            tag=NO_TAG,
            category=category,
            trust=1,
            beneficiary=signer.address,
            callback=ZERO_ADDRESS,
            params=RequestParams("--nothing").to_json(),
            salt=new_salt(),
        )
        request = sign_order(replace(request, **changes), hub.domain, signer)
        return Match(app, NULL_DATASET, pool, request)

    return make


@pytest.fixture
def buy(hub: Hub, requester: Any) -> Callable[..., list[Any]]:
    """Send a match and return its deals."""

    def send(match: Match, deposit_nrlc: int = 0, signer: Any = requester) -> list[Any]:
        transactions = hub.build_match(match, deposit_nrlc)
        signed = [transaction.signed_by(signer) for transaction in transactions]
        for one in signed:
            hub.send(one)
        for one in signed:
            hub.wait(one.hash)
        return hub.deals_of_request(hash_order(match.request, hub.domain), match.request.volume)

    return send
