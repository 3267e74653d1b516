"""Accounts whose key is elsewhere: a signer like Clef that answers JSON-RPC and asks its owner for each signature."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from eth_utils.address import to_checksum_address

from NatronIExec.errors import ServiceError, Unreachable, WalletError

#: (method, params) → result; raises our errors.
Rpc = Callable[[str, Sequence[Any]], Any]


class ExternalSigner:
    """Implements `iexec.signer.Signer` with Clef's external API (account_*)."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address

    @property
    def address(self) -> str:
        return self._address

    def sign_typed_data(
        self, domain: Mapping[str, Any], types: Mapping[str, Any], primary_type: str, message: Mapping[str, Any]
    ) -> str:
        kinds = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
        full = {
            "types": {"EIP712Domain": [{"name": n, "type": t} for n, t in kinds.items() if n in domain], **types},
            "primaryType": primary_type,
            "domain": _jsonable(domain),
            "message": _jsonable(message),
        }
        return str(self._ask("account_signTypedData", [self._address, full]))

    def sign_message(self, message: bytes) -> str:
        return str(self._ask("account_signData", ["text/plain", self._address, "0x" + message.hex()]))

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        numbers = {k: hex(v) if isinstance(v, int) else v for k, v in transaction.items() if k != "type"}
        answer = self._ask("account_signTransaction", [{"from": self._address, **numbers}])
        raw = answer.get("raw") if isinstance(answer, dict) else None
        if not isinstance(raw, str) or not raw.startswith("0x"):
            raise WalletError("The external signer did not sign.", "Approve the request there and try again.")
        return bytes.fromhex(raw[2:])

    def _ask(self, method: str, params: Sequence[Any]) -> Any:
        """Raises Unreachable if the signer does not run (worth a retry), WalletError if its owner refused or did not
        answer in time (not retried)."""
        try:
            return self._rpc(method, params)
        except ServiceError as problem:
            raise WalletError(
                f"The external signer did not sign: {problem.title}", "Approve the request there and try again."
            ) from problem
        except Unreachable as problem:
            if problem.details.get("problem") != "ReadTimeout":
                raise
            raise WalletError(
                "Nobody answered the external signer in time.", "Approve the request there and try again."
            ) from problem


def external_accounts(rpc: Rpc) -> list[str]:
    """The addresses that the signer behind `rpc` offers. Raises WalletError if it is not a signer."""
    answer = rpc("account_list", [])
    if not isinstance(answer, list):
        raise WalletError("There is no external signer at this address.", "Give the address of Clef's HTTP endpoint.")
    return [to_checksum_address(address) for address in answer]


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _jsonable(inner) for key, inner in value.items()}
    return value
