"""Transactions before and after they are sent: their highest cost, their signed form, their receipt. Asks no node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from eth_utils.crypto import keccak

from NatronIExec.errors import NotEnoughFunds
from NatronIExec.iexec.signer import Signer
from NatronIExec.wording import eth, eth_held

#: The gas limit is this much above the estimate, which can miss one or two storage slots that are written for the first
#: time.
GAS_HEADROOM = 1.25
#: No estimate is possible before the deposit is mined; matchOrders itself never needs more for params under 1 kB.
MATCH_GAS = 1_500_000


@dataclass(frozen=True)
class Transaction:
    """An unsigned transaction; `max_gas_wei` is the most that it can cost."""

    to: str
    data: str
    gas: int
    nonce: int
    max_fee_wei: int
    priority_fee_wei: int
    chain_id: int
    what: str

    @property
    def max_gas_wei(self) -> int:
        return self.gas * self.max_fee_wei

    def fields(self) -> dict[str, Any]:
        """As eth-account and Clef take it."""
        return {
            "type": 2,
            "chainId": self.chain_id,
            "to": self.to,
            "data": self.data,
            "value": 0,
            "gas": self.gas,
            "nonce": self.nonce,
            "maxFeePerGas": self.max_fee_wei,
            "maxPriorityFeePerGas": self.priority_fee_wei,
        }

    def signed_by(self, signer: Signer) -> SignedTransaction:
        raw = signer.sign_transaction(self.fields())
        return SignedTransaction("0x" + raw.hex(), "0x" + keccak(raw).hex())


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction as it is sent: `raw` bytes and `hash`, both 0x hex. Sending the bytes again does no harm."""

    raw: str
    hash: str


@dataclass(frozen=True)
class Receipt:
    """A mined transaction: whether it succeeded, in which block, the gas it used and what that cost in wei."""

    hash: str
    ok: bool
    block: int
    gas_used: int
    gas_wei: int
    logs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Fees:
    """EIP-1559 fees per unit of gas, in wei."""

    max_fee_wei: int
    priority_fee_wei: int


def fees_of(block: Mapping[str, Any], gas_price: str) -> Fees:
    """EIP-1559 fees: the maximum allows the base fee to double; the tip is the node's gas price minus the base fee."""
    base = int(block.get("baseFeePerGas") or "0x0", 16)
    tip = max(0, int(gas_price, 16) - base)
    return Fees(2 * base + tip, tip)


def receipt_of(found: Mapping[str, Any]) -> Receipt:
    used = int(found["gasUsed"], 16)
    return Receipt(
        hash=found["transactionHash"],
        ok=int(found["status"], 16) == 1,
        block=int(found["blockNumber"], 16),
        gas_used=used,
        gas_wei=used * int(found.get("effectiveGasPrice") or "0x0", 16),
        logs=tuple(found["logs"]),
    )


def require_gas(transactions: Iterable[Transaction], eth_wei: int) -> None:
    """Raises NotEnoughFunds when the wallet cannot pay the most that the transactions can cost."""
    need = sum(transaction.max_gas_wei for transaction in transactions)
    if need > eth_wei:
        raise lacking_gas(need, eth_wei)


def lacking_gas(need_wei: int, held_wei: int) -> NotEnoughFunds:
    return NotEnoughFunds(
        f"Gas can cost up to {eth(need_wei)}, the account has {eth_held(held_wei)}.", "Send some ETH to the account."
    )
