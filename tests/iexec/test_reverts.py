"""What the contracts say, in sentences."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector

from NatronIExec.errors import NotEnoughFunds, OrderRefused
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.reverts import CUSTOM_ERRORS, MATCH_CODES, explain

UNKNOWN = "The chain refused the transaction."


def data_of(signature: str) -> str:
    """The return data of a custom error, its arguments zero."""
    kinds = [kind for kind in signature.partition("(")[2].rstrip(")").split(",") if kind]
    zero = {"address": "0x" + "00" * 20, "bytes4": bytes(4), "uint256": 0}
    return "0x" + (function_signature_to_4byte_selector(signature) + encode(kinds, [zero[k] for k in kinds])).hex()


@pytest.mark.parametrize("signature", CUSTOM_ERRORS)
def test_each_custom_error_has_a_sentence(signature: str) -> None:
    said = explain("execution reverted", data_of(signature))
    assert said.title != UNKNOWN
    assert said.remedy


def test_money_that_is_missing_in_the_token_is_said_so() -> None:
    said = explain("execution reverted", data_of("ERC20InsufficientBalance(address,uint256,uint256)"))
    assert isinstance(said, NotEnoughFunds)


@pytest.mark.parametrize("code", MATCH_CODES)
def test_each_code_of_a_match_has_a_sentence(code: str) -> None:
    reason = "0x08c379a0" + encode(["string"], [f"iExecV5-matchOrders-0x{code}"]).hex()
    said = explain("execution reverted", reason)
    assert (said.title, said.details["contract"]) == (MATCH_CODES[code][0], f"0x{code}")


@pytest.mark.parametrize("data", ["", "0x", "0x1", "0x08c379a0", "0x08c379a0" + "ff" * 64, "0x12345678", "zz"])
def test_what_nobody_knows_is_quoted(data: str) -> None:
    said = explain("some words", data)
    assert said.title == UNKNOWN
    assert "some words" in said.details["contract"]


def test_a_hub_without_the_function(hub: Hub, requester: Any) -> None:
    with pytest.raises(OrderRefused, match="does not know"):
        hub.transaction(requester.address, hub.network.hub, "0x12345678", "nothing")
