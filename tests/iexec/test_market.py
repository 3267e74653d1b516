"""The order book and the scheduler, honest and not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.challenge import authorization
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import PAGE_SIZE, Market
from NatronIExec.iexec.orders import hash_order, message, task_id, to_json, typed_fields
from NatronIExec.iexec.records import RequestOrder
from NatronIExec.iexec.scheduler import Scheduler
from NatronIExec.iexec.transport import Transport


class Watched:
    """A signer that must not be asked."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.address = signer.address
        self.asked = 0

    def sign_typed_data(self, *args: Any) -> str:
        self.asked += 1
        return str(self._signer.sign_typed_data(*args))


def challenge(**changes: Any) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
            "Challenge": [{"name": "challenge", "type": "string"}],
        },
        "primaryType": "Challenge",
        "domain": {"name": "iExec Gateway", "version": "1", "chainId": 31337},
        "message": {"challenge": "Sign this message to log into iExec Gateway: xyz"},
        **changes,
    }


def an_order(hub: Hub, order: RequestOrder) -> dict[str, Any]:
    """The order's typed data, as a market could send it instead of a challenge."""
    content = {
        name: f"0x{value.hex()}" if isinstance(value, bytes) else value for name, value in message(order).items()
    }
    return {
        "types": {"EIP712Domain": [], "RequestOrder": typed_fields(RequestOrder)},
        "primaryType": "RequestOrder",
        "domain": hub.domain.typed(),
        "message": content,
    }


DOMAIN = challenge()["domain"]
FORGED = [
    None, 5, [], {}, challenge(primaryType="RequestOrder"), challenge(types={}), challenge(types=5),
    challenge(domain={**DOMAIN, "name": "iExecODB"}), challenge(domain={**DOMAIN, "chainId": 1}),
    challenge(domain={**DOMAIN, "verifyingContract": "0x" + "12" * 20}),
    challenge(domain={**DOMAIN, "version": "5.0.0"}),
    challenge(message={"challenge": 5}), challenge(message={}), challenge(message={"challenge": "x", "app": "y"}),
    challenge(types={"Challenge": [{"name": "challenge", "type": "bytes32"}]}), challenge(more=1),
]  # fmt: skip


@pytest.mark.parametrize("sent", FORGED)
def test_only_a_challenge_is_signed(requester: Any, sent: Any) -> None:
    signer = Watched(requester)
    with pytest.raises(ServiceError, match="nothing was signed"):
        authorization(sent, "iExec Gateway", 31337, signer)  # type: ignore[arg-type]
    assert signer.asked == 0


def test_an_order_is_not_signed_as_a_challenge(
    serve: Any, transport: Transport, hub: Hub, make_match: Callable[..., Any], requester: Any
) -> None:
    match = make_match()
    body = json.dumps({"ok": True, "data": an_order(hub, match.request)}).encode()
    signer = Watched(requester)
    thief = Market(replace(hub.network, market=serve(lambda handler, _: handler.say(200, body))), transport)
    with pytest.raises(ServiceError, match="nothing was signed"):
        thief.publish("app", match.app, signer)  # type: ignore[arg-type]
    assert signer.asked == 0


@pytest.mark.parametrize("said", [challenge(), challenge(domain={**DOMAIN, "chainId": "31337", "salt": None})])
def test_a_challenge_is_signed(requester: Any, said: Any) -> None:
    digest, signature, address = authorization(said, "iExec Gateway", 31337, requester).split("_")
    assert (len(digest), len(signature), address) == (66, 132, requester.address)


