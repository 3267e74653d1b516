"""The engine process: a server for clients, the wallet, and the farm that runs jobs.

The server starts before the farm's libraries are loaded. So a wallet can be unlocked (which takes half a second on
purpose) while they load. Requests that need the farm wait for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from NatronIExec import log, paths, settings
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.events import Announcer
from NatronIExec.engine.request import Request
from NatronIExec.engine.server import Server
from NatronIExec.engine.system_verbs import SystemVerbs
from NatronIExec.engine.wallet_verbs import WalletVerbs
from NatronIExec.errors import BadInput
from NatronIExec.redaction import Redactor
from NatronIExec.wallet.choice import ChoiceFile
from NatronIExec.wallet.external import Rpc
from NatronIExec.wallet.keystore import SCRYPT_N, Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.vault import Vault

if TYPE_CHECKING:
    from NatronIExec.engine.farm_side import FarmSide

#: How often the engine looks whether it is idle and the wallet should lock.
TICK_S = 1.0
#: Seconds that a person has to approve a request in an external signer.
SIGNER_S = 300.0
_CHOICE = "account.json"
#: Arguments that are never written to the log.
_TYPED = ("password", "new_password", "file_password", "key", "mnemonic")


class Engine:
    """All of it, in the state folder of `paths.home()`. `on_step` is the spool's (tests end the process there)."""

    def __init__(
        self,
        redactor: Redactor | None = None,
        on_step: Callable[[str, str], None] = lambda job, step: None,
        vault: Vault | None = None,
        scrypt_n: int = SCRYPT_N,
    ) -> None:
        self.redactor = redactor or Redactor()
        self._on_step = on_step
        self._stopped = threading.Event()
        self._log = log.get_logger("engine")
        self._farm: Future[FarmSide] = Future()
        self.server = Server(self._handle)
        self.announcer = Announcer(self.server.broadcast, self._row)
        self.wallet = Session(
            Keystore(paths.keystore(), scrypt_n),
            vault or Vault(),
            lambda: settings.load().lock_after_s,
            self._dial,
            ChoiceFile(paths.home() / _CHOICE),
        )
        self._wallet_verbs = WalletVerbs(
            self.wallet,
            self._farm.result,
            lambda: settings.load().network,
            self.announcer.wallet_changed,
        )
        system = SystemVerbs(self.server, self._farm.result, self._wallet_verbs.current_state, self.stop_soon)
        self._verbs = {**self._wallet_verbs.table(), **system.table()}

    @property
    def farm(self) -> FarmSide:
        """The farm; waits until it is loaded. Raises the error that loading ended with."""
        return self._farm.result()

    def start(self) -> None:
        """Listen, make the address known, load the farm, and go on with open jobs."""
        self.announcer.start()
        self.server.start()
        self.server.address.write(paths.engine_address_file())
        try:
            farm = self._load_farm()
            farm.start()
        except BaseException as problem:
            self._farm.set_exception(problem)
            self._log.exception("the engine cannot start")
            self._shut_door()
            raise
        self._farm.set_result(farm)
        self._log.info("engine started")

    def _load_farm(self) -> FarmSide:
        from NatronIExec.engine.farm_side import FarmSide

        return FarmSide(
            self.wallet, self.announcer, self._wallet_verbs.unlock_with, self._stopped.is_set, self._on_step
        )

    def _row(self, job: str) -> dict[str, Any]:
        """A job's JobRow. It is called when the farm reports a change, so the farm is loaded or about to be."""
        return self.farm.view.row(job)

    def run(self) -> None:
        """Runs until `stop_soon` is called, or until there was no client and no work for `idle_exit_s` seconds."""
        while not self._stopped.wait(TICK_S):
            self.tick()
            idle_s = time.monotonic() - self.server.idle_since_s
            wanted = self.server.clients or self.farm.view.active() or self.farm.queues.busy
            if not wanted and idle_s > settings.load().idle_exit_s:
                self._log.info("engine ends: nothing to do")
                break
        self.stop()

    def tick(self) -> None:
        """Locks the wallet after its idle time. The log's list of secrets to hide is dropped with the key."""
        self._wallet_verbs.tick()
        if not self.wallet.unlocked:
            self.redactor.forget()

    def stop_soon(self) -> None:
        self._stopped.set()

    def stop(self) -> None:
        """Stop everything. Open jobs continue at the next start."""
        self._stopped.set()
        paths.engine_address_file().unlink(missing_ok=True)
        self.farm.stop()
        self._shut_door()
        self.farm.spool.close()
        self._log.info("engine stopped")

    def _shut_door(self) -> None:
        paths.engine_address_file().unlink(missing_ok=True)
        self.announcer.stop()
        self.server.stop()

    def _handle(self, request: Request) -> Any:
        verb = self._verbs.get(request.verb) or self.farm.verbs.get(request.verb)
        if verb is None:
            raise BadInput(f"The engine knows no verb {request.verb}.", "Update it, or the program that asked.")
        typed = [request.args[name] for name in _TYPED if isinstance(request.args.get(name), str)]
        with self.redactor.hiding(*typed):
            return verb(request, Arguments(request.verb, request.args))

    def _dial(self, url: str) -> Rpc:
        """A connection to an external signer, whose owner has `SIGNER_S` seconds to answer. Without retries: each
        request opens a prompt."""
        from NatronIExec.iexec.transport import Transport

        transport = Transport(timeout_s=SIGNER_S, tries=1)
        return lambda method, params: transport.rpc(url, method, params, retry=False)
