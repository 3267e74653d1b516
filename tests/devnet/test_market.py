"""The market, the scheduler and the gateway answer as the real ones do, also when they say no."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any, Callable, Iterator
from urllib.parse import urlencode

import pytest

from NatronIExec.devnet.local_iexec import LocalIexec
from NatronIExec.devnet.market_service import MarketService
from NatronIExec.errors import ServiceError
from NatronIExec.iexec import scheduler
from NatronIExec.iexec.challenge import authorization
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, RequestOrder
from NatronIExec.iexec.transport import Transport

SOMEBODY = "0x" + "5b" * 20
Get = Callable[..., Any]


@pytest.fixture
def get(local: LocalIexec) -> Get:
    def ask(path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        url = f"{local.web.url}{path}?{urlencode({'chainId': 31337, **query})}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as answer:
            return json.loads(answer.read())

    return ask


@pytest.fixture
def market(local: LocalIexec) -> Iterator[MarketService]:
    service = next(one for one in local.web.services if isinstance(one, MarketService))
    before = dict(service._book)
    yield service
    service.a_minute = None
    service._book = before


def _client(local: LocalIexec) -> Market:
    return Market(local.network, Transport(tries=1))


def _offer(local: LocalIexec, **changes: Any) -> AppOrder:
    order = AppOrder(local.network.app, 5, 10, NO_TAG, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS, new_salt())
    return sign_order(replace(order, **changes), local.hub.domain, local.signer("app_owner"))


def test_only_what_could_be_bought_is_published(local: LocalIexec, market: MarketService) -> None:
    owner = local.signer("app_owner")
    client = _client(local)
    client.publish("app", _offer(local), owner)
    with pytest.raises(ServiceError, match="not registered"):
        client.publish("app", _offer(local, app=owner.address), owner)
    with pytest.raises(ServiceError, match="fully consumed"):
        client.publish("app", _offer(local, volume=0), owner)
    with pytest.raises(ServiceError, match="not signed by its owner"):
        client.publish("app", _offer(local), local.signer("buyer"))


def test_restrictions_can_be_asked_for_exactly(local: LocalIexec, market: MarketService, get: Get) -> None:
    for_somebody = _offer(local, requesterrestrict=SOMEBODY)
    order_hash = market.publish("app", for_somebody)
    hashes: Callable[..., set[str]] = lambda **query: {  # noqa: E731
        row["orderHash"] for row in get("/apporders", app=local.network.app, **query)["orders"]
    }
    everybody = hashes()
    assert order_hash not in everybody
    assert hashes(requester=SOMEBODY) == everybody | {order_hash}
    assert hashes(requester=SOMEBODY, isRequesterStrict="true") == {order_hash}


def test_requests_come_with_the_best_payer_first(local: LocalIexec, market: MarketService, get: Get) -> None:
    who = local.signer("requester")
    for trust, price in ((0, 3), (5, 9), (1, 4)):
        request = RequestOrder(
            app=local.network.app, appmaxprice=0, dataset=ZERO_ADDRESS, datasetmaxprice=0, workerpool=ZERO_ADDRESS,
            workerpoolmaxprice=price, requester=who.address, volume=1, tag=NO_TAG, category=0, trust=trust,
            beneficiary=who.address, callback=ZERO_ADDRESS, params="", salt=new_salt(),
        )  # fmt: skip
        market.publish("request", sign_order(request, local.hub.domain, who))
    prices = [row["order"]["workerpoolmaxprice"] for row in get("/requestorders", requester=who.address)["orders"]]
    assert prices == [9, 4, 3]
    rows = get("/requestorders", requester=who.address, maxTrust=1)["orders"]
    assert [row["order"]["trust"] for row in rows] == [1, 0]


def test_the_market_tells_of_deals_and_categories(farm: Any, submission: dict[str, Any], get: Get) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    dealid = farm.call("show", job=job)["deals"][0]["dealid"]
    deal = get(f"/deals/{dealid}")
    assert (deal["dealid"], deal["botSize"], deal["volume"]) == (dealid, 2, 2)
    assert deal["app"]["pointer"] == farm.local.network.app
    newest = get("/deals", requester=deal["requester"], requestorderHash=deal["requestHash"])
    assert newest["deals"] == [{name: value for name, value in deal.items() if name != "ok"}]
    assert get("/deals", requester=SOMEBODY)["count"] == 0
    assert [row["name"] for row in get("/categories", maxWorkClockTimeRef=1200)["categories"]] == ["XS", "S", "short"]
    assert get("/categories/0")["workClockTimeRef"] == 300
    for path in ("/deals/0x00", "/categories/77"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(path)


def test_too_many_requests_are_refused(local: LocalIexec, market: MarketService, get: Get) -> None:
    market.a_minute = 0
    with pytest.raises(urllib.error.HTTPError, match="429"):
        get("/apporders", app=local.network.app)
    assert get("/categories/0")["ok"]


def test_logs_are_for_the_requester(farm: Any, submission: dict[str, Any], get: Get, local: LocalIexec) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    taskid = farm.call("show", job=job)["tasks"][0]["taskid"]
    stranger, requester = local.signer("buyer"), local.signer("requester")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"/tasks/{taskid}/logs", {"authorization": f"0x_0x_{requester.address}"})
    for who, refused in ((stranger, True), (requester, False)):
        challenge = get("/tasks/logs/challenge", address=who.address)
        headers = {"authorization": authorization(challenge, scheduler.SERVICE, local.network.chain_id, who)}
        if refused:
            with pytest.raises(urllib.error.HTTPError, match="403"):
                get(f"/tasks/{taskid}/logs", headers)
        else:
            assert get(f"/tasks/{taskid}/logs", headers)["computeLogsList"]


def test_a_part_of_a_file_says_which(local: LocalIexec) -> None:
    url = f"{local.web.url}/ipfs/{local.content.add(b'0123456789')}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=4-"})) as answer:
        assert (answer.status, answer.read()) == (206, b"456789")
        assert answer.headers["content-range"] == "bytes 4-9/10"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=10-"}))
    assert (refused.value.code, refused.value.headers["content-range"]) == (416, "bytes */10")
    refused.value.close()
