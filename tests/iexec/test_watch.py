"""Bags of tasks behind nodes that lag, limit and leave out."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any, Callable

import pytest
from eth_utils.crypto import keccak

from NatronIExec.errors import RpcError, Unreachable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.orders import task_id
from NatronIExec.iexec.records import TaskStatus
from NatronIExec.iexec.transport import Transport
from NatronIExec.iexec.watch import OVERLAP_BLOCKS, BagWatch, TaskChange

FINALIZE = "0x" + keccak(text="TaskFinalize(bytes32,bytes)").hex()
REVEAL = "0x" + keccak(text="TaskReveal(bytes32,address,bytes32)").hex()


@pytest.fixture
def through(hub: Hub, transport: Transport, node: Callable[..., str]) -> Callable[..., Hub]:
    def make(habit: Any) -> Hub:
        return Hub(replace(hub.network, rpc=node(habit)), transport)

    return make


@pytest.fixture
def bag(hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any]) -> Callable[..., Any]:
    """(deal, the block before it) of tasks that no worker is given."""

    def make(volume: int) -> Any:
        local.faults.every = "never-initialized"
        first = hub.block().number
        return buy(make_match(volume=volume))[0], first

    return make


def logs_of(hub: Hub, params: Any) -> list[Any]:
    return list(hub.transport.rpc(hub.network.rpc, "eth_getLogs", params))


def behind(hub: Hub, blocks: int, method: str, params: Any) -> Any:
    """What the chain says, as if `blocks` empty ones had come before its own."""
    if method == "eth_getBlockByNumber":
        found = hub.transport.rpc(hub.network.rpc, method, params)
        return {"result": {**found, "number": hex(int(found["number"], 16) + blocks)}}
    begin, end = int(params[0]["fromBlock"], 16) - blocks, int(params[0]["toBlock"], 16) - blocks
    if end < 0:
        return {"result": []}
    return {"result": logs_of(hub, [{**params[0], "fromBlock": hex(max(0, begin)), "toBlock": hex(end)}])}


def mine(local: Any, blocks: int, seconds: int = 1) -> None:
    local.chain.chain.rpc("anvil_mine", hex(blocks), hex(seconds))


def completed(changes: list[TaskChange]) -> dict[int, str]:
    return {change.index: change.result_digest for change in changes if change.status is TaskStatus.COMPLETED}


def test_what_a_lagging_node_shows_late_is_not_lost(
    bag: Any, finish: Any, hub: Hub, local: Any, through: Callable[..., Hub]
) -> None:
    """Its logs are many blocks behind its head."""
    deal, first = bag(2)
    lag = [OVERLAP_BLOCKS - 50]

    def habit(method: str, params: Any) -> Any:
        if method != "eth_getLogs":
            return None
        shown = hub.block().number - lag[0]
        return {"result": [log for log in logs_of(hub, params) if int(log["blockNumber"], 16) <= shown]}

    watch = BagWatch(through(habit), [deal], first)
    digest = finish(deal, 0)
    mine(local, 100)
    assert watch.poll() == []
    mine(local, 100)
    assert completed(watch.poll()) == {0: "0x" + digest.hex()}
    assert watch.poll() == []


def test_an_event_that_is_lost_for_good_is_made_up_for(
    bag: Any, finish: Any, local: Any, hub: Hub, through: Callable[..., Hub]
) -> None:
    deal, first = bag(2)

    def habit(method: str, params: Any) -> Any:
        if method != "eth_getLogs":
            return None
        return {"result": [log for log in logs_of(hub, params) if log["topics"][0] != FINALIZE]}

    node = through(habit)
    watch = BagWatch(node, [deal], first)
    watch.poll()
    digest = finish(deal, 1)
    assert completed(watch.poll()) == {}
    mine(local, 2, 301)
    before = node.transport.requests_sent
    change = next(change for change in watch.poll() if change.status is TaskStatus.COMPLETED)
    assert (change.index, change.result_digest, change.results[:10]) == (1, "0x" + digest.hex(), b'{"storage"')
    assert node.transport.requests_sent - before == 2
    assert completed(watch.poll()) == {}
    assert watch.open == 1


def test_what_is_over_stays_over(bag: Any, finish: Any, hub: Hub, through: Callable[..., Hub]) -> None:
    """A node that has not seen the end yet answers the second time."""
    deal, first = bag(1)
    behind = [False]

    def habit(method: str, params: Any) -> Any:
        if method != "eth_getLogs" or not behind[0]:
            return None
        return {"result": logs_of(hub, params)[:2]}

    watch = BagWatch(through(habit), [deal], first)
    finish(deal, 0)
    assert len(completed(watch.poll())) == 1
    behind[0] = True
    assert watch.poll() == []
    assert watch.open == 0
    assert BagWatch(hub, [deal], first, watch.state()).poll() == []


@pytest.mark.parametrize("limit", [10, 2_000])
@pytest.mark.parametrize("code", [-32602, -32005])
def test_a_node_that_limits_the_range(
    bag: Any, finish: Any, hub: Hub, through: Callable[..., Hub], limit: int, code: int
) -> None:
    """A window is found that it takes, and remembered."""
    deal, first = bag(1)
    refused = [0]

    def habit(method: str, params: Any) -> Any:
        if method == "eth_getLogs":
            head = hex(hub.block().number + 10 * limit)
            params = [{**params[0], "toBlock": params[0]["toBlock"].replace("latest", head)}]
            if int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= limit:
                refused[0] += 1
                return {"error": {"code": code, "message": f"block range too wide, limited to {limit}"}}
        return behind(hub, 10 * limit, method, params)

    node = through(habit)
    watch = BagWatch(node, [deal], first)
    finish(deal, 0)
    assert len(completed(watch.poll())) == 1
    seen = refused[0]
    for _ in range(3):
        before = node.transport.requests_sent
        assert watch.poll() == []
        assert node.transport.requests_sent - before <= 3
    assert refused[0] == seen


def test_what_was_read_before_a_failure_is_kept(bag: Any, finish: Any, hub: Hub, through: Callable[..., Hub]) -> None:
    """The node breaks down on the way; where it stopped is where the next poll begins."""
    deal, first = bag(1)
    finish(deal, 0)
    asked: list[int] = []
    broken = [True]

    def habit(method: str, params: Any) -> Any:
        if method == "eth_getLogs":
            begin, end = int(params[0]["fromBlock"], 16), params[0]["toBlock"]
            if end == "latest" or int(end, 16) - begin >= 100:
                return {"error": {"code": -32000, "message": "block range is too wide"}}
            if broken[0] and len(asked) >= 60:
                return {"error": {"code": -32005, "message": "rate limit"}}
            asked.append(begin)
        return behind(hub, 6000, method, params)

    watch = BagWatch(through(habit), [deal], first)
    assert watch.poll() == []
    with pytest.raises(Unreachable):
        watch.poll()
    del asked[:]
    broken[0] = False
    assert len(completed(watch.poll())) == 1
    assert min(asked) > first + 3000


def test_a_node_that_gives_no_logs_at_all(bag: Any, through: Callable[..., Hub]) -> None:
    deal, first = bag(1)
    node = through(lambda m, params: {"error": {"message": "not supported"}} if m == "eth_getLogs" else None)
    with pytest.raises(RpcError, match="not supported"):
        BagWatch(node, [deal], first).poll()


def test_logs_that_make_no_sense_are_left_out(bag: Any, hub: Hub, through: Callable[..., Hub]) -> None:
    deal, first = bag(1)
    taskid = task_id(deal.dealid, 0)
    strange = [
        {"topics": [], "data": "0x"},
        {"topics": [FINALIZE], "data": "0x"},
        {"topics": [REVEAL, "0x" + "12" * 32], "data": "0x"},
        {"topics": ["0x" + "12" * 32, taskid], "data": "0x"},
    ]
    watch = BagWatch(through(lambda m, params: {"result": strange} if m == "eth_getLogs" else None), [deal], first)
    assert watch.poll() == []
    strange.append({"topics": [FINALIZE, taskid], "data": "0x" + "ff" * 40})
    assert [change.status for change in watch.poll()] == [TaskStatus.COMPLETED]


def test_ten_thousand_completions_take_few_requests(bag: Any, hub: Hub, through: Callable[..., Hub]) -> None:
    """The digests come with the events."""
    deal, first = bag(1)
    large = replace(deal, bot_size=10_000)
    worker = "0x" + "00" * 12 + "12" * 20
    results = f"{32:064x}{2:064x}" + b"{}".hex().ljust(64, "0")
    rows: list[Any] = []
    for index in large.indexes:
        taskid = task_id(large.dealid, index)
        rows.append({"topics": [REVEAL, taskid, worker], "data": f"0x{index:064x}"})
        rows.append({"topics": [FINALIZE, taskid], "data": f"0x{results}"})
    node = through(lambda method, params: {"result": rows} if method == "eth_getLogs" else None)
    watch = BagWatch(node, [large], first)
    changes = watch.poll()
    assert node.transport.requests_sent == 1
    assert len(changes) == 10_000
    assert all(change.result_digest == f"0x{change.index:064x}" for change in changes)
    assert {change.results for change in changes} == {b"{}"}
    state = watch.state()
    assert len(json.dumps(asdict(state))) < 100_000
    assert BagWatch(hub, [large], first, state).open == 0


def test_a_digest_that_no_event_told_is_asked_for(bag: Any, finish: Any, hub: Hub, through: Callable[..., Hub]) -> None:
    deal, first = bag(1)

    def habit(method: str, params: Any) -> Any:
        if method != "eth_getLogs":
            return None
        return {"result": [log for log in logs_of(hub, params) if log["topics"][0] != REVEAL]}

    digest = finish(deal, 0)
    assert completed(BagWatch(through(habit), [deal], first).poll()) == {0: "0x" + digest.hex()}
