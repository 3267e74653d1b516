"""Apps on chain: deploying one, and what is known of it.

An app's address follows from its owner and its details (PoCo Registry.sol, CREATE2), so deploying the same image twice
is seen before anything is sent, and a deployment that was cut off is simply done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from NatronIExec.errors import BadInput, Conflict, ServiceError
from NatronIExec.iexec import abi
from NatronIExec.iexec.decoding import address_of
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.interface import Interface
from NatronIExec.iexec.records import ZERO_ADDRESS
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transactions import Transaction, require_gas

#: The kind of app that workers run as a container (iexec-sdk: type DOCKER).
APP_TYPE = "DOCKER"


@dataclass(frozen=True)
class AppDetails:
    """What an app is on chain. `image` is `repository:tag`; `checksum` the digest of its manifest in the registry, 0x
    and 64 hex digits: workers pull exactly that. `mrenclave` is empty for TDX, where the whole machine is measured."""

    owner: str
    name: str
    image: str
    checksum: str
    mrenclave: bytes = b""

    def arguments(self) -> list[Any]:
        """Of createApp and predictApp."""
        checksum = bytes.fromhex(self.checksum.removeprefix("0x"))
        return [self.owner, self.name, APP_TYPE, self.image.encode(), checksum, self.mrenclave]


def checksum_of(digest: str) -> str:
    """A registry's `sha256:…` as an app's checksum. Raises BadInput."""
    hexadecimal = digest.removeprefix("sha256:")
    if len(hexadecimal) != 64 or set(hexadecimal) - set("0123456789abcdef"):
        raise BadInput(f"{digest} is no digest of an image.", "Give the sha256:… that the registry said.")
    return "0x" + hexadecimal


class AppRegistry:
    """The registry of one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._registry, self._app = Interface(abi.REGISTRY), Interface(abi.APP)
        self._address = ""

    @property
    def address(self) -> str:
        if not self._address:
            (answer,) = self._hub.batch([self._hub.view("appregistry")])
            self._address = address_of(answer)
        return self._address

    def predicted(self, details: AppDetails) -> str:
        """The address that `details` have or would get."""
        asked = self._hub.view("predictApp", *details.arguments(), to=self.address, contract=self._registry)
        return address_of(self._hub.batch([asked])[0])

    def is_registered(self, app: str) -> bool:
        asked = self._hub.view("isRegistered", app, to=self.address, contract=self._registry)
        return bool(self._registry.decode("isRegistered", self._hub.batch([asked])[0]))

    def details(self, app: str) -> AppDetails:
        """Raises BadInput for an address that is no app of this network."""
        if not self.is_registered(app):
            raise BadInput(
                f"{app} is no app on {self._hub.network.title}.", "Look at the address, or deploy the app first."
            )
        names = ("m_appName", "m_appMultiaddr", "m_appChecksum", "m_appMREnclave")
        calls = [self._hub.view(name, to=app, contract=self._app) for name in names]
        owner, *answers = self._hub.batch([self._hub.owner_call(app), *calls])
        name, image, checksum, mrenclave = (
            self._app.decode(field, answer) for field, answer in zip(names, answers, strict=True)
        )
        return AppDetails(address_of(owner), name, image.decode("utf-8", "replace"), "0x" + checksum.hex(), mrenclave)

    def build_create(self, details: AppDetails) -> Transaction:
        data = self._registry.encode("createApp", details.arguments())
        return self._hub.transaction(details.owner, self.address, data, "create app")

    def deploy(self, details: AppDetails, signer: Signer, give_up: Callable[[], bool] = lambda: False) -> str:
        """The app's address; nothing is sent when it is there already. Raises NotEnoughFunds without gas, Conflict when
        `signer` is not the owner, ServiceError when the chain does not take it in time."""
        if signer.address != details.owner:
            raise Conflict(f"The app would belong to {details.owner}.", "Unlock that account.")
        app = self.predicted(details)
        if self.is_registered(app):
            return app
        transaction = self.build_create(details)
        require_gas([transaction], self._hub.balances(signer.address).eth_wei)
        signed = transaction.signed_by(signer)
        self._hub.send(signed)
        if self._hub.wait(signed.hash, give_up) is None:
            raise ServiceError(
                "The chain has not taken the new app yet.",
                "Run the same command later: it looks whether the app is there before it sends anything.",
                transaction=signed.hash,
            )
        if app == ZERO_ADDRESS or not self.is_registered(app):
            raise ServiceError("The app is not where it should be.", "Check the hub's address in the network's file.")
        return app
