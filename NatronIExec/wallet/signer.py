"""An account whose key is in this process. No other class holds a private key."""

from __future__ import annotations

import os
from typing import Any, Mapping

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount


class KeySigner:
    """Implements `iexec.signer.Signer`. Its repr names the address, never the key."""

    def __init__(self, key: bytes) -> None:
        self._account: LocalAccount = Account.from_key(key)

    def __repr__(self) -> str:
        return f"KeySigner({self.address})"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled")

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign_typed_data(
        self, domain: Mapping[str, Any], types: Mapping[str, Any], primary_type: str, message: Mapping[str, Any]
    ) -> str:
        # eth-account finds the primary type itself: it is the one that no other type refers to
        signed = self._account.sign_typed_data(dict(domain), dict(types), dict(message))
        return "0x" + signed.signature.hex().removeprefix("0x")

    def sign_message(self, message: bytes) -> str:
        return "0x" + self._account.sign_message(encode_defunct(message)).signature.hex().removeprefix("0x")

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        return bytes(self._account.sign_transaction(dict(transaction)).raw_transaction)

    def unsafe_key(self) -> bytes:
        """The key itself, for writing an encrypted keystore file."""
        return bytes(self._account.key)


def new_account() -> KeySigner:
    """One that nobody knows and nothing is kept of: for a signature that no account of a person should give."""
    return KeySigner(os.urandom(32))
