"""The verbs about accounts and money. Passwords and keys come in here and nowhere else, and are told to the log's
redaction before anything is done with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.server import Request
from NatronIExec.errors import BadInput, NatronIExecError, NotEnoughFunds
from NatronIExec.farm.plan import wire_balances
from NatronIExec.farm.services import NetworkServices, Services
from NatronIExec.iexec.hub import require_gas
from NatronIExec.log import Redactor
from NatronIExec.wallet.session import Session

Verb = Callable[[Request, Arguments], Any]
#: A balance younger than this is not asked for again.
FRESH_S = 2.0


class WalletVerbs:
    """`changed` is told each new state, `unlocked` that jobs may go on."""

    def __init__(
        self,
        wallet: Session,
        services: Services,
        redactor: Redactor,
        default_network: Callable[[], str],
        changed: Callable[[dict[str, Any]], None],
        unlocked: Callable[[], None],
    ) -> None:
        self._wallet = wallet
        self._services = services
        self._redactor = redactor
        self._default_network = default_network
        self._changed = changed
        self._unlocked = unlocked
        self._balances: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
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
        """WalletState; its balance is null, with the error, when the network does not answer."""
        name = network or self._default_network()
        state = {**self._wallet.state(), "network": name, "balance": None, "error": None}
        if state["current"] and balance:
            try:
                state["balance"] = self._balance(self._services.of(name), state["current"])
            except NatronIExecError as problem:
                state["error"] = problem.to_wire()
        return state

    def unlock_with(self, password: str) -> None:
        """Of a request that needs a signature. Raises WrongPassword."""
        self._redactor.add_secret(password)
        self._wallet.unlock(password)
        self._tell()
        self._unlocked()

    def tick(self) -> None:
        """The idle lock is noticed and told, also when nobody asks."""
        unlocked = self._wallet.unlocked
        if self._was_unlocked and not unlocked:
            self._tell()
        self._was_unlocked = unlocked

    def state(self, request: Request, args: Arguments) -> Any:
        return self.current_state(args.maybe("network", str))

    def create(self, request: Request, args: Arguments) -> Any:
        name, password = args.maybe("name", str) or "", self._secret(args, "password")
        return self._made(self._wallet.keystore.create(name, password).address)

    def import_(self, request: Request, args: Arguments) -> Any:
        name, password = args.maybe("name", str) or "", self._secret(args, "password")
        key, mnemonic = self._maybe_secret(args, "key"), self._maybe_secret(args, "mnemonic")
        file, file_password = args.maybe("file", str), self._maybe_secret(args, "file_password")
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
        address, password = args.take("address", str), self._secret(args, "password")
        return {"path": str(self._wallet.keystore.export(address, password, Path(args.take("to", str))))}

    def change_password(self, request: Request, args: Arguments) -> Any:
        address, old = args.take("address", str), self._secret(args, "password")
        self._wallet.keystore.change_password(address, old, self._secret(args, "new_password"))
        self._wallet.forget(address)
        self._tell()
        return {}

    def remove(self, request: Request, args: Arguments) -> Any:
        address, password = args.take("address", str), self._secret(args, "password")
        backup = self._wallet.keystore.remove(address, password)
        self._wallet.forget(address)
        self._tell()
        return {"backup": str(backup)}

    def use(self, request: Request, args: Arguments) -> Any:
        self._wallet.use(args.take("address", str))
        return self._tell()

    def unlock(self, request: Request, args: Arguments) -> Any:
        password = self._secret(args, "password")
        self._wallet.unlock(password, args.maybe("address", str), args.flag("remember"))
        self._unlocked()
        return self._tell()

    def lock(self, request: Request, args: Arguments) -> Any:
        self._wallet.lock()
        return self._tell()

    def external(self, request: Request, args: Arguments) -> Any:
        self._wallet.external(args.maybe("url", str) or "")
        self._unlocked()
        return self._tell()

    def deposit(self, request: Request, args: Arguments) -> Any:
        return self._move(args, "deposit")

    def withdraw(self, request: Request, args: Arguments) -> Any:
        return self._move(args, "withdraw")

    def _move(self, args: Arguments, what: str) -> Any:
        password, amount = self._maybe_secret(args, "password"), args.take("amount_nrlc", int)
        net = self._services.of(args.take("network", str))
        args.done()
        if amount <= 0:
            raise BadInput("There is nothing to move.", "Give an amount above 0.")
        signer = self._wallet.signer(password)
        net.check()
        held = net.hub.balances(signer.address)
        there = held.rlc_nrlc if what == "deposit" else held.stake_nrlc
        if amount > there:
            where = "the wallet" if what == "deposit" else "the stake"
            raise NotEnoughFunds(f"There are {there / 10**9:g} RLC in {where}.", "Choose a smaller amount.")
        build = net.hub.build_deposit if what == "deposit" else net.hub.build_withdraw
        with net.sending:
            transaction = build(signer.address, amount)
            require_gas([transaction], held.eth_wei)
            signed = net.hub.sign(transaction, signer)
            net.hub.send(signed)
        net.hub.wait(signed.hash)
        self._balances.clear()
        stake = net.hub.account(signer.address).stake_nrlc
        self._tell()
        return {"transaction": signed.hash, "stake_nrlc": stake}

    def _balance(self, net: NetworkServices, address: str) -> dict[str, Any]:
        key = (net.network.name + net.network.rpc, address)
        known = self._balances.get(key)
        if known is None or time.monotonic() - known[0] > FRESH_S:
            known = (time.monotonic(), wire_balances(net.hub.balances(address)))
            self._balances[key] = known
        return known[1]

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

    def _secret(self, args: Arguments, name: str) -> str:
        secret = args.take(name, str)
        self._redactor.add_secret(secret)
        return secret

    def _maybe_secret(self, args: Arguments, name: str) -> str | None:
        secret = args.maybe(name, str)
        if secret is not None:
            self._redactor.add_secret(secret)
        return secret
