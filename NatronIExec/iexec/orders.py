"""Orders: built, hashed and signed (EIP-712), and the ids that follow from them. Pure: no chain, no network.

Structs: PoCo contracts/libs/IexecLibOrders_v5.sol. Hashes equal the official SDK's (tests/iexec/vectors).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Mapping, TypeVar

from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.errors import BadInput
from NatronIExec.iexec.records import (
    ZERO_ADDRESS,
    ZERO_BYTES32,
    AppOrder,
    DatasetOrder,
    Order,
    RequestOrder,
    WorkerpoolOrder,
)
from NatronIExec.iexec.signer import Signer

AnyOrder = TypeVar("AnyOrder", AppOrder, DatasetOrder, WorkerpoolOrder, RequestOrder)

KINDS: Mapping[str, type[Order]] = {
    "app": AppOrder,
    "dataset": DatasetOrder,
    "workerpool": WorkerpoolOrder,
    "request": RequestOrder,
}
_BYTES32 = frozenset({"tag", "salt"})
_UINTS = frozenset(
    [
        "appprice",
        "datasetprice",
        "workerpoolprice",
        "appmaxprice",
        "datasetmaxprice",
        "workerpoolmaxprice",
        "volume",
        "category",
        "trust",
    ]
)

#: Operations of the hub's manage…Order (PoCo IexecLibOrders_v5.OrderOperationEnum).
SIGN, CLOSE = 0, 1

#: What stands for "no dataset" in a match: exactly this, unsigned (sdk constant NULL_DATASETORDER).
NULL_DATASET = DatasetOrder(
    ZERO_ADDRESS, 0, 0, ZERO_BYTES32, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_BYTES32, "0x"
)


@dataclass(frozen=True)
class Domain:
    """Where a signature is valid: one hub on one chain."""

    chain_id: int
    hub: str

    def typed(self) -> dict[str, Any]:
        return {"name": "iExecODB", "version": "5.0.0", "chainId": self.chain_id, "verifyingContract": self.hub}


def new_salt() -> str:
    """32 random bytes in hex. The salt is what makes two otherwise equal orders different."""
    return "0x" + os.urandom(32).hex()


def field_type(name: str) -> str:
    """Solidity type of an order's field."""
    if name in _BYTES32:
        return "bytes32"
    if name in _UINTS:
        return "uint256"
    return {"params": "string", "sign": "bytes"}.get(name, "address")


def typed_fields(kind: type[Order]) -> list[dict[str, str]]:
    """The signed fields in hashing order."""
    return [{"name": f.name, "type": field_type(f.name)} for f in fields(kind) if f.name != "sign"]


def message(order: Order) -> dict[str, Any]:
    """The order as EIP-712 takes it: bytes32 as bytes."""
    return {
        f["name"]: bytes.fromhex(getattr(order, f["name"])[2:]) if f["type"] == "bytes32" else getattr(order, f["name"])
        for f in typed_fields(type(order))
    }


def hash_order(order: Order, domain: Domain) -> str:
    """The full EIP-712 digest: what the market, `viewConsumed` and `OrdersMatched` call the order's hash."""
    name = type(order).__name__
    return _digest(domain, {name: typed_fields(type(order))}, name, message(order))


def sign_order(order: AnyOrder, domain: Domain, signer: Signer) -> AnyOrder:
    """The same order with the signature of the asset's owner, or of the requester."""
    name = type(order).__name__
    return replace(
        order, sign=signer.sign_typed_data(domain.typed(), {name: typed_fields(type(order))}, name, message(order))
    )


def sign_operation(order: Order, operation: int, domain: Domain, signer: Signer) -> str:
    """Signature of an operation (SIGN, CLOSE) on the order, so that anybody may send it (`hub.build_operation`)."""
    types, primary, content = _operation(order, operation)
    return signer.sign_typed_data(domain.typed(), types, primary, content)


def hash_operation(order: Order, operation: int, domain: Domain) -> str:
    return _digest(domain, *_operation(order, operation))


