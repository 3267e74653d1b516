"""A drill can be undone: the chain, the market's book and the clock go back, and the workers go on from there."""

from __future__ import annotations

import time
from typing import Any

from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import hash_order, new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, WorkerpoolOrder
from NatronIExec.iexec.transport import Transport


def _open_orders(local: Any) -> set[str]:
    rows = Market(local.network, Transport()).workerpool_orders(category=0)
    return {hash_order(row.order, local.hub.domain) for row in rows}


def test_what_was_done_since_is_undone(local: Any) -> None:
    chain, market = local.chain.chain, Market(local.network, Transport())
    owner, z = local.signer("pool_owner"), ZERO_ADDRESS
    first, head = _open_orders(local), local.hub.block()
    before = local.snapshot()
    cheap = WorkerpoolOrder(local.network.workerpool, 1, 1, NO_TAG, 0, 1, z, z, z, new_salt())
    market.publish("workerpool", sign_order(cheap, local.hub.domain, owner), owner)
    chain.rpc("evm_increaseTime", 90_000)
    chain.rpc("evm_mine")
    assert _open_orders(local) == first | {hash_order(cheap, local.hub.domain)}
    local.revert(before)
    assert local.hub.block().number == head.number
    assert _open_orders(local) == first
    chain.rpc("evm_mine")
    assert abs(local.hub.block().timestamp_s - time.time()) < 60


def test_workers_render_what_is_bought_afterwards(farm: Any, submission: dict[str, Any], local: Any) -> None:
    """`farm` is bought from after its chain went back to where it was: a number that no deal had reached yet."""
    before = local.snapshot()
    for _ in range(5):
        local.chain.chain.rpc("evm_mine")
    local.revert(before)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
