"""Moving RLC when the chain does not take the transaction."""

from __future__ import annotations

from typing import Any

import pytest

from NatronIExec.engine import money
from NatronIExec.errors import Unreachable


def test_a_transaction_that_is_not_mined_is_not_waited_for_without_end(
    farm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, before = farm.local.chain.chain, farm.call("wallet.state")["balance"]["stake_nrlc"]
    monkeypatch.setattr(money, "PATIENCE_S", 0.2)
    chain.rpc("evm_setAutomine", False)
    try:
        with pytest.raises(Unreachable, match="not taken the transaction yet") as said:
            farm.call("wallet.deposit", network="local", amount_nrlc=7)
        assert said.value.details["transaction"].startswith("0x")
    finally:
        chain.rpc("evm_setAutomine", True)
        chain.rpc("evm_mine")
    assert farm.local.hub.account(farm.call("wallet.state")["current"]).stake_nrlc == before + 7
