"""The services of a network: chain, market, secrets, storage. They are built once and rebuilt when the endpoints change
(the local network's ports may)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from NatronIExec.errors import BadInput
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import Network, load_networks
from NatronIExec.iexec.records import Category
from NatronIExec.iexec.sms import Sms
from NatronIExec.iexec.transport import Transport
from NatronIExec.settings import Settings
from NatronIExec.storage.base import Storage
from NatronIExec.storage.ipfs import IpfsStorage


@dataclass
class NetworkServices:
    network: Network
    transport: Transport
    hub: Hub
    market: Market
    sms: Sms
    storage: Storage
    send_lock: threading.Lock = field(repr=False)
    _checked: bool = False
    _categories: dict[int, Category] = field(default_factory=dict)

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """A lock from asking for a nonce until the transaction is sent, so that two jobs never use the same nonce."""
        with self.send_lock:
            yield

    def check(self) -> None:
        """Raises WrongChain if the endpoint serves another chain. Asked once per network."""
        if not self._checked:
            self._categories.update({category.id: category for category in self.hub.check()})
            self._checked = True

    def category(self, number: int) -> Category:
        """A category by its number. Cached, since categories never change on chain."""
        if number not in self._categories:
            self._categories[number] = self.hub.category(number)
        return self._categories[number]

    def categories(self) -> dict[int, Category]:
        if not self._categories:
            self._categories.update({category.id: category for category in self.hub.categories()})
        return self._categories


class Services:
    """`of` gives a network's services. `settings` is asked each time, since a person may change it meanwhile."""

    def __init__(self, networks_file: Path, settings: Callable[[], Settings], transport: Transport) -> None:
        self._file = networks_file
        self._settings = settings
        self.transport = transport
        self._known: dict[str, tuple[object, NetworkServices]] = {}
        self._sending: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def networks(self) -> dict[str, Network]:
        """All known networks by name, with the endpoints of the settings."""
        changed = self._settings().endpoints
        return {
            name: network.with_endpoints(**changed.get(name, {})) for name, network in load_networks(self._file).items()
        }

    def of(self, name: str) -> NetworkServices:
        """Raises BadInput for an unknown name."""
        networks = self.networks()
        if name not in networks:
            raise BadInput(f"There is no network {name}.", "Known are: " + ", ".join(sorted(networks)) + ".")
        settings = self._settings()
        key = (networks[name], settings.storage, str(settings.s3), settings.storage_folder)
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] != key:
                known = self._known[name] = (key, self._build(networks[name], settings))
            return known[1]

    def _build(self, network: Network, settings: Settings) -> NetworkServices:
        transport = self.transport
        return NetworkServices(
            network=network,
            transport=transport,
            hub=Hub(network, transport),
            market=Market(network, transport),
            sms=Sms(network, transport),
            storage=self._storage(network, settings),
            # nonces belong to the chain, whichever endpoint leads to it
            send_lock=self._sending.setdefault(network.chain_id, threading.Lock()),
        )

    def _storage(self, network: Network, settings: Settings) -> Storage:
        if settings.storage == "s3":
            from NatronIExec.storage.s3 import S3Storage

            return S3Storage(settings.s3)
        if settings.storage == "folder":
            return self._folder(network, settings)
        return IpfsStorage(network.ipfs, network.gateway, self.transport, network.more_gateways)

    def _folder(self, network: Network, settings: Settings) -> Storage:
        from NatronIExec.storage.folder import FolderStorage

        if not network.is_local:
            raise BadInput(
                f"The workers of {network.title} cannot read a folder of yours.",
                "Set storage to ipfs or s3, or choose the local network.",
            )
        return FolderStorage(settings.storage_folder or "")
