"""Nodes of the chain that lag, stammer or forget: what was bought is never taken for not bought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.devnet.contracts import calldata


def held_nrlc(local: Any) -> int:
    account = local.hub.account(local.people["requester"].address)
    return int(local.hub.balances(local.people["requester"].address).rlc_nrlc + account.stake_nrlc)


@pytest.mark.parametrize("nonsense", [b'"busy"', b"null", b"[1, 2]", b"<html>", b'{"jsonrpc": "2.0", "id": 0}'])
def test_nonsense_after_the_purchase(twisted: Any, node: Any, submission: dict[str, Any], nonsense: bytes) -> None:
    state = {"sent": False, "left": 2}

    def twist(calls: list[Any], forward: Any) -> bytes:
        if state["sent"] and state["left"] and node.asks(calls, "eth_call"):
            state["left"] -= 1
            return nonsense
        state["sent"] = state["sent"] or node.asks(calls, "eth_sendRawTransaction")
        return forward(calls)

    node.twist = twist
    job = twisted.call("submit", **submission)["job"]
    assert twisted.settled(job)["state"] == "done"
    assert len(twisted.call("show", job=job)["deals"]) == 1
    assert state["left"] == 0


def test_a_node_that_shows_the_deal_late(twisted: Any, node: Any, submission: dict[str, Any], local: Any) -> None:
    """What was consumed is seen at once, the deal itself only after some more questions."""
    view_deal = local.hub.view("viewDeal", "0x" + "11" * 32)[1][0]["data"][:10]
    state: dict[str, Any] = {"head": None, "late": 6}

    def twist(calls: list[Any], forward: Any) -> bytes:
        if node.asks(calls, "eth_sendRawTransaction"):
            state["head"] = hex(local.hub.block().number)
        if state["head"] and state["late"] and len(calls) == 1 and node.asks(calls, "eth_call", view_deal):
            state["late"] -= 1
            calls = [{**calls[0], "params": [calls[0]["params"][0], state["head"]]}]
        return forward(calls)

    node.twist = twist
    before = held_nrlc(local)
    job = twisted.call("submit", **submission)["job"]
    row = twisted.settled(job)
    assert (row["state"], state["late"]) == ("done", 0)
    assert before - held_nrlc(local) == row["paid_nrlc"]


def test_a_cancel_between_two_deals_keeps_what_was_bought(
    twisted: Any, node: Any, submission: dict[str, Any], two_small_orders: int
) -> None:
    """The first of two worker orders is matched; then the person cancels."""
    matches: list[str] = []

    def twist(calls: list[Any], forward: Any) -> bytes:
        answer = forward(calls)
        if node.asks(calls, "eth_sendRawTransaction"):
            (job,) = twisted.call("jobs")
            matches.append(job["id"])
            twisted.call("cancel", job=job["id"])
        return answer

    node.twist = twist
    job = twisted.call("submit", **submission)["job"]
    row = twisted.settled(job)
    assert (row["state"], len(matches)) == ("partly", 1)
    assert [deal["tasks"] for deal in twisted.call("show", job=job)["deals"]] == [1]
    lost = [frame for frame in twisted.call("frames", job=job) if frame["state"] == "failed"]
    assert [frame["frame"] for frame in lost] == [3, 4]
    assert all("not bought" in frame["log"] for frame in lost)
    renders = Path(submission["project"]).parent / "renders"
    assert sorted(path.name for path in renders.iterdir()) == ["orbit_0001.png", "orbit_0002.png"]


def test_money_for_the_first_of_two_deals_only(
    twisted: Any, node: Any, submission: dict[str, Any], two_small_orders: int, local: Any
) -> None:
    """Spent elsewhere between the two: what was bought is rendered, and the rest says why not."""
    requester = local.people["requester"].address
    twisted.call("wallet.deposit", amount_nrlc=10**9, network="local")  # so that each purchase is one transaction
    funds = local.chain.chain.rpc("eth_getBalance", requester, "latest")

    def twist(calls: list[Any], forward: Any) -> bytes:
        answer = forward(calls)
        if node.asks(calls, "eth_sendRawTransaction"):
            local.hub.wait(json.loads(answer)["result"])
            local.chain.chain.rpc("anvil_setBalance", requester, hex(1000))
        return answer

    node.twist = twist
    try:
        job = twisted.call("submit", **submission)["job"]
        row = twisted.settled(job)
    finally:
        local.chain.chain.rpc("anvil_setBalance", requester, funds)
    assert (row["state"], row["frames_done"], row["paid_nrlc"]) == ("partly", 2, twisted.call("jobs")[0]["paid_nrlc"])
    assert "ETH" in twisted.call("frames", job=job)[-1]["log"]


def test_all_deals_of_a_job_must_be_affordable(
    start_farm: Any, submission: dict[str, Any], two_small_orders: int, local: Any
) -> None:
    from eth_account import Account

    poor = Account.create()
    chain, price = local.chain.chain, local.people["requester"].address
    app_nrlc = start_farm().call("plan", **submission)["app_price_nrlc"]
    one_task = two_small_orders + app_nrlc
    chain.send(price, local.network.rlc, calldata("transfer(address,uint256)", poor.address, one_task))
    chain.rpc("anvil_setBalance", poor.address, hex(10**18))
    farm = start_farm()
    farm.call("wallet.import", name="poor", password="a long password", key="0x" + bytes(poor.key).hex())
    farm.call("wallet.unlock", password="a long password", address=poor.address)
    plan = farm.call("plan", **submission)
    assert (plan["deals"], plan["after_nrlc"]) == (2, -one_task)
    assert [problem["code"] for problem in plan["problems"]] == ["funds"]


def test_a_cancel_while_it_is_signed(twisted: Any, node: Any, submission: dict[str, Any], local: Any) -> None:
    """The answer says that nothing is spent, so nothing is."""
    answers: list[Any] = []

    def twist(calls: list[Any], forward: Any) -> bytes:
        if node.asks(calls, "eth_estimateGas") and not answers:
            (job,) = twisted.call("jobs")
            answers.append(twisted.call("cancel", job=job["id"]))
        return forward(calls)

    twisted.call("wallet.deposit", amount_nrlc=10**9, network="local")  # so that the purchase itself is estimated
    node.twist = twist
    before = held_nrlc(local)
    job = twisted.call("submit", **submission)["job"]
    assert twisted.settled(job)["state"] == "cancelled"
    assert answers == [{"stopped": ["Nothing was bought; nothing is spent."], "bought": []}]
    assert held_nrlc(local) == before


@pytest.mark.parametrize("word", ["forgets", "refuses"])
def test_a_purchase_that_is_stuck_can_be_withdrawn(
    twisted: Any, node: Any, submission: dict[str, Any], local: Any, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node takes the transaction and forgets it, or never takes it. After the cancel the order is closed, so that
    the transaction can be found by somebody later and buys nothing."""
    monkeypatch.setattr("NatronIExec.farm.run.buyer.WITHDRAW_AFTER_S", 0.1)
    monkeypatch.setattr("NatronIExec.farm.run.buyer.MINED_S", 0.1)
    swallowed: list[str] = []
    refusal = b'{"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "not today"}}'

    def twist(calls: list[Any], forward: Any) -> bytes:
        if node.asks(calls, "eth_sendRawTransaction"):
            raw = calls[0]["params"][0]
            if not swallowed or raw in swallowed:
                swallowed.append(raw)
                return refusal if word == "refuses" else b'{"jsonrpc": "2.0", "id": 0, "result": "0x00"}'
        return forward(calls)

    node.twist = twist
    before = held_nrlc(local)
    job = twisted.call("submit", **submission)["job"]
    twisted.until(lambda row: bool(row["error"]), job)
    assert "withdrawn" in twisted.call("cancel", job=job)["bought"][0]
    row = twisted.settled(job)
    assert (row["state"], row["paid_nrlc"]) == ("cancelled", 0)
    request = twisted.call("show", job=job)["request_order"]
    assert local.hub.consumed([request])[request] == 2
    node.twist = lambda calls, forward: forward(calls)
    with pytest.raises(Exception, match="nonce"):  # the real node's refusal, whatever its class
        local.chain.chain.rpc("eth_sendRawTransaction", swallowed[0])
    assert local.hub.deals_of_request(request, 2) == []
    assert held_nrlc(local) == before


