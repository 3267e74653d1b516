"""The interface of an account that signs. Only `wallet` holds keys; all other code holds a Signer."""

from __future__ import annotations

from typing import Any, Mapping, Protocol


class Signer(Protocol):
    """An account that can sign. Implemented by `wallet.signer` (a key of ours) and `wallet.external` (Clef)."""

    @property
    def address(self) -> str:
        """Checksummed 0x address."""

    def sign_typed_data(
        self, domain: Mapping[str, Any], types: Mapping[str, Any], primary_type: str, message: Mapping[str, Any]
    ) -> str:
        """EIP-712 signature, 0x and 65 bytes. `types` without EIP712Domain."""

    def sign_message(self, message: bytes) -> str:
        """EIP-191 personal_sign of raw bytes, 0x and 65 bytes."""

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        """The signed raw transaction."""
