"""Accounts as encrypted files (Ethereum keystore V3): one account per file, readable by its owner only."""

from __future__ import annotations

import json
import os
import re
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account as EthAccount
from eth_utils.address import is_address, to_checksum_address

from NatronIExec import paths
from NatronIExec.errors import BadInput, Conflict, WalletError, WrongPassword
from NatronIExec.wallet.signer import KeySigner

#: scrypt's n: geth's standard strength would be 2**18 (1.1 s a guess here); 2**17 is what the official SDK writes.
SCRYPT_N = 1 << 17
MIN_PASSWORD = 8
#: Of secp256k1: a private key is above 0 and below this (SEC 2).
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


@dataclass(frozen=True)
class Account:
    """An account that can be unlocked. Reading it needs no password."""

    address: str
    name: str
    file: Path


class Keystore:
    """The accounts below `folder`. Raises WalletError and its kinds, BadInput, Conflict."""

    def __init__(self, folder: Path, scrypt_n: int = SCRYPT_N) -> None:
        self._folder = folder
        self._scrypt_n = scrypt_n
        self._parsed: dict[Path, tuple[tuple[int, int], Account | None]] = {}

    def accounts(self) -> list[Account]:
        """All accounts, oldest first. Files that are not keystores are ignored."""
        files = sorted(self._folder.glob("*.json"))
        return [account for account in map(self._account_in, files) if account is not None]

    def _account_in(self, file: Path) -> Account | None:
        """Parsed again only when the file has changed, since the paying account is looked up every second."""
        try:
            now = file.stat()
        except OSError:
            return None
        version = (now.st_mtime_ns, now.st_ino)
        if file not in self._parsed or self._parsed[file][0] != version:
            content = _read(file)
            address = _address(content) if content else None
            name = str(content.get("x-name", "")) if content else ""
            self._parsed[file] = (version, Account(address, name or address[:10], file) if address else None)
        return self._parsed[file][1]

    def account(self, address: str) -> Account:
        for account in self.accounts():
            if account.address.lower() == address.lower():
                return account
        raise WalletError(f"There is no account {address}.", "See `natron-iexec wallet` for those that there are.")

    def create(self, name: str, password: str) -> Account:
        return self._store(name, os.urandom(32), password)

    def import_key(self, name: str, key: str, password: str) -> Account:
        text = key.strip().removeprefix("0x")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
            raise _no_key()
        return self._store(name, bytes.fromhex(text), password)

    def import_mnemonic(self, name: str, mnemonic: str, password: str) -> Account:
        EthAccount.enable_unaudited_hdwallet_features()
        try:
            account = EthAccount.from_mnemonic(" ".join(mnemonic.split()))
        except Exception as problem:  # eth-account raises its own and builtin kinds, with the words in the text
            raise BadInput("This is not a recovery phrase.", "Check its words and their order.") from _without(problem)
        return self._store(name, bytes(account.key), password)

    def import_file(self, name: str, file: Path, file_password: str, password: str) -> Account:
        """Another program's keystore file, encrypted anew under `password`."""
        content = _read(file)
        if content is None:
            raise BadInput(f"{file} is not a keystore file.", "Choose an encrypted JSON keystore (version 3).")
        return self._store(name or file.stem, _signer_of(content, file_password).unsafe_key(), password)

    def export(self, address: str, password: str, to: Path) -> Path:
        """Write a copy of the encrypted file to `to`, after checking the password. Never overwrites."""
        account = self.account(address)
        self.load(address, password)
        if to.exists():
            raise Conflict(f"{to} exists already.", "Choose another name.")
        paths.write_atomic(to, account.file.read_bytes())
        return to

    def change_password(self, address: str, password: str, new_password: str) -> None:
        account = self.account(address)
        key = self.load(address, password).unsafe_key()
        self._write(account.file, account.name, key, new_password)

    def remove(self, address: str, password: str) -> Path:
        """Move the file aside; returns where it is now."""
        account = self.account(address)
        self.load(address, password)
        backup = paths.private_folder(self._folder / "removed") / f"{account.file.stem}-{int(time.time())}.json"
        account.file.replace(backup)
        return backup

    def load(self, address: str, password: str) -> KeySigner:
        """Raises WrongPassword."""
        content = _read(self.account(address).file)
        if content is None:
            raise WalletError(f"The file of the account {address} is gone.", "Restore it from a backup.")
        return _signer_of(content, password)

    def _store(self, name: str, key: bytes, password: str) -> Account:
        if not 0 < int.from_bytes(key, "big") < _ORDER:
            raise _no_key()
        address = KeySigner(key).address
        if any(account.address == address for account in self.accounts()):
            raise Conflict(f"The account {address} is in the wallet already.", "Use it, or remove it first.")
        paths.private_folder(self._folder)
        now_ns = time.time_ns()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now_ns // 10**9)) + f".{now_ns % 10**9:09d}"
        file = self._folder / f"{stamp}-{address[2:].lower()}.json"
        self._write(file, name, key, password)
        return Account(address, name or address[:10], file)

    def _write(self, file: Path, name: str, key: bytes, password: str) -> None:
        if len(password) < MIN_PASSWORD:
            raise BadInput("The password is too short.", f"Use at least {MIN_PASSWORD} characters.")
        encrypted = EthAccount.encrypt(key, _letters(password), kdf="scrypt", iterations=self._scrypt_n)
        content: dict[str, Any] = {**encrypted, "x-name": name}
        paths.write_atomic(file, json.dumps(content, indent=2).encode())


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["version"] == 3 and isinstance(content.get("crypto", content.get("Crypto")), dict):
            return dict(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def _address(content: dict[str, Any]) -> str | None:
    """The address in the file. The standard makes it optional; a file without it can be imported but is not listed as
    an account."""
    said = content.get("address")
    text = "0x" + said.removeprefix("0x") if isinstance(said, str) else ""
    return str(to_checksum_address(text)) if is_address(text) else None


def _signer_of(content: dict[str, Any], password: str) -> KeySigner:
    """Raises BadInput if the key does not belong to the address in the file: it would sign for another account."""
    key = _decrypt(content, password)
    if not 0 < int.from_bytes(key, "big") < _ORDER:
        raise _damaged()
    signer = KeySigner(key)
    if _address(content) not in (None, signer.address):
        raise BadInput(f"The keystore file is not that of {_address(content)}.", "Restore it from a backup.")
    return signer


def _decrypt(content: dict[str, Any], password: str) -> bytes:
    """geth uses the password as it was typed; ethers (and so the official SDK and this program) normalizes it first.
    Both are tried."""
    for spelling in dict.fromkeys((_letters(password), password)):
        try:
            return bytes(EthAccount.decrypt(content, spelling))
        except ValueError as problem:
            if "MAC" not in str(problem):
                raise _damaged() from _without(problem)
        except (KeyError, TypeError) as problem:
            raise _damaged() from _without(problem)
    raise WrongPassword("The password is wrong.", "Try again; capitals count.")


def _letters(password: str) -> str:
    """The password in Unicode form NFKC: keyboards differ in whether an accented letter is one character or two."""
    return unicodedata.normalize("NFKC", password)


def _damaged() -> BadInput:
    return BadInput("The keystore file is damaged.", "Restore it from a backup.")


def _no_key() -> BadInput:
    return BadInput("This is not a private key.", "It has 64 digits from 0 to 9 and a to f.")


def _without(problem: BaseException) -> BaseException | None:
    """An exception of the same class without its message, which may quote the typed password."""
    return type(problem)() if type(problem) in (ValueError, KeyError, TypeError) else None
