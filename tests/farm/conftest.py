"""What several tests of the farm need on the market."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

import pytest

from NatronIExec.errors import NatronIExecError
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import hash_order, new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, WorkerpoolOrder
from NatronIExec.iexec.transport import Transport

PRICE_NRLC = 10**6


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
