"""Calldata and answers of one contract, from its JSON ABI: eth-abi does the coding, as it does within web3.

web3 itself is not imported: what it brings (an asynchronous HTTP client, providers, ENS) costs a cold `natron-iexec
submit` 0.3 s. The tests hold every function against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector

from NatronIExec.errors import ServiceError

Entry = Mapping[str, Any]


class Interface:
    """The functions of `abi`, by name; none is overloaded."""

    def __init__(self, abi: Sequence[Entry]) -> None:
        self._functions = {str(entry["name"]): entry for entry in abi if entry["type"] == "function"}

    def encode(self, name: str, args: Sequence[Any]) -> str:
        """0x… calldata. Bytes may be given as 0x… hex, as they are everywhere else here; tuples as sequences."""
        inputs = self._functions[name]["inputs"]
        types = [_type(entry) for entry in inputs]
        selector = function_signature_to_4byte_selector(f"{name}({','.join(types)})")
        values = [_value(entry, value) for entry, value in zip(inputs, args, strict=True)]
        return "0x" + (selector + encode(types, values)).hex()

    def decode(self, name: str, answer: str) -> Any:
        """The outputs of `name`, a single one unwrapped. Raises ServiceError for what is none, e.g. the empty answer
        of an address without a contract."""
        types = [_type(entry) for entry in self._functions[name]["outputs"]]
        try:
            values = decode(types, bytes.fromhex(answer[2:]))
        except (DecodingError, ValueError, OverflowError) as problem:
            raise ServiceError(
                f"The chain's answer to {name} is not what this contract answers.",
                "Check the RPC endpoint and the network's addresses in the settings.",
                answer=answer[:200],
            ) from problem
        return values[0] if len(values) == 1 else values


def _type(entry: Entry) -> str:
    """Canonical ABI type, tuples spelt out."""
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return "(" + ",".join(_type(part) for part in entry["components"]) + ")" + str(entry["type"])[5:]


def _value(entry: Entry, value: Any) -> Any:
    """As eth-abi takes it: hex of bytes becomes bytes, also within arrays and tuples."""
    kind = str(entry["type"])
    if kind.endswith("[]"):
        return [_value({**entry, "type": kind[:-2]}, item) for item in value]
    if kind == "tuple":
        return tuple(_value(part, item) for part, item in zip(entry["components"], value, strict=True))
    return bytes.fromhex(value.removeprefix("0x")) if kind.startswith("bytes") and isinstance(value, str) else value