def deal_id(request_hash: str, consumed_before: int) -> str:
    """The id of the deal that was made when `consumed_before` tasks of the request order had been sold before (PoCo
    IexecPoco1Facet)."""
    return "0x" + keccak(bytes.fromhex(request_hash[2:]) + consumed_before.to_bytes(32, "big")).hex()


def task_id(dealid: str, index: int) -> str:
    return "0x" + keccak(bytes.fromhex(dealid[2:]) + index.to_bytes(32, "big")).hex()


def task_ids(dealid: str, first: int, size: int) -> list[str]:
    return [task_id(dealid, index) for index in range(first, first + size)]


def deal_tag(app_tag: str, dataset_tag: str, request_tag: str) -> str:
    """What the chain makes of the three: the dataset's TEE framework bits (1-3) do not count."""
    bits = int(app_tag, 16) | (int(dataset_tag, 16) & ~0b1110) | int(request_tag, 16)
    return f"0x{bits:064x}"


def to_json(order: Order) -> dict[str, Any]:
    """The market's form."""
    return asdict(order)


def from_json(kind: str, given: Mapping[str, Any]) -> Order:
    """An order of `kind` (app, dataset, workerpool, request) from the market's or the SDK's JSON, where numbers may be
    strings. Raises BadInput for anything else."""
    try:
        values: dict[str, Any] = {}
        for field in fields(KINDS[kind]):
            raw = given.get("sign", "0x") if field.name == "sign" else given[field.name]
            type_ = field_type(field.name)
            values[field.name] = (
                int(raw) if type_ == "uint256" else to_checksum_address(raw) if type_ == "address" else str(raw)
            )
            if type_ == "bytes32" and len(bytes.fromhex(values[field.name][2:])) != 32:
                raise ValueError(f"{field.name} is not 32 bytes")
        return KINDS[kind](**values)
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise BadInput(f"This is no {kind} order: {problem}.", "Take the order from the market again.") from problem


@dataclass(frozen=True)
class RequestParams:
    """The `params` of a request order. Unknown keys would turn the whole text into the app's arguments on the Java
    side (cpoco DealParams.java), so there are no others. `secrets` maps n to the name of a requester secret;
    `encrypt_result` has post-compute encrypt the result with the beneficiary's key in the SMS."""

    args: str
    input_files: tuple[str, ...] = ()
    secrets: tuple[tuple[int, str], ...] = ()
    encrypt_result: bool = False

    def to_json(self) -> str:
        """Canonical JSON text. The storage provider is always named: without it a result gets no link."""
        content: dict[str, Any] = {"iexec_args": self.args, "iexec_result_storage_provider": "ipfs"}
        if self.input_files:
            content["iexec_input_files"] = list(self.input_files)
        if self.secrets:
            content["iexec_secrets"] = {str(number): name for number, name in self.secrets}
        if self.encrypt_result:
            content["iexec_result_encryption"] = True
        return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _operation(order: Order, operation: int) -> tuple[dict[str, Any], str, dict[str, Any]]:
    name = type(order).__name__
    primary = f"{name}Operation"
    types = {
        name: typed_fields(type(order)),
        primary: [{"name": "order", "type": name}, {"name": "operation", "type": "uint256"}],
    }
    return types, primary, {"order": message(order), "operation": operation}


def _digest(domain: Domain, types: Mapping[str, Any], primary: str, content: Mapping[str, Any]) -> str:
    full = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            **types,
        },
        "primaryType": primary,
        "domain": domain.typed(),
        "message": content,
    }
    signable = encode_typed_data(full_message=full)
    return "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex()


def order_tuple(order: Order) -> tuple[Any, ...]:
    """The order as the ABI takes it."""
    return tuple(
        bytes.fromhex(value[2:]) if name in ("tag", "salt", "sign") else value for name, value in asdict(order).items()
    )


def domain_separator(domain: Domain) -> str:
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    typed = domain.typed()
    words = [kind, keccak(text=typed["name"]), keccak(text=typed["version"])]
    words += [domain.chain_id.to_bytes(32, "big"), bytes(12) + bytes.fromhex(domain.hub[2:])]
    return "0x" + keccak(b"".join(words)).hex()
