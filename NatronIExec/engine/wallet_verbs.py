"""The verbs about accounts and money. They receive passwords and keys: the engine hides these from the log while a verb
runs, and no object keeps them afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.request import Request
from NatronIExec.errors import BadInput, NatronIExecError
from NatronIExec.iexec.signer import Signer
from NatronIExec.wallet.session import Session

if TYPE_CHECKING:
    from NatronIExec.engine.farm_side import FarmSide

Verb = Callable[[Request, Arguments], Any]


class WalletVerbs:
    """`changed` is called with each new state. `farm` waits until the farm is loaded, so it is called after the slow
    steps."""

    def __init__(
        self,
        wallet: Session,
        farm: Callable[[], FarmSide],
        default_network: Callable[[], str],
        changed: Callable[[dict[str, Any]], None],
    ) -> None:
        self._wallet = wallet
        self._farm = farm
        self._default_network = default_network
        self._changed = changed
        self._was_unlocked = False
        self._lock = threading.Lock()

    def table(self) -> dict[str, Verb]:
        return {
            "wallet.state": self.state,
            "wallet.create": self.create,
            "wallet.import": self.import_,
            "wallet.export": self.export,
            "wallet.change_password": self.change_password,
            "wallet.remove": self.remove,
            "wallet.use": self.use,
            "wallet.unlock": self.unlock,
            "wallet.lock": self.lock,
            "wallet.deposit": self.deposit,
            "wallet.withdraw": self.withdraw,
            "wallet.external": self.external,
        }

    def current_state(self, network: str | None = None, balance: bool = True) -> dict[str, Any]:
        """The WalletState. When the network does not answer, its balance is null and its error says why."""
        name = network or self._default_network()
        state = {**self._wallet.state(), "network": name, "balance": None, "error": None}
        if state["current"] and balance:
            try:
                state["balance"] = self._farm().money.balance(name, state["current"])
            except NatronIExecError as problem:
                state["error"] = problem.to_wire()
        return state

    def unlock_with(self, password: str) -> None:
        """Unlock with the password that came with a request. Raises WrongPassword."""
        self._wallet.unlock(password)
        self._tell()
        self._farm().jobs.unlocked()

    def tick(self) -> None:
        """Announce the idle lock when it happens."""
        unlocked = self._wallet.unlocked
        if self._was_unlocked and not unlocked:
            self._tell()
        self._was_unlocked = unlocked

    def state(self, request: Request, args: Arguments) -> Any:
        return self.current_state(args.maybe("network", str))

    def create(self, request: Request, args: Arguments) -> Any:
        name, password = args.maybe("name", str) or "", args.take("password", str)
        return self._made(self._wallet.keystore.create(name, password).address)

    def import_(self, request: Request, args: Arguments) -> Any:
        name, password = args.maybe("name", str) or "", args.take("password", str)
        key, mnemonic = args.maybe("key", str), args.maybe("mnemonic", str)
        file, file_password = args.maybe("file", str), args.maybe("file_password", str)
        args.done()
        store = self._wallet.keystore
        if sum(given is not None for given in (key, mnemonic, file)) != 1:
            raise BadInput("Say where the account comes from.", "Give exactly one of a key, a mnemonic, a file.")
        if key is not None:
            account = store.import_key(name, key, password)
        elif mnemonic is not None:
            account = store.import_mnemonic(name, mnemonic, password)
        else:
            assert file is not None
            account = store.import_file(name, Path(file), file_password or "", password)
        return self._made(account.address)

    def export(self, request: Request, args: Arguments) -> Any:
        address, password = args.take("address", str), args.take("password", str)
        return {"path": str(self._wallet.keystore.export(address, password, Path(args.take("to", str))))}

    def change_password(self, request: Request, args: Arguments) -> Any:
        address, old = args.take("address", str), args.take("password", str)
        self._wallet.keystore.change_password(address, old, args.take("new_password", str))
        self._wallet.forget(address)
        self._tell()
        return {}

    def remove(self, request: Request, args: Arguments) -> Any:
        address, password = args.take("address", str), args.take("password", str)
        backup = self._wallet.keystore.remove(address, password)
        self._wallet.forget(address)
        self._tell()
        return {"backup": str(backup)}

    def use(self, request: Request, args: Arguments) -> Any:
        self._wallet.use(args.take("address", str))
        return self._tell()

    def unlock(self, request: Request, args: Arguments) -> Any:
        password = args.take("password", str)
        self._wallet.unlock(password, args.maybe("address", str), args.flag("remember"))
        self._farm().jobs.unlocked()
        return self._tell()

    def lock(self, request: Request, args: Arguments) -> Any:
        self._wallet.lock()
        return self._tell()

    def external(self, request: Request, args: Arguments) -> Any:
        self._wallet.external(args.maybe("url", str) or "", args.maybe("address", str))
        self._farm().jobs.unlocked()
        return self._tell()

    def deposit(self, request: Request, args: Arguments) -> Any:
        return self._moved(self._farm().money.deposit(*self._mover(args)))

    def withdraw(self, request: Request, args: Arguments) -> Any:
        return self._moved(self._farm().money.withdraw(*self._mover(args)))

    def _moved(self, answer: dict[str, Any]) -> dict[str, Any]:
        self._tell()
        return answer

    def _mover(self, args: Arguments) -> tuple[Signer, str, int]:
        password, amount, network = (
            args.maybe("password", str),
            args.take("amount_nrlc", int),
            args.take("network", str),
        )
        args.done()
        return self._wallet.signer(password), network, amount

    def _made(self, address: str) -> Any:
        self._tell()
        accounts = self._wallet.state()["accounts"]
        return {"account": next(account for account in accounts if account["address"] == address)}

    def _tell(self) -> dict[str, Any]:
        with self._lock:
            state = self.current_state()
            self._was_unlocked = bool(state["unlocked"])
        self._changed(state)
        return state
