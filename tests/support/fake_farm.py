"""What the farm's modules are built from, small: a spool on disk, the fake chain, a storage in memory, ears."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import farm_records as made
from fake_chain import NETWORK, REQUESTER, FakeNode

from NatronIExec.errors import WalletLocked
from NatronIExec.farm.order.network_services import NetworkServices, Services
from NatronIExec.farm.order.plan import unsigned_request
from NatronIExec.farm.run.buyer import Buyer
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.store.job import Job, JobFrame, Quote
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.orders import hash_order, new_salt, sign_order
from NatronIExec.iexec.signer import Signer
from NatronIExec.settings import Settings


class Ears:
    """Hears what the farm tells."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str]] = []
        self.jobs: list[str] = []

    def job_changed(self, job: str) -> None:
        self.jobs.append(job)

    def job_removed(self, job: str) -> None:
        self.jobs.append(f"-{job}")

    def frames_changed(self, job: str, frames: Sequence[JobFrame]) -> None:
        self.jobs.append(job)

    def notice(self, job: str | None, level: str, title: str, remedy: str) -> None:
        self.notices.append((level, title))


class MemoryStorage:
    """Forgets what it is asked to; `problem` is raised instead while there is one."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.problem: Exception | None = None

    def remove(self, cids: Sequence[str]) -> None:
        if self.problem:
            raise self.problem
        self.removed += cids

    def clear_drop(self, job: str) -> None:
        if self.problem:
            raise self.problem


class FakeServices(Services):
    def __init__(self, node: FakeNode) -> None:
        self.storage = MemoryStorage()
        self.net = NetworkServices(
            network=NETWORK,
            transport=node,
            hub=node.hub,
            market=node.market,
            sms=None,  # type: ignore[arg-type]
            storage=self.storage,  # type: ignore[arg-type]
            send_lock=threading.Lock(),
        )

    def of(self, name: str) -> NetworkServices:
        assert name == NETWORK.name
        return self.net


class SmallFarm:
    """No thread runs: a test calls what a thread would."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.node = FakeNode()
        self.settings = Settings(network="local", **settings)
        self.services = FakeServices(self.node)
        self.spool = Spool(folder / "spool", clock=self.clock)
        self.ears = Ears()
        self.ledger = Ledger(self.spool, lambda: self.settings, self.clock)
        self.locked = self.stopping = False
        self.buyer = self.new_buyer()
        self.watcher = Watcher(self.spool, self.services, self.sign, lambda: self.stopping)

    def new_buyer(self, pause: Callable[[float], object] = lambda _: None) -> Buyer:
        """As after the engine was started again."""
        return Buyer(self.spool, self.services, self.sign, self.ledger, self.ears, lambda: self.stopping, pause)

    def clock(self) -> float:
        return float(self.node.world.now_s)

    def sign(self, address: str) -> Signer:
        if self.locked:
            raise WalletLocked("The wallet is locked.")
        assert address == REQUESTER.address
        return REQUESTER

    def quote(self, volume: int = 2, **changes: Any) -> Quote:
        """At the market's price now."""
        app, pool = self.node.market.app_orders("")[0], self.node.market.workerpool_orders()[0]
        found = made.quote(
            volume, account=REQUESTER.address, app=app.order, workerpool_orders=((pool.order_hash, pool.order),)
        )
        return replace(found, **changes)

    def ordered(self, job_id: str = "job-1", volume: int = 2, **changes: Any) -> Job:
        """A job in the spool whose request order is signed and not sent."""
        quote = changes.pop("quote", None) or self.quote(volume)
        request = sign_order(unsigned_request(quote, "{}", new_salt()), self.node.hub.domain, REQUESTER)
        job = made.job(
            job_id,
            volume,
            quote=quote,
            step="ordered",
            state="ordering",
            request=request,
            request_hash=hash_order(request, self.node.hub.domain),
            created_s=self.clock(),
        )
        tasks = made.tasks(volume)
        self.spool.add(replace(job, **changes), tasks, made.frames_of(tasks))
        return self.spool.job(job_id)

    def bought(self, job_id: str = "job-1", volume: int = 2, **changes: Any) -> Job:
        return self.buyer.buy(self.ordered(job_id, volume, **changes))
