"""Builds the farm for the engine. Every object is made here and passed on as an argument; there are no singletons.
Importing this module takes half a second, so the engine does it in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from NatronIExec import paths, settings
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.events import Announcer
from NatronIExec.engine.job_verbs import JobVerbs
from NatronIExec.engine.money import Money
from NatronIExec.engine.publish_verbs import PublishVerbs
from NatronIExec.engine.request import Request
from NatronIExec.errors import WalletError
from NatronIExec.farm.job_view import JobView
from NatronIExec.farm.jobs import Jobs
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.pack.file_hashes import Hashes
from NatronIExec.farm.run.buyer import Buyer
from NatronIExec.farm.run.collector import Collector
from NatronIExec.farm.run.completion import Completion
from NatronIExec.farm.run.image_decoder import Decoder
from NatronIExec.farm.run.pipeline import Pipeline
from NatronIExec.farm.run.submitter import Submitter
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.run.work_queue import make_queues
from NatronIExec.farm.run.worker_reports import WorkerReports
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.signer import new_account


class FarmSide:
    """All of it, in the state folder of `paths.home()`. `unlock` is called with the password of a request; `on_step` is
    the spool's (tests end the process there)."""

    def __init__(
        self,
        wallet: Session,
        events: Announcer,
        unlock: Callable[[str], None],
        stopping: Callable[[], bool],
        on_step: Callable[[str, str], None],
    ) -> None:
        self._wallet = wallet
        self.transport = Transport()
        self.services = Services(paths.networks_file(), settings.load, self.transport)
        self.spool = spool = Spool(paths.spool(), on_step)
        self.money = Money(self.services)
        ledger = Ledger(spool, settings.load)
        buyer = Buyer(spool, self.services, self._sign, ledger, events, stopping)
        submitter = Submitter(
            spool, self.services, Hashes(), self._sign, buyer, events, stopping, new_account=new_account
        )
        watcher = Watcher(spool, self.services, self._sign, stopping)
        self._decoder = decoder = Decoder()
        collector = Collector(spool, self.services, decoder, stopping)
        self.queues = queues = make_queues()
        self.completion = completion = Completion(spool, self.services, watcher, ledger, events, settings.load, queues)
        self.reports = reports = WorkerReports(spool, self.services, self._sign)
        self.pipeline = Pipeline(
            spool, submitter, buyer, watcher, collector, completion, reports, events, settings.load, queues
        )
        account = lambda: wallet.current  # noqa: E731
        self.jobs = Jobs(spool, self.services, self.pipeline, watcher, ledger, events, account, self._sign)
        self.view = JobView(spool, self.services, self.pipeline.heard_s, watcher, collector, decoder, self._sign)
        jobs = JobVerbs(self.jobs, self.view, ledger, self.services, wallet, unlock)
        self.verbs: dict[str, Callable[[Request, Arguments], Any]] = {
            **jobs.table(),
            **PublishVerbs(self.services, wallet).table(),
        }

    def start(self) -> None:
        """Go on with open jobs."""
        self.queues.rest.start(self.jobs.render_rest)
        self.pipeline.start()

    def stop(self) -> None:
        """Jobs go on at the next start."""
        self.queues.stop()
        self._decoder.stop()

    def _sign(self, address: str) -> Signer:
        """The signer of the account that pays a job. Raises WalletLocked, or WalletError if the wallet now uses another
        account."""
        signer = self._wallet.signer()
        if signer.address != address:
            raise WalletError(
                f"This job is paid by {address}, the wallet uses {signer.address}.",
                "Choose that account in the wallet, or cancel the job.",
            )
        return signer
