"""A whole local iExec inside this process: the chain, the services, and the workers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from NatronIExec.devnet import drills, stall
from NatronIExec.devnet.chain import LocalChain
from NatronIExec.devnet.content import ContentService
from NatronIExec.devnet.contracts import TestAccount
from NatronIExec.devnet.hub_release import RELEASES, use_release
from NatronIExec.devnet.install import install
from NatronIExec.devnet.market_history import MarketHistory
from NatronIExec.devnet.market_service import MarketService
from NatronIExec.devnet.processes import kept_port
from NatronIExec.devnet.sandbox import Faults
from NatronIExec.devnet.side_services import SchedulerService, SecretService
from NatronIExec.devnet.web import WebServer
from NatronIExec.devnet.workerpool import Workerpool
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.network import MEMORY_LIMIT_BYTES, RESULT_LIMIT_BYTES, Network
from NatronIExec.iexec.orders import AnyOrder, sign_order
from NatronIExec.wallet.signer import KeySigner


@dataclass(frozen=True)
class Snapshot:
    """A state to go back to, once: anvil's number of it, and the market's book as it was."""

    number: str
    book: dict[str, Any]


#: Requests a minute and an address, as the real market answers (config.js); tests of one process ask more often.
MARKET_A_MINUTE = 100


class LocalIexec:
    """`start` brings everything up; `network` describes it. Used in-process by tests and by the daemon.

    `modules` is a node_modules with anvil and the contracts, installed when None. `faults` may change while it runs.
    `release` is the hub's (`hub_release`). `lasting`: its chain goes on by itself and survives a power cut.
    """

    def __init__(
        self,
        folder: Path,
        modules: Path | None = None,
        workers: int = 3,
        faults: Faults | None = None,
        release: str = RELEASES[0],
        lasting: bool = False,
    ) -> None:
        self._folder = folder
        self.faults = faults or Faults(folder=folder)
        self._workers = workers
        self._release = release
        self._lasting = lasting
        self._modules = modules or install("chain")
        self._chain = LocalChain(folder, self._modules, max(workers, 1), lasting)
        self.content = ContentService(folder / "content")
        self.network: Network
        self.hub: Hub
        self.web: WebServer
        self._market: MarketService
        self._secrets: SecretService
        self._scheduler: SchedulerService
        self._pool: Workerpool | None = None

    @property
    def people(self) -> dict[str, TestAccount]:
        return self._chain.people

    @property
    def chain(self) -> LocalChain:
        return self._chain

    def start(self) -> None:
        self._chain.start()
        deployed = self._chain.deployed
        use_release(self._chain.chain, self._modules, deployed.hub, self.people["admin"].address, self._release)
        self._secrets = SecretService(self._folder / "secrets.json")
        base = Network(
            name="local",
            title="Local network (worthless money)",
            chain_id=31337,
            hub=deployed.hub,
            rlc=deployed.rlc,
            rpc=self._chain.url,
            workerpool=deployed.workerpool,
            app=deployed.app,
            app_single=deployed.app_single,
            test=True,
            faucet="natron-iexec wallet import --devnet",
            result_limit_bytes=RESULT_LIMIT_BYTES,
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
        )
        self.hub = Hub(base, self._chain.transport)
        self._market = MarketService(self.hub, self._folder / "market.json")
        if self._lasting:
            self._market.a_minute = MARKET_A_MINUTE
        self._scheduler = SchedulerService(base.chain_id, base.workerpool)
        self.web = WebServer(
            [self.content, self._market, MarketHistory(self.hub), self._secrets, self._scheduler],
            kept_port(self._folder / "services.port"),
            lambda: drills.of_services(self._folder),
        )
        self._scheduler.url = self.web.url
        kinds = ("market", "sms", "ipfs", "gateway", "compass")
        self.network = Network(**{**vars(base), **{kind: self.web.url for kind in kinds}})
        self.hub.network = self.network
        self.web.start()
        self._publish_orders()
        self._start_workers()

    def stop(self, keep_state: bool = True) -> None:
        self._stop_workers()
        self.web.stop()
        self._chain.stop(keep_state)

    def snapshot(self) -> Snapshot:
        """The chain and the market's book as they are, for `revert`. Contents and secrets are added to and stay."""
        return Snapshot(str(self._chain.chain.rpc("evm_snapshot")), self._market.book())

    def revert(self, snapshot: Snapshot) -> None:
        """Go back to `snapshot`, which can be done once. Tasks that workers had begun are dropped; the chain's clock
        shows the time again, also after a drill that moved it."""
        self._stop_workers()
        self._chain.chain.rpc("evm_revert", snapshot.number)
        self._chain.chain.rpc("evm_setTime", int(time.time()))
        self._market.put_back(snapshot.book)
        self._start_workers()

    def __enter__(self) -> LocalIexec:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(keep_state=False)

    def signer(self, role: str) -> KeySigner:
        return KeySigner(bytes.fromhex(self.people[role].key[2:]))

    def _start_workers(self) -> None:
        if self._workers:
            self._pool = Workerpool(
                self._chain,
                self.hub,
                self.content,
                self._secrets,
                self._scheduler,
                self._folder / "work",
                self._workers,
                self.faults,
            )
            self._pool.start()

    def _stop_workers(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool = None

    def publish(self, kind: str, order: AnyOrder, role: str) -> str:
        """Sign an order as `role` and put it on the market; returns its hash."""
        return self._market.publish(kind, sign_order(order, self.hub.domain, self.signer(role)))

    def _publish_orders(self) -> None:
        """Once for a chain."""
        if not (self._folder / "market.json").exists():
            stall.make_groups(self._chain.chain)
            stall.sell(self.network, self._chain.deployed.strangers_pool, self.publish)
