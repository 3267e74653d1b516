"""The account that pays, and whether it is unlocked. The key is forgotten after `lock_after_s` seconds without a
signature."""

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
    """Thread-safe. `choices` holds the previous choice of account and is updated with each new one; `lock_after_s`
    gives seconds and is asked each time, as settings change; `dial` connects to an external signer; `clock` counts
    seconds.

    Decrypting a keystore file takes half a second on purpose (scrypt). Reading the wallet's state never waits for it.
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
        """The address that pays, None without an account. If nothing was chosen, the first account."""
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
        """Pay from `address`: an address of the external signer, or an account of the keystore (the external signer is
        then no longer used)."""
        with self._guard:
            choice = self._choices.choice
            offered = {one.lower(): one for one in choice.offered if choice.external}
            if address.lower() in offered:
                self._choices.save(replace(choice, external_address=offered[address.lower()]))
                return
            self._use_own(self.keystore.account(address).address)
            self._signer = None

    def unlock(self, password: str, address: str | None = None, remember: bool = False) -> None:
        """Decrypt the key of `address`, or of the current account, and keep it until `lock` or the idle time. Does
        nothing if an external signer is used and no `address` is given. Raises WrongPassword, or KeyringUnavailable if
        `remember` is asked for and impossible."""
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
        """The signer of the current account. Raises WalletLocked if the key is locked and there is no password, neither
        given nor in the keyring; WalletError if there is no account."""
        with self._opening:  # a second caller waits here and then finds the key unlocked
            current, open_already = self._ready()
            if open_already is not None and (password is None or isinstance(open_already, ExternalSigner)):
                return open_already
            signer = self.keystore.load(current, self._recalled(current) if password is None else password)
            self._keep(signer)
            return signer

    def _ready(self) -> tuple[str, Signer | None]:
        """The paying address, and its signer unless it is locked."""
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
        """Use the external signer at `url` from now on, with `address` if it offers several. An empty `url` returns to
        our own keystore."""
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
        """Forget the key and the remembered password of an account that was removed or whose password has changed."""
        self._vault.forget(address)
        self._note_remembered(address, False)
        with self._guard:
            if self._signer is not None and self._signer.address == address:
                self._signer = None

    def state(self) -> dict[str, Any]:
        """The part of WalletState that needs neither network nor keyring."""
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
            if (
                signer.address == self.current
            ):  # otherwise another account was chosen while this one was being decrypted
                self._signer = signer
                self._used_at = self._clock()

    def _recalled(self, address: str) -> str:
        """The password from the keyring. It is asked even if `remembered` does not list the account: older versions
        kept no list."""
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