@pytest.mark.parametrize(
    "body",
    [b"5", b"{}", b'{"orders": 5}', b'{"orders": [5]}', b'{"orders": [{"order": 5}]}', b'{"orders": [{"order": {}}]}'],
)
def test_a_market_that_talks_of_something_else(
    serve: Any, transport: Transport, hub: Hub, make_match: Callable[..., Any], requester: Any, body: bytes
) -> None:
    market = Market(replace(hub.network, market=serve(lambda handler, _: handler.say(200, body))), transport)
    for ask in (
        lambda: market.workerpool_orders(category=0),
        lambda: market.order("app", "0x12"),
        lambda: market.publish("app", make_match().app, requester),
        lambda: market.unpublish("app", "0x12", requester),
    ):
        with pytest.raises(ServiceError) as refused:
            ask()
        assert refused.value.remedy


def test_a_book_of_many_pages(serve: Any, transport: Transport, hub: Hub, make_match: Callable[..., Any]) -> None:
    """The market's `nextPage` is an offset; pages are asked for by number until one is not full."""
    pool = make_match().workerpool
    book = [replace(pool, volume=number + 1) for number in range(2 * PAGE_SIZE + 7)]
    asked = []

    def script(handler: Any, number: int) -> None:
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(handler.path).query).items()}
        assert query["chainId"] == hub.network.chain_id
        asked.append(query["pageIndex"])
        first = query["pageIndex"] * query["pageSize"]
        page = book[first : first + query["pageSize"]]
        rows = [
            {
                "order": to_json(order),
                "orderHash": f"0x{order.volume:064x}",
                "remaining": order.volume,
                "status": "open",
            }
            for order in page
        ]
        more = {"nextPage": first + len(page)} if len(page) == query["pageSize"] else {}
        handler.say(200, json.dumps({"ok": True, "count": len(book), "orders": rows, **more}).encode())

    market = Market(replace(hub.network, market=serve(script)), transport)
    assert [row.order for row in market.workerpool_orders(category=0)] == book
    assert asked == [0, 1, 2]


def test_what_the_scheduler_tells(
    hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any], requester: Any
) -> None:
    """Of a task that a worker tried."""
    taskid = task_id(buy(make_match())[0].dealid, 0)
    scheduler = Scheduler(hub.network, hub.network.workerpool, hub.transport)
    task = f"{hub.network.compass}/tasks/{taskid}"
    while hub.transport.request("GET", task, accept=(404,)).status_code == 404:
        pass
    while not (logs := scheduler.logs(taskid, requester)):
        pass
    assert logs[0][0].startswith("0x")
    assert logs[0][1] or logs[0][2]
    assert scheduler.status(taskid)


@pytest.mark.parametrize("body", [b"5", b"{}", b'{"apiUrl": 5}'])
def test_a_compass_that_leads_nowhere(serve: Any, transport: Transport, hub: Hub, body: bytes) -> None:
    network = replace(hub.network, compass=serve(lambda handler, _: handler.say(200, body)))
    with pytest.raises(ServiceError, match="could not be understood"):
        Scheduler(network, network.workerpool, transport)


@pytest.mark.parametrize("body", [b"5", b"{}", b'{"computeLogsList": 5}', b'{"computeLogsList": [5]}'])
def test_a_scheduler_that_talks_of_something_else(
    serve: Any, transport: Transport, hub: Hub, requester: Any, body: bytes
) -> None:
    def script(handler: Any, number: int) -> None:
        core = challenge(domain={**DOMAIN, "name": "iExec Core"})
        says = {"workerpools": {"apiUrl": url}, "challenge": core}
        known = next((json.dumps(answer).encode() for word, answer in says.items() if word in handler.path), body)
        handler.say(200, known)

    url = serve(script)
    scheduler = Scheduler(replace(hub.network, compass=url), "0x12", transport)
    for ask in (lambda: scheduler.status("0x12"), lambda: scheduler.logs("0x12", requester)):
        with pytest.raises(ServiceError, match="could not be understood"):
            ask()


def test_orders_of_the_book_are_what_their_names_say(market: Market, hub: Hub, local: Any) -> None:
    for row in market.app_orders(local.network.app):
        assert row.order_hash == hash_order(row.order, hub.domain)
