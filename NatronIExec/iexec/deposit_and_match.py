"""Whether a hub buys in the transaction that deposits (PoCo >= 6.2), asked of the hub itself.

On 6.1 the same transaction would deposit and buy nothing, without a word: so it is not guessed from a network's name.
"""

from __future__ import annotations

from typing import Any

from eth_utils.abi import function_signature_to_4byte_selector

from NatronIExec.errors import RpcError
from NatronIExec.iexec.jsonrpc import Call, data_of
from NatronIExec.iexec.network import Network

_RECEIVE = function_signature_to_4byte_selector("receiveApproval(address,uint256,address,bytes)").hex()
_UNSUPPORTED = function_signature_to_4byte_selector("UnsupportedOperation(bytes4)").hex()
#: Of no function of a hub.
_NOTHING = "ffffffff"


def question(network: Network) -> Call:
    """A trial of a deposit of nothing, by the hub, with a call that no hub knows. 6.1 does not look at the call; 6.2
    refuses it by its name (PoCo IexecEscrowTokenFacet)."""
    hub, token = (address[2:].lower().rjust(64, "0") for address in (network.hub, network.rlc))
    words = (hub, _word(0), token, _word(128), _word(4), _NOTHING.ljust(64, "0"))
    return "eth_call", [{"from": network.rlc, "to": network.hub, "data": "0x" + _RECEIVE + "".join(words)}, "latest"]


def understood(answer: Any) -> bool | None:
    """None when the answer does not say: a node that was busy, or one that keeps a refusal's reason to itself."""
    if not isinstance(answer, RpcError):
        return False
    if data_of(answer).startswith(f"0x{_UNSUPPORTED}"):
        return True
    return None


def _word(number: int) -> str:
    return f"{number:064x}"
