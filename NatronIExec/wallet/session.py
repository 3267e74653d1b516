"""Which account pays, and whether it is unlocked. The unlocked key is forgotten after some idle time."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from NatronIExec.errors import WalletError, WalletLocked
from NatronIExec.iexec.signer import Signer
from NatronIExec.wallet.external import ExternalSigner, Rpc, external_accounts
from NatronIExec.wallet.keystore import Account, Keystore
from NatronIExec.wallet.vault import Vault

#: url → how to call the external signer there.
Dial = Callable[[str], Rpc]


class Session:
    """Thread-safe. `chosen` is the address to pay from, as remembered by the caller; `on_choice` is told a new one."""

    def __init__(
        self,
        keystore: Keystore,
        vault: Vault,
        lock_after_s: Callable[[], float],
        dial: Dial,
        chosen: str | None = None,
        on_choice: Callable[[str], None] = lambda address: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keystore = keystore
        self._vault = vault
        self._lock_after_s = lock_after_s
        self._dial = dial
        self._chosen = chosen
        self._on_choice = on_choice
        self._clock = clock
        self._guard = threading.RLock()
        self._signer: Signer | None = None
        self._used_at = 0.0
        self._external: tuple[str, ExternalSigner] | None = None

    @property
    def current(self) -> str | None:
        """The address that pays; the only account, where there is one only."""
        with self._guard:
            if self._external is not None:
                return self._external[1].address
            addresses = [account.address for account in self.keystore.accounts()]
            if self._chosen in addresses:
                return self._chosen
            return addresses[0] if addresses else None

    @property
    def unlocked(self) -> bool:
        with self._guard:
            self._forget_if_idle()
            return self._external is not None or (self._signer is not None and self._signer.address == self.current)

    def use(self, address: str) -> None:
        with self._guard:
            self._chosen = self.keystore.account(address).address
            self._signer = None
            self._on_choice(self._chosen)

    def unlock(self, password: str, address: str | None = None, remember: bool = False) -> None:
        """Raises WrongPassword, or KeyringUnavailable when it should be remembered and cannot be."""
        wanted = address or self.current
        if wanted is None:
            raise _no_account()
        signer = self.keystore.load(wanted, password)  # takes half a second, which nobody else waits for
        with self._guard:
            self._signer = signer
            if wanted != self.current:
                self.use_unlocked(wanted)
            self._used_at = self._clock()
            if remember:
                self._vault.remember(wanted, password)

    def use_unlocked(self, address: str) -> None:
        self._chosen = address
        self._on_choice(address)

    def lock(self) -> None:
        with self._guard:
            self._signer = None

    def signer(self, password: str | None = None) -> Signer:
        """To sign with now. Raises WalletLocked when there is neither an unlocked key, nor `password`, nor one in the
        keyring; WalletError when there is no account."""
        with self._guard:
            if self._external is not None:
                return self._external[1]
            if self.current is None:
                raise _no_account()
            self._forget_if_idle()
            if password is not None:
                self.unlock(password)
            elif self._signer is None or self._signer.address != self.current:
                remembered = self._vault.recall(self.current)
                if remembered is None:
                    raise WalletLocked("The wallet is locked.", "Type its password.")
                self.unlock(remembered)
            self._used_at = self._clock()
            assert self._signer is not None
            return self._signer

    def external(self, url: str) -> None:
        """Sign elsewhere from now on; "" for our own accounts again."""
        with self._guard:
            if not url:
                self._external = None
                return
            rpc = self._dial(url)
            offered = external_accounts(rpc)
            if not offered:
                raise WalletError("The external signer offers no account.", "Import one there.")
            self._external = (url, ExternalSigner(rpc, offered[0]))

    def forget(self, address: str) -> None:
        """What is known of an account that was removed or has another password."""
        with self._guard:
            self._vault.forget(address)
            if self._signer is not None and self._signer.address == address:
                self._signer = None

    def state(self) -> dict[str, Any]:
        """The part of WalletState that needs no network."""
        with self._guard:
            accounts = [_wire(account) for account in self.keystore.accounts()]
            if self._external is not None:
                url, signer = self._external
                accounts.append({"address": signer.address, "name": "external", "file": url, "kind": "external"})
            backend = self._vault.backend()
            current = self.current
            return {
                "accounts": accounts,
                "current": current,
                "unlocked": self.unlocked,
                "external": self._external[0] if self._external else None,
                "keyring": {
                    "available": backend is not None,
                    "backend": backend,
                    "remembered": bool(current and backend and self._vault.recall(current)),
                },
            }

    def _forget_if_idle(self) -> None:
        if self._signer is not None and self._clock() - self._used_at >= self._lock_after_s():
            self._signer = None


def _wire(account: Account) -> dict[str, Any]:
    return {"address": account.address, "name": account.name, "file": str(account.file), "kind": "keystore"}


def _no_account() -> WalletError:
    return WalletError("There is no account yet.", "Create or import one: natron-iexec wallet create.")
