"""Calldata and answers against web3, for every function that we know."""

from __future__ import annotations

import re
from typing import Any

import pytest
from web3 import Web3

from NatronIExec.iexec import abi
from NatronIExec.iexec.interface import Interface

CONTRACTS = {"hub": abi.HUB, "asset": abi.ASSET, "token": abi.TOKEN}
CASES = [(name, entry) for name, found in CONTRACTS.items() for entry in found if entry["type"] == "function"]


def example(entry: Any, seed: int) -> Any:
    """Some value of an ABI type, bytes as hex."""
    kind = entry["type"]
    if kind.endswith("[]"):
        return [example({**entry, "type": kind[:-2]}, seed + at) for at in range(3)]
    if kind == "tuple":
        return tuple(example(part, seed + at) for at, part in enumerate(entry["components"]))
    if kind == "address":
        return Web3.to_checksum_address(f"0x{seed + 0xABCDEF:040x}")
    if kind == "string":
        return "ü" * seed
    if kind == "bool":
        return bool(seed % 2)
    if kind == "bytes":
        return "0x" + "5a" * (seed + 30)
    if fixed := re.fullmatch(r"bytes(\d+)", kind):
        return f"0x{seed:0{2 * int(fixed[1])}x}"
    return seed


@pytest.mark.parametrize(("contract", "entry"), CASES, ids=[entry["name"] for _, entry in CASES])
def test_coding_is_that_of_web3(contract: str, entry: Any) -> None:
    ours = Interface(CONTRACTS[contract])
    theirs = Web3().eth.contract(abi=CONTRACTS[contract])
    args = [example(part, number + 1) for number, part in enumerate(entry["inputs"])]
    calldata = ours.encode(entry["name"], args)
    assert calldata == theirs.encode_abi(entry["name"], args=args)
    mirror = Interface([{**entry, "outputs": entry["inputs"]}])
    if args:
        decoded = theirs.decode_function_input(calldata)[1]
        back = mirror.decode(entry["name"], "0x" + calldata[10:])
        values = back if len(args) > 1 else (back,)
        assert len(decoded) == len(values)
        assert mirror.encode(entry["name"], values) == calldata


def test_no_function_is_overloaded() -> None:
    for found in CONTRACTS.values():
        names = [entry["name"] for entry in found if entry["type"] == "function"]
        assert len(names) == len(set(names))
