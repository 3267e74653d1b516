"""Who asks: the header `hash_signature_address` over an EIP-712 challenge, as market and scheduler want it."""

from __future__ import annotations

import os
import threading
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
]


class Challenges:
    """`domain` and `words` name the service; `once` takes each challenge for one request only (the market's way)."""

    def __init__(self, domain: str, words: str, once: bool) -> None:
        self._domain = domain
        self._words = words
        self._once = once
        self._given: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def give(self, address: str, chain_id: int) -> dict[str, Any]:
        """The pending one of `address`, if there is one."""
        with self._lock:
            return self._given.setdefault(address.lower(), self._new(chain_id))

    def who(self, header: str) -> str | None:
        """The address that answered its challenge with `header`, else None."""
        parts = header.split("_")
        if len(parts) != 3:
            return None
        with self._lock:
            challenge = self._given.get(parts[2].lower())
            if self._once:
                self._given.pop(parts[2].lower(), None)
        if challenge is None:
            return None
        signable = encode_typed_data(full_message=challenge)
        digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
        try:
            signer = Account.recover_message(signable, signature=parts[1])
        except Exception:  # eth-account raises many kinds for what is no signature
            return None
        return signer if parts[0] == "0x" + digest.hex() and signer.lower() == parts[2].lower() else None

    def _new(self, chain_id: int) -> dict[str, Any]:
        return {
            "types": {"EIP712Domain": _DOMAIN, "Challenge": [{"name": "challenge", "type": "string"}]},
            "primaryType": "Challenge",
            "domain": {"name": self._domain, "version": "1", "chainId": chain_id},
            "message": {"challenge": self._words + os.urandom(16).hex()},
        }
