"""Nodes that refuse, are busy, or answer something else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable

import pytest

from NatronIExec.errors import NatronIExecError, NotEnoughFunds, OrderRefused, RpcError, ServiceError, Unreachable
from NatronIExec.iexec.claims import build_claims, claimable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.transactions import SignedTransaction
from NatronIExec.iexec.transport import Transport

BUSY = [
    {"code": -32005, "message": "daily request count exceeded"},
    {"code": 429, "message": "Your app has exceeded its compute units per second capacity"},
    {"code": -32000, "message": "header not found"},
    {"code": -32029, "message": "Too Many Requests"},
    {"code": -32000, "message": "rate limit exceeded"},
]


@pytest.fixture
def through(hub: Hub, transport: Transport, node: Callable[..., str]) -> Callable[..., Hub]:
    """The hub as a node with habits shows it."""

    def make(*habits: Any, **named: Any) -> Hub:
        return Hub(replace(hub.network, rpc=node(*habits, **named)), transport)

    return make


def trouble(read: Callable[[], object]) -> NatronIExecError | None:
    try:
        read()
    except NatronIExecError as problem:
        return problem
    return None


def say(handler: Any, status: int, body: bytes) -> None:
    handler.say(status, body)


def test_rpc_answers_come_in_the_order_of_the_calls(serve: Any, transport: Transport) -> None:
    def script(handler: Any, number: int) -> None:
        asked = json.loads(handler.body)
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": call["method"]} for call in asked]
        answers[1] = {"jsonrpc": "2.0", "id": asked[1]["id"], "error": {"code": 3, "message": "reverted", "data": "0x"}}
        say(handler, 200, json.dumps(answers[::-1]).encode())

    url = serve(script)
    calls: list[Any] = [("a", []), ("b", []), ("c", [])]
    first, second, third = transport.rpc_batch_raw(url, calls)
    assert (first, third) == ("a", "c")
    assert isinstance(second, RpcError)
    with pytest.raises(RpcError, match="reverted"):
        transport.rpc_batch(url, calls)


def test_a_node_that_leaves_answers_out(serve: Any, transport: Transport) -> None:
    url = serve(lambda handler, number: say(handler, 200, b"[]"))
    with pytest.raises(RpcError, match="without a result"):
        transport.rpc(url, "eth_chainId", [])


@pytest.mark.parametrize("body", [b'"hello"', b"[1, 2]", b"null", b"5", b'{"id": [1]}', b'[{"id": "0"}]', b"[[]]"])
def test_a_node_that_talks_of_something_else(serve: Any, transport: Transport, body: bytes) -> None:
    url = serve(lambda handler, number: say(handler, 200, body))
    for calls in ([("eth_chainId", [])], [("eth_chainId", []), ("eth_gasPrice", [])]):
        with pytest.raises(ServiceError, match="without a result"):
            transport.rpc_batch(url, calls)


@pytest.mark.parametrize(
    "strange", [None, 5, "0x", "0x1", "zz", {}, [None], [{"topics": 5}], {"number": None}, "0x" + "ff" * 40]
)
def test_every_read_survives_every_answer(
    through: Callable[..., Hub], make_match: Any, requester: Any, strange: Any
) -> None:
    """Nothing but our errors leaves the hub, each with a remedy."""
    match = make_match()
    hub = through(lambda method, params: {"result": strange})
    zero = "0x" + "00" * 32
    reads: list[Callable[[], object]] = [
        hub.check, hub.block, hub.categories, hub.fees,
        lambda: hub.category(0), lambda: hub.account(requester.address), lambda: hub.balances(requester.address),
        lambda: hub.nonce(requester.address), lambda: hub.consumed([zero]), lambda: hub.deal(zero),
        lambda: hub.tasks([(zero, 0)]), lambda: hub.receipt(zero), lambda: preflight(hub, match),
        lambda: hub.build_withdraw(requester.address, 1), lambda: hub.owners([match.app.app]),
        lambda: hub.send(SignedTransaction("0x", zero)),
    ]  # fmt: skip
    for read in reads:
        problem = trouble(read)
        assert problem is None or problem.remedy


def test_a_status_of_the_future(through: Callable[..., Hub], hub: Hub) -> None:
    words = [32, 9, *[0] * 9, 15 * 32, *[0] * 5]
    words[11], words[13], words[15] = 15 * 32, 16 * 32, 17 * 32
    answer = "0x" + "".join(f"{word:064x}" for word in [*words, 0, 0])
    with pytest.raises(ServiceError):
        through(lambda method, params: {"result": answer}).tasks([("0x" + "00" * 32, 0)])


@pytest.mark.parametrize("error", BUSY)
def test_a_busy_node_is_asked_again(through: Callable[..., Hub], error: Any, waits: list[float]) -> None:
    said = iter([{"error": error}, {"error": error}])
    assert through(lambda method, params: next(said, None)).block().number > 0
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize("error", BUSY)
def test_a_busy_node_refuses_no_order(through: Callable[..., Hub], make_match: Any, requester: Any, error: Any) -> None:
    hub = through(lambda method, params: {"error": error} if method == "eth_estimateGas" else None)
    with pytest.raises(Unreachable, match="busy"):
        preflight(hub, make_match())
    with pytest.raises(Unreachable, match="busy"):
        hub.build_withdraw(requester.address, 1)


def test_a_busy_node_is_sent_a_transaction_once(
    through: Callable[..., Hub], hub: Hub, requester: Any, waits: list[float]
) -> None:
    signed = hub.build_deposit(requester.address, 1).signed_by(requester)
    with pytest.raises(Unreachable, match="busy"):
        through(lambda method, params: {"error": BUSY[0]}).send(signed)
    assert waits == []


def test_one_error_for_a_whole_batch_is_the_batchs(through: Callable[..., Hub]) -> None:
    """Also as a single object without an id."""
    said = iter([{"jsonrpc": "2.0", "id": None, "error": BUSY[0]}, [{"jsonrpc": "2.0", "id": 0, "error": BUSY[0]}]])
    assert through(batch=lambda calls: next(said, None)).fees().max_fee_wei > 0
    with pytest.raises(RpcError, match="no batches here"):
        through(batch=lambda calls: {"jsonrpc": "2.0", "id": None, "error": {"message": "no batches here"}}).fees()


@pytest.mark.parametrize("words", ["batch too large", "maximum batch size exceeded", "response too large"])
def test_a_batch_that_is_too_large_is_asked_in_parts(through: Callable[..., Hub], words: str) -> None:
    """geth says so with the id of the first call. The limit is found once."""
    sizes = []

    def batch(calls: list[Any]) -> Any:
        sizes.append(len(calls))
        return [{"jsonrpc": "2.0", "id": 0, "error": {"code": -32600, "message": words}}] if len(calls) > 10 else None

    hub = through(batch=batch)
    assert len(hub.consumed([f"0x{number:064x}" for number in range(33)])) == 33
    del sizes[:]
    hub.consumed([f"0x{number:064x}" for number in range(33)])
    assert max(sizes) <= 10


def test_errors_within_a_bad_request_are_read(serve: Any, transport: Transport) -> None:
    error = json.dumps({"jsonrpc": "2.0", "id": 0, "error": {"code": -32602, "message": "range too wide"}}).encode()
    with pytest.raises(RpcError, match="range too wide"):
        transport.rpc(serve(lambda handler, number: say(handler, 400, error)), "eth_getLogs", [{}])
    with pytest.raises(ServiceError, match="bad gateway"):
        transport.rpc(serve(lambda handler, number: say(handler, 400, b"bad gateway")), "eth_getLogs", [{}])


def test_what_is_no_refusal_is_not_explained_as_one(through: Callable[..., Hub], requester: Any) -> None:
    hub = through(lambda method, params: {"error": {"code": -32601, "message": "no such method"}})
    with pytest.raises(RpcError, match="no such method"):
        hub.build_withdraw(requester.address, 1)
    hub = through(lambda method, params: {"error": {"code": -32000, "message": "insufficient funds for gas"}})
    with pytest.raises(NotEnoughFunds):
        hub.build_withdraw(requester.address, 1)


@pytest.mark.parametrize("data", [None, "0x1", 5, "Reverted 0x", {"data": "0x"}, "0x08c379a0" + "ff" * 40])
def test_return_data_of_any_kind(through: Callable[..., Hub], requester: Any, data: Any) -> None:
    hub = through(lambda method, params: {"error": {"code": 3, "message": "execution reverted", "data": data}})
    with pytest.raises(OrderRefused):
        hub.build_withdraw(requester.address, 1)


def test_a_busy_node_makes_no_single_claims(
    through: Callable[..., Hub], hub: Hub, local: Any, make_match: Any, buy: Any, requester: Any, waits: list[float]
) -> None:
    """Only a batch that the contract refuses is halved."""
    local.faults.every = "never-initialized"
    deals = buy(make_match(volume=8))
    late = claimable(hub, deals, deals[0].final_deadline_s(300), 300)
    with pytest.raises(Unreachable):
        build_claims(through(lambda method, params: {"error": BUSY[-1]}), late, requester.address)
    assert len(waits) == 2
