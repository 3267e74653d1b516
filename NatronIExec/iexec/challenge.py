"""Logging in to a market or a scheduler: it sends a challenge, and the account signs it.

A received challenge is never signed as it is: a dishonest service could send an order or a token permit as its
"challenge" and spend the account's money with the signature. So the challenge is built here, and the received one must
be equal to it.
"""

from __future__ import annotations

from typing import Any

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.signer import Signer

_TYPES = {"Challenge": [{"name": "challenge", "type": "string"}]}
_DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
]


def authorization(challenge: Any, service: str, chain_id: int, signer: Signer) -> str:
    """`hash_signature_address`, the header of both services, for the challenge that `service` (the name in its domain)
    sent. Raises ServiceError if it is not a login challenge (iexec-market-api controllers/auth.js, iexec-core
    EIP712ChallengeService.java)."""
    message = challenge.get("message") if isinstance(challenge, dict) else None
    text = message.get("challenge") if isinstance(message, dict) else None
    domain = {"name": service, "version": "1", "chainId": chain_id}
    content = {"challenge": text}
    types = {"EIP712Domain": _DOMAIN_TYPE, **_TYPES}
    ours = {"types": types, "primaryType": "Challenge", "domain": domain, "message": content}
    if not isinstance(text, str) or _comparable(challenge) != _comparable(ours):
        raise ServiceError(
            f"{service} asked for a signature that is not a login; nothing was signed.",
            "Check the endpoint in the settings: this service cannot be trusted.",
        )
    signature = signer.sign_typed_data(domain, _TYPES, "Challenge", content)
    signable = encode_typed_data(full_message=ours)
    digest = "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex()
    return f"{digest}_{signature}_{signer.address}"


def _comparable(challenge: Any) -> Any:
    """The challenge without its optional parts (the domain's type, empty domain fields) and with the chain id as
    text."""
    types, domain = challenge.get("types"), challenge.get("domain")
    if not isinstance(types, dict) or not isinstance(domain, dict):
        return None
    kinds = {name: fields for name, fields in types.items() if name != "EIP712Domain"}
    known = {name: str(value) for name, value in domain.items() if value is not None}
    return {**challenge, "types": kinds, "domain": known}
