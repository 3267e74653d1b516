"""A node of the chain that can be made to lag or lie, and what several tests of the farm need on the market."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.request
from typing import Any, Callable, Iterator

import pytest

from NatronIExec.devnet.web import Answer, Request, WebServer
from NatronIExec.errors import NatronIExecError
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import hash_order, new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, WorkerpoolOrder
from NatronIExec.iexec.transport import Transport

PRICE_NRLC = 10**6
#: What a twist may ask of the real node: the body as it was, or another.
Forward = Callable[[Any], bytes]
Twist = Callable[[list[Any], Forward], bytes]


class Node:
    """Stands before the real node. `twist` gets the calls of a request and forwards them, changed or not."""

    def __init__(self, rpc: str) -> None:
        self._rpc = rpc
        self._web = WebServer([self])
        self._web.start()
        self.url = f"{self._web.url}/rpc"
        self.twist: Twist = lambda calls, forward: forward(calls)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        asked = request.json()
        calls = asked if isinstance(asked, list) else [asked]
        with self._lock:
            body = self.twist(calls, lambda calls: self._forward(calls if isinstance(asked, list) else calls[0]))
        return Answer(200, body)

    def stop(self) -> None:
        self._web.stop()

    @staticmethod
    def asks(calls: list[Any], method: str, selector: str = "") -> bool:
        return any(
            call["method"] == method and (not selector or call["params"][0].get("data", "").startswith(selector))
            for call in calls
        )

    def _forward(self, body: Any) -> bytes:
        content, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self._rpc, content, kind)) as answer:
            found: bytes = answer.read()
        return found


@pytest.fixture
def node(local: Any) -> Iterator[Node]:
    made = Node(local.network.rpc)
    yield made
    made.stop()


@pytest.fixture
def twisted(start_farm: Callable[..., Any], node: Node) -> Any:
    """A farm whose chain is seen through `node`, with a funded account."""
    started = start_farm(rpc=node.url)
    started.pay_from()
    return started


@pytest.fixture
def two_small_orders(local: Any) -> Iterator[int]:
    """Two worker group orders of one task each, the cheapest there are; gives their price."""
    market, owner, z = Market(local.network, Transport()), local.signer("pool_owner"), ZERO_ADDRESS
    published = []
    for _ in range(2):
        small = WorkerpoolOrder(local.network.workerpool, PRICE_NRLC, 1, NO_TAG, 0, 1, z, z, z, new_salt())
        market.publish("workerpool", sign_order(small, local.hub.domain, owner), owner)
        published.append(hash_order(small, local.hub.domain))
    yield PRICE_NRLC
    for order_hash in published:
        with contextlib.suppress(NatronIExecError):  # sold
            market.unpublish("workerpool", order_hash, owner)
