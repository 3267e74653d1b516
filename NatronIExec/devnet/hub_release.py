"""Which release of PoCo the local hub is: 6.1, as npm has it, or 6.2, as both live hubs are, with our facet."""

from __future__ import annotations

import json
from pathlib import Path

from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.devnet.contracts import CREATEX, SALT, Chain, calldata
from NatronIExec.devnet.solidity import facet_code
from NatronIExec.iexec.records import ZERO_ADDRESS

RELEASES = ("6.2", "6.1")
_RECEIVE = function_signature_to_4byte_selector("receiveApproval(address,uint256,address,bytes)")
_REPLACE = 1


def use_release(chain: Chain, modules: Path, hub: str, admin: str, release: str) -> None:
    """Make the hub one of RELEASES, whichever it was; `admin` owns it. Nothing is sent when it is that already."""
    deposits = _facet_of_61(modules)
    wanted = deposits if release == "6.1" else _ours(chain, admin, deposits)
    if to_checksum_address("0x" + chain.call(hub, "facetAddress(bytes4)", _RECEIVE)[-40:]) == wanted:
        return
    cut = [(wanted, _REPLACE, [_RECEIVE])]
    data = calldata("diamondCut((address,uint8,bytes4[])[],address,bytes)", cut, ZERO_ADDRESS, b"")
    chain.send(admin, hub, data)


def _facet_of_61(modules: Path) -> str:
    artifact = modules / "@iexec/poco/deployments/arbitrum/IexecEscrowTokenFacet.json"
    return to_checksum_address(json.loads(artifact.read_text())["address"])


def _ours(chain: Chain, admin: str, deposits: str) -> str:
    """The address of our facet, which is deployed when it is not there."""
    code = facet_code() + bytes(12) + bytes.fromhex(deposits[2:])
    packed = b"\xff" + bytes.fromhex(CREATEX[2:]) + SALT + keccak(code)
    address = to_checksum_address(keccak(packed)[12:])
    if chain.rpc("eth_getCode", address, "latest") == "0x":
        chain.send(admin, CREATEX, "0x" + (SALT + code).hex())
    return address
