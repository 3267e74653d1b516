"""Which account pays, and whether it is unlocked. The unlocked key is forgotten after some idle time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any, Callable

from NatronIExec.errors import WalletError, WalletLocked
from NatronIExec.iexec.signer import Signer
from NatronIExec.wallet.choice import ChoiceFile
from NatronIExec.wallet.external import ExternalSigner, Rpc, external_accounts
from NatronIExec.wallet.keystore import Account, Keystore
from NatronIExec.wallet.signer import KeySigner
from NatronIExec.wallet.vault import Vault

#: url → how to call the external signer there.
Dial = Callable[[str], Rpc]


class Session:
    """Thread-safe. `choices` is what was chosen before, and is told what is chosen now.

    Opening a keystore file takes half a second on purpose; nobody who only looks waits for it.
    """

    def __init__(
        self,
        keystore: Keystore,
        vault: Vault,
        lock_after_s: Callable[[], float],
        dial: Dial,
        choices: ChoiceFile | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keystore = keystore
        self._vault = vault
        self._lock_after_s = lock_after_s
        self._dial = dial
        self._choices = choices or ChoiceFile()
        self._clock = clock
        self._guard = threading.RLock()
        self._opening = threading.Lock()
        self._signer: KeySigner | None = None
        self._used_at = 0.0

    @property
    def current(self) -> str | None:
        """The address that pays; the only account, where there is one only."""
        with self._guard:
            choice = self._choices.choice
            if choice.external:
                return choice.external_address
            addresses = [account.address for account in self.keystore.accounts()]
            if choice.address in addresses:
                return choice.address
            return addresses[0] if addresses else None

    @property
    def unlocked(self) -> bool:
        with self._guard:
            self._forget_if_idle()
            if self._choices.choice.external:
                return True
            return self._signer is not None and self._signer.address == self.current

    def use(self, address: str) -> None:
        """Pay from `address`: one that the external signer offers, else one of our own, which then sign again."""
        with self._guard:
            choice = self._choices.choice
            offered = {one.lower(): one for one in choice.offered if choice.external}
            if address.lower() in offered:
                self._choices.save(replace(choice, external_address=offered[address.lower()]))
                return
            self._use_own(self.keystore.account(address).address)
            self._signer = None

    def unlock(self, password: str, address: str | None = None, remember: bool = False) -> None:
        """Nothing is to be unlocked while another program signs, unless `address` says which account shall instead.
        Raises WrongPassword, or KeyringUnavailable when it should be remembered and cannot be."""
        if address is None and self._choices.choice.external:
            return
        wanted = address or self.current
        if wanted is None:
            raise _no_account()
        with self._opening:
            signer = self.keystore.load(wanted, password)
            with self._guard:
                if address is not None:
                    self._use_own(signer.address)
                self._keep(signer)
        if remember:
            self._vault.remember(signer.address, password)
            self._note_remembered(signer.address, True)

    def lock(self) -> None:
        with self._guard:
            self._signer = None

    def signer(self, password: str | None = None) -> Signer:
        """To sign with now. Raises WalletLocked when there is neither an unlocked key, nor `password`, nor one in the
        keyring; WalletError when there is no account."""
        with self._opening:  # whoever comes meanwhile finds it open
            current, open_already = self._ready()
            if open_already is not None and (password is None or isinstance(open_already, ExternalSigner)):
                return open_already
            signer = self.keystore.load(current, self._recalled(current) if password is None else password)
            self._keep(signer)
            return signer

    def _ready(self) -> tuple[str, Signer | None]:
        """Who pays, and its signer unless that is locked."""
        with self._guard:
            current = self.current
            if current is None:
                raise _no_account()
            if self._choices.choice.external:
                return current, ExternalSigner(self._dial(self._choices.choice.external), current)
            self._forget_if_idle()
            if self._signer is None or self._signer.address != current:
                return current, None
            self._used_at = self._clock()
            return current, self._signer

    def external(self, url: str, address: str | None = None) -> None:
        """Sign elsewhere from now on, with `address` where several are offered; "" for our own accounts again."""
        offered = external_accounts(self._dial(url)) if url else []
        if url and not offered:
            raise WalletError("The external signer offers no account.", "Import one there.")
        wanted = address or (offered[0] if offered else "")
        found = next((one for one in offered if one.lower() == wanted.lower()), "")
        if wanted and not found:
            raise WalletError(f"The external signer has no account {address}.", "It has " + ", ".join(offered) + ".")
        with self._guard:
            choice = self._choices.choice
            self._choices.save(replace(choice, external=url, external_address=found, offered=tuple(offered)))
            self._signer = None

    def forget(self, address: str) -> None:
        """What is known of an account that was removed or has another password."""
        self._vault.forget(address)
        self._note_remembered(address, False)
        with self._guard:
            if self._signer is not None and self._signer.address == address:
                self._signer = None

    def state(self) -> dict[str, Any]:
        """The part of WalletState that needs no network. No keyring is opened for it."""
        with self._guard:
            choice = self._choices.choice
            accounts = [_wire(account) for account in self.keystore.accounts()]
            if choice.external:
                accounts += [
                    {"address": address, "name": "external", "file": choice.external, "kind": "external"}
                    for address in choice.offered
                ]
            backend = self._vault.backend()
            current = self.current
            return {
                "accounts": accounts,
                "current": current,
                "unlocked": self.unlocked,
                "external": choice.external or None,
                "keyring": {
                    "available": backend is not None,
                    "backend": backend,
                    "remembered": backend is not None and current in choice.remembered,
                },
            }

    def _use_own(self, address: str) -> None:
        choice = self._choices.choice
        self._choices.save(replace(choice, address=address, external="", external_address="", offered=()))

    def _keep(self, signer: KeySigner) -> None:
        with self._guard:
            if signer.address == self.current:  # else another account was chosen while this one was opened
                self._signer = signer
                self._used_at = self._clock()

    def _recalled(self, address: str) -> str:
        """The keyring's password, asked also where no note says so: it may be from before there were notes."""
        password = self._vault.recall(address)
        self._note_remembered(address, password is not None)
        if password is None:
            raise WalletLocked("The wallet is locked.", "Type its password.")
        return password

    def _note_remembered(self, address: str, remembered: bool) -> None:
        with self._guard:
            choice = self._choices.choice
            if remembered != (address in choice.remembered):
                others = tuple(other for other in choice.remembered if other != address)
                self._choices.save(replace(choice, remembered=(*others, address) if remembered else others))

    def _forget_if_idle(self) -> None:
        if self._signer is not None and self._clock() - self._used_at >= self._lock_after_s():
            self._signer = None


def _wire(account: Account) -> dict[str, Any]:
    return {"address": account.address, "name": account.name, "file": str(account.file), "kind": "keystore"}


def _no_account() -> WalletError:
    return WalletError("There is no account yet.", "Create or import one: natron-iexec wallet create.")
