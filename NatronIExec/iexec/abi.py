"""The contract functions and events that we use, as JSON ABI built from one line each.

Signatures: PoCo v6 facets (contracts/facets/*.sol) and the RLC token. Order tuples follow `records`.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from NatronIExec.iexec.orders import KINDS, field_type

_ORDER_TUPLES = {
    kind: {
        "type": "tuple",
        "components": [{"name": f.name, "type": field_type(f.name)} for f in fields(record)],
    }
    for kind, record in KINDS.items()
}
_POINTER = {
    "type": "tuple",
    "components": [
        {"name": "pointer", "type": "address"},
        {"name": "owner", "type": "address"},
        {"name": "price", "type": "uint256"},
    ],
}
_DEAL = (
    "trust:uint256 category:uint256 tag:bytes32 requester:address beneficiary:address callback:address params:string "
    "startTime:uint256 botFirst:uint256 botSize:uint256 workerStake:uint256 schedulerRewardRatio:uint256 "
    "sponsor:address"
)
_TASK = (
    "status:uint8 dealid:bytes32 idx:uint256 timeref:uint256 contributionDeadline:uint256 revealDeadline:uint256 "
    "finalDeadline:uint256 consensusValue:bytes32 revealCounter:uint256 winnerCounter:uint256 "
    "contributors:address[] resultDigest:bytes32 results:bytes resultsTimestamp:uint256 resultsCallback:bytes"
)


def _named(text: str) -> list[dict[str, Any]]:
    return [dict(zip(("name", "type"), item.split(":"))) for item in text.split()]


def _plain(types: str) -> list[dict[str, Any]]:
    return [{"name": f"_{n}", "type": kind.strip()} for n, kind in enumerate(filter(None, types.split(",")))]


def _function(line: str) -> dict[str, Any]:
    """`name(types) returns (types)` as a JSON ABI entry."""
    found = re.fullmatch(r"(\w+)\(([^)]*)\)(?: returns \(([^)]*)\))?", line)
    assert found, line
    return {
        "type": "function",
        "name": found[1],
        "inputs": _plain(found[2]),
        "outputs": _plain(found[3] or ""),
        "stateMutability": "view" if found[3] else "nonpayable",
    }


def _event(line: str) -> dict[str, Any]:
    """`Name(type name, type* name)` with * for indexed."""
    name, inside = line.rstrip(")").split("(")
    inputs = []
    for item in inside.split(", "):
        kind, field = item.split(" ")
        inputs.append({"name": field, "type": kind.rstrip("*"), "indexed": kind.endswith("*")})
    return {"type": "event", "name": name, "inputs": inputs, "anonymous": False}


def _with_orders(name: str, kinds: list[str], outputs: str, view: bool = True) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": f"_{kind}order", **_ORDER_TUPLES[kind]} for kind in kinds],
        "outputs": _plain(outputs),
        "stateMutability": "view" if view else "nonpayable",
    }


def _managing(kind: str) -> dict[str, Any]:
    """`manageXOrder((order, operation, signature of the operation))`."""
    parts = [{"name": "order", **_ORDER_TUPLES[kind]}, *_named("operation:uint8 sign:bytes")]
    return {
        "type": "function",
        "name": f"manage{kind.capitalize()}Order",
        "stateMutability": "nonpayable",
        "outputs": [],
        "inputs": [{"name": "_operation", "type": "tuple", "components": parts}],
    }


ALL_ORDERS = ["app", "dataset", "workerpool", "request"]

HUB = [
    _with_orders("matchOrders", ALL_ORDERS, "bytes32", view=False),
    _with_orders("computeDealVolume", ALL_ORDERS, "uint256"),
    *map(_managing, ALL_ORDERS),
    {
        "type": "function",
        "name": "viewDeal",
        "stateMutability": "view",
        "inputs": _plain("bytes32"),
        "outputs": [
            {
                "name": "deal",
                "type": "tuple",
                "components": [
                    *({"name": name, **_POINTER} for name in ("app", "dataset", "workerpool")),
                    *_named(_DEAL),
                ],
            }
        ],
    },
    {
        "type": "function",
        "name": "viewCategory",
        "stateMutability": "view",
        "inputs": _plain("uint256"),
        "outputs": [
            {
                "name": "category",
                "type": "tuple",
                "components": _named("name:string description:string timeref:uint256"),
            }
        ],
    },
    {
        "type": "function",
        "name": "viewTask",
        "stateMutability": "view",
        "inputs": _plain("bytes32"),
        "outputs": [{"name": "task", "type": "tuple", "components": _named(_TASK)}],
    },
    *map(
        _function,
        (
            "eip712domain_separator() returns (bytes32)",
            "viewConsumed(bytes32) returns (uint256)",
            "viewPresigned(bytes32) returns (address)",
            "verifyPresignatureOrSignature(address,bytes32,bytes) returns (bool)",
            "viewAccount(address) returns (uint256,uint256)",
            "countCategory() returns (uint256)",
            "appregistry() returns (address)",
            "initialize(bytes32,uint256)",
            "initializeArray(bytes32[],uint256[])",
            "contribute(bytes32,bytes32,bytes32,address,bytes,bytes)",
            "reveal(bytes32,bytes32)",
            "finalize(bytes32,bytes,bytes)",
            "contributeAndFinalize(bytes32,bytes32,bytes,bytes,address,bytes,bytes)",
            "claim(bytes32)",
            "claimArray(bytes32[])",
            "initializeAndClaimArray(bytes32[],uint256[])",
            "deposit(uint256)",
            "withdraw(uint256)",
        ),
    ),
    *map(
        _event,
        (
            "OrdersMatched(bytes32 dealid, bytes32 appHash, bytes32 datasetHash, bytes32 workerpoolHash, "
            "bytes32 requestHash, uint256 volume)",
            "SchedulerNotice(address* workerpool, bytes32 dealid)",
            "TaskInitialize(bytes32* taskid, address* workerpool)",
            "TaskContribute(bytes32* taskid, address* worker, bytes32 hash)",
            "TaskConsensus(bytes32* taskid, bytes32 consensus)",
            "TaskFinalize(bytes32* taskid, bytes results)",
            "TaskClaimed(bytes32* taskid)",
        ),
    ),
]

#: Ownable assets (apps, datasets, worker groups), groups of accounts (ERC-734), and the token.
ASSET = [_function("owner() returns (address)"), _function("keyHasPurpose(bytes32,uint256) returns (bool)")]
TOKEN = [
    *map(
        _function,
        (
            "balanceOf(address) returns (uint256)",
            "approve(address,uint256)",
            "approveAndCall(address,uint256,bytes)",
            "transfer(address,uint256)",
        ),
    )
]

#: The registry of apps and an app's own facts (PoCo registries/apps/{AppRegistry,App}.sol).
REGISTRY = [
    *map(
        _function,
        (
            "createApp(address,string,string,bytes,bytes32,bytes)",
            "predictApp(address,string,string,bytes,bytes32,bytes) returns (address)",
            "isRegistered(address) returns (bool)",
        ),
    )
]
APP = [
    *map(
        _function,
        (
            "m_appName() returns (string)",
            "m_appMultiaddr() returns (bytes)",
            "m_appChecksum() returns (bytes32)",
            "m_appMREnclave() returns (bytes)",
        ),
    )
]
