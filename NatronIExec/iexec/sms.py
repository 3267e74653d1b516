"""Secrets that only an enclave gets. Formulas: iexec-sms AuthorizationService.java, sdk src/common/sms/smsUtils.js."""

from __future__ import annotations

from eth_utils.crypto import keccak

from NatronIExec.errors import Conflict
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport

_DOMAIN = keccak(text="IEXEC_SMS_DOMAIN")


class Sms:
    """The secret management service of a network, which hands a requester's secrets to enclaves and to nobody else.

    A secret is a text of at most 4096 bytes under a name that its owner chooses; it can be written once, and neither be
    read, changed nor deleted afterwards. Methods raise Unreachable or ServiceError when the service does not answer.
    """

    def __init__(self, network: Network, transport: Transport) -> None:
        self._base = network.sms
        self._transport = transport

    def has_requester_secret(self, requester: str, name: str) -> bool:
        """Whether the account `requester` (0x address) has a secret called `name`."""
        url = f"{self._base}/requesters/{requester}/secrets/{name}"
        return self._transport.request("HEAD", url, accept=(404,)).status_code == 204

    def push_requester_secret(self, name: str, value: str, signer: Signer) -> None:
        """Store `value` as the secret `name` of the signer's account. Not retried. Raises Conflict if the name
        is taken."""
        challenge = requester_challenge(signer.address, name, value)
        response = self._transport.request(
            "POST",
            f"{self._base}/requesters/{signer.address}/secrets/{name}",
            headers={"Authorization": signer.sign_message(challenge), "Content-Type": "text/plain"},
            content=value.encode(),
            retry=False,
            accept=(409,),
        )
        if response.status_code == 409:
            raise Conflict(f"A secret named {name} exists already.", "Use a new name.")

    def push_web2_secret(self, name: str, value: str, owner: Signer) -> None:
        """What post-compute needs of an account, such as the key that results are encrypted with. Raises Conflict when
        the account has one of that name."""
        response = self._transport.request(
            "POST",
            f"{self._base}/secrets/web2",
            params={"ownerAddress": owner.address, "secretName": name},
            headers={
                "Authorization": owner.sign_message(requester_challenge(owner.address, name, value)),
                "Content-Type": "text/plain",
            },
            content=value.encode(),
            retry=False,
            accept=(409,),
        )
        if response.status_code == 409:
            raise Conflict(f"This account has a {name} already.", "Use another account.")


def requester_challenge(address: str, name: str, value: str) -> bytes:
    """32 bytes to be signed by the requester (EIP-191)."""
    return keccak(_DOMAIN + bytes.fromhex(address[2:]) + keccak(text=name) + keccak(text=value))
