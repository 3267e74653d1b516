"""Nodes of the chain that lag, stammer or forget: what was bought is never taken for not bought."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec.devnet.web import Answer, Request, WebServer

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
def farm(start_farm: Callable[..., Any], node: Node) -> Any:
    started = start_farm(rpc=node.url)
    started.pay_from()
    return started


def asks(calls: list[Any], method: str, selector: str = "") -> bool:
    return any(
        call["method"] == method and (not selector or call["params"][0].get("data", "").startswith(selector))
        for call in calls
    )


def spent(local: Any) -> int:
    account = local.hub.account(local.people["requester"].address)
    return int(local.hub.balances(local.people["requester"].address).rlc_nrlc + account.stake_nrlc)


@pytest.mark.parametrize("nonsense", [b'"busy"', b"null", b"[1, 2]", b"<html>", b'{"jsonrpc": "2.0", "id": 0}'])
def test_nonsense_after_the_purchase(farm: Any, node: Node, submission: dict[str, Any], nonsense: bytes) -> None:
    state = {"sent": False, "left": 2}

    def twist(calls: list[Any], forward: Forward) -> bytes:
        if state["sent"] and state["left"] and asks(calls, "eth_call"):
            state["left"] -= 1
            return nonsense
        state["sent"] = state["sent"] or asks(calls, "eth_sendRawTransaction")
        return forward(calls)

    node.twist = twist
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    assert len(farm.call("show", job=job)["deals"]) == 1
    assert state["left"] == 0


def test_a_node_that_shows_the_deal_late(farm: Any, node: Node, submission: dict[str, Any], local: Any) -> None:
    """What was consumed is seen at once, the deal itself only after some more questions."""
    view_deal = local.hub.view("viewDeal", "0x" + "11" * 32)[1][0]["data"][:10]
    state: dict[str, Any] = {"head": None, "late": 6}

    def twist(calls: list[Any], forward: Forward) -> bytes:
        if asks(calls, "eth_sendRawTransaction"):
            state["head"] = hex(local.hub.block().number)
        if state["head"] and state["late"] and len(calls) == 1 and asks(calls, "eth_call", view_deal):
            state["late"] -= 1
            calls = [{**calls[0], "params": [calls[0]["params"][0], state["head"]]}]
        return forward(calls)

    node.twist = twist
    before = spent(local)
    job = farm.call("submit", **submission)["job"]
    row = farm.settled(job)
    assert (row["state"], state["late"]) == ("done", 0)
    assert before - spent(local) == row["paid_nrlc"]


def test_a_cancel_between_two_deals_keeps_what_was_bought(
    farm: Any, node: Node, submission: dict[str, Any], two_small_orders: int
) -> None:
    """The first of two worker orders is matched; then the person cancels."""
    matches: list[str] = []

    def twist(calls: list[Any], forward: Forward) -> bytes:
        answer = forward(calls)
        if asks(calls, "eth_sendRawTransaction"):
            (job,) = farm.call("jobs")
            matches.append(job["id"])
            farm.call("cancel", job=job["id"])
        return answer

    node.twist = twist
    job = farm.call("submit", **submission)["job"]
    row = farm.settled(job)
    assert (row["state"], len(matches)) == ("partly", 1)
    assert [deal["tasks"] for deal in farm.call("show", job=job)["deals"]] == [1]
    lost = [frame for frame in farm.call("frames", job=job) if frame["state"] == "failed"]
    assert [frame["frame"] for frame in lost] == [3, 4]
    assert all("not bought" in frame["log"] for frame in lost)
    renders = Path(submission["project"]).parent / "renders"
    assert sorted(path.name for path in renders.iterdir()) == ["orbit_0001.png", "orbit_0002.png"]
