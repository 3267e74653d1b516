"""The engine, put together: everything is built here and passed by argument, so that there are no singletons below."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from NatronIExec import log, paths, settings
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.events import Announcer
from NatronIExec.engine.job_verbs import JobVerbs
from NatronIExec.engine.server import Request, Server
from NatronIExec.engine.system_verbs import SystemVerbs
from NatronIExec.engine.wallet_verbs import WalletVerbs
from NatronIExec.errors import BadInput, WalletError
from NatronIExec.farm.collector import Collector
from NatronIExec.farm.hashes import Hashes
from NatronIExec.farm.jobs import Jobs
from NatronIExec.farm.ledger import Ledger
from NatronIExec.farm.pipeline import Pipeline
from NatronIExec.farm.services import Services
from NatronIExec.farm.spool import Spool
from NatronIExec.farm.submitter import Submitter
from NatronIExec.farm.watcher import Watcher
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport
from NatronIExec.log import Redactor
from NatronIExec.wallet.external import Rpc
from NatronIExec.wallet.keystore import SCRYPT_N, Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.vault import Vault

#: How often the engine looks whether it is idle and the wallet should lock.
TICK_S = 1.0
_CHOICE = "account.json"


class Engine:
    """All of it, in the state folder of `paths.home()`. `on_step` is the spool's (tests end the process there)."""

    def __init__(
        self,
        redactor: Redactor | None = None,
        on_step: Callable[[str, str], None] = lambda job, step: None,
        vault: Vault | None = None,
        scrypt_n: int = SCRYPT_N,
    ) -> None:
        self._redactor = redactor or Redactor()
        self._stopped = threading.Event()
        self._log = log.get_logger("engine")
        self.server = Server(self._handle)
        self.announcer = Announcer(self.server.broadcast)
        self.transport = Transport()
        self.services = Services(paths.networks_file(), settings.load, self.transport)
        self.wallet = Session(
            Keystore(paths.keystore(), scrypt_n),
            vault or Vault(),
            lambda: settings.load().lock_after_s,
            self._dial,
            _chosen_account(),
            _remember_account,
        )
        self.spool = Spool(paths.spool(), on_step)
        self.jobs, self.pipeline, ledger = self._farm()
        self._wallet_verbs = WalletVerbs(
            self.wallet,
            self.services,
            self._redactor,
            lambda: settings.load().network,
            self.announcer.wallet_changed,
            self.jobs.unlocked,
        )
        job_verbs = JobVerbs(self.jobs, ledger, self.services, self.wallet, self._wallet_verbs.unlock_with)
        system = SystemVerbs(self.server, self.jobs, self.services, self._wallet_verbs.current_state, self.stop_soon)
        self._verbs = {**job_verbs.table(), **self._wallet_verbs.table(), **system.table()}
        self.announcer.row = self.jobs.row

    def _farm(self) -> tuple[Jobs, Pipeline, Ledger]:
        spool, services, events = self.spool, self.services, self.announcer
        stopping = self._stopped.is_set
        ledger = Ledger(spool, settings.load)
        submitter = Submitter(spool, services, Hashes(), self._sign, ledger, events, stopping)
        watcher = Watcher(spool, services, self._sign)
        collector = Collector(spool, services, stopping)
        pipeline = Pipeline(spool, services, submitter, watcher, collector, ledger, events, settings.load)
        account = lambda: self.wallet.current  # noqa: E731
        jobs = Jobs(spool, services, pipeline, watcher, collector, ledger, events, account, self._sign)
        return jobs, pipeline, ledger

    def start(self) -> None:
        """Listen, make the address known, and go on with open jobs."""
        self.announcer.start()
        self.server.start()
        self.server.address.write(paths.engine_address_file())
        self.pipeline.start()
        self._log.info("engine started")

    def run(self) -> None:
        """Until `stop_soon`, or nobody needs it for the idle time of the settings."""
        while not self._stopped.wait(TICK_S):
            self._wallet_verbs.tick()
            idle_s = time.monotonic() - self.server.idle_since_s
            if not self.server.clients and not self.jobs.active() and idle_s > settings.load().idle_exit_s:
                self._log.info("engine ends: nothing to do")
                break
        self.stop()

    def stop_soon(self) -> None:
        self._stopped.set()

    def stop(self) -> None:
        """Jobs go on at the next start."""
        self._stopped.set()
        paths.engine_address_file().unlink(missing_ok=True)
        self.pipeline.stop()
        self.announcer.stop()
        self.server.stop()
        self.spool.close()
        self._log.info("engine stopped")

    def _handle(self, request: Request) -> Any:
        verb = self._verbs.get(request.verb)
        if verb is None:
            raise BadInput(f"The engine knows no verb {request.verb}.", "Update it, or the program that asked.")
        return verb(request, Arguments(request.verb, request.args))

    def _sign(self, address: str) -> Signer:
        """The signer of a job's account. Raises WalletLocked, or WalletError when another account is chosen now."""
        signer = self.wallet.signer()
        if signer.address != address:
            raise WalletError(
                f"This job is paid by {address}, the wallet uses {signer.address}.",
                "Choose that account in the wallet, or cancel the job.",
            )
        return signer

    def _dial(self, url: str) -> Rpc:
        return lambda method, params: self.transport.rpc(url, method, params, retry=False)


def _chosen_account() -> str | None:
    try:
        return str(json.loads((paths.home() / _CHOICE).read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember_account(address: str) -> None:
    paths.private_folder(paths.home())
    paths.write_atomic(paths.home() / _CHOICE, json.dumps({"address": address}).encode())