def test_a_chain_that_is_away_while_workers_render(
    twisted: Any, node: Any, submission: dict[str, Any], local: Any
) -> None:
    local.faults.by_index[1] = "nothing"
    job = twisted.call("submit", **submission)["job"]
    twisted.until(lambda row: row["frames_done"] == 2, job)
    node.twist = lambda calls, forward: b"gone away"
    assert twisted.until(lambda row: bool(row["error"]), job)["error"]["code"] in ("unreachable", "service")
    local.chain.chain.rpc("evm_increaseTime", 3001)
    local.chain.chain.rpc("evm_mine")
    node.twist = lambda calls, forward: forward(calls)
    row = twisted.settled(job)
    assert (row["state"], row["error"]) == ("partly", None)
    assert row["refunded_nrlc"] == row["paid_nrlc"] // 2


def test_a_corrected_endpoint_reaches_jobs_that_are_under_way(
    twisted: Any, node: Any, submission: dict[str, Any], local: Any
) -> None:
    local.faults.every = "never-initialized"
    job = twisted.call("submit", **submission)["job"]
    twisted.until(lambda row: bool(row["paid_nrlc"]), job)
    node.twist = lambda calls, forward: b"gone away"
    twisted.until(lambda row: bool(row["error"]), job)
    twisted.call("settings.set", changes={"endpoints": {"local": {"rpc": local.network.rpc}}})
    assert twisted.until(lambda row: not row["error"], job)["state"] == "waiting"


def test_a_claim_counts_what_each_deal_paid(
    twisted: Any, submission: dict[str, Any], two_small_orders: int, local: Any
) -> None:
    """Two deals, one of them dearer: the first cheap order was sold out."""
    Market = type(twisted.engine.farm.services.of("local").market)
    market, owner = Market(local.network, twisted.engine.farm.transport), local.signer("pool_owner")
    orders = [found for found in market.workerpool_orders() if found.order.workerpoolprice == two_small_orders]
    market.unpublish("workerpool", orders[0].order_hash, owner)
    local.faults.every = "nothing"
    plan = twisted.call("plan", **submission)
    job = twisted.call("submit", **submission)["job"]
    twisted.until(lambda row: bool(row["paid_nrlc"]), job)
    twisted.call("wallet.lock")
    local.chain.chain.rpc("evm_increaseTime", 3001)
    local.chain.chain.rpc("evm_mine")
    claimed = twisted.call("claim", job=job, password="correct horse battery")
    row = twisted.settled(job)
    assert claimed == {"tasks": 2, "refund_nrlc": row["paid_nrlc"]}
    entry = twisted.call("ledger")["entries"][0]
    assert entry["refunded_nrlc"] == row["paid_nrlc"] <= plan["total_nrlc"]
    assert int(entry["gas_wei"]) > sum(s.gas_wei for s in twisted.engine.farm.spool.job(job).sent if s.what != "claim")
