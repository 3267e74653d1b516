"""Accounts as files, the unlocked session, the keyring, signers elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from eth_account import Account as EthAccount

from NatronIExec.errors import BadInput, Conflict, KeyringUnavailable, WalletError, WalletLocked, WrongPassword
from NatronIExec.wallet.keystore import Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.signer import KeySigner
from NatronIExec.wallet.vault import Vault

PASSWORD = "correct horse battery"
KEY = "0x" + "4c" * 32
PHRASE = "test test test test test test test test test test test junk"


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keystore", scrypt_n=2)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(keystore: Keystore, clock: Clock) -> Session:
    return Session(keystore, Vault(disabled=True), lambda: 900, _no_dial, clock=clock)


def _no_dial(url: str) -> Any:
    raise AssertionError(url)


# files


def test_an_account_is_a_private_file(keystore: Keystore) -> None:
    account = keystore.create("render", PASSWORD)
    assert os.stat(account.file).st_mode & 0o777 == 0o600
    assert os.stat(account.file.parent).st_mode & 0o777 == 0o700
    assert keystore.accounts() == [account]
    assert keystore.load(account.address, PASSWORD).address == account.address
    assert EthAccount.decrypt(json.loads(account.file.read_text()), PASSWORD)


def test_what_is_imported_has_its_known_address(keystore: Keystore, tmp_path: Path) -> None:
    assert keystore.import_mnemonic("m", PHRASE, PASSWORD).address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    account = keystore.import_key("k", KEY, PASSWORD)
    with pytest.raises(Conflict):
        keystore.import_key("again", KEY, PASSWORD)
    exported = keystore.export(account.address, PASSWORD, tmp_path / "backup.json")
    with pytest.raises(Conflict, match="exists already"):
        keystore.export(account.address, PASSWORD, exported)
    backup = keystore.remove(account.address, PASSWORD)
    assert backup.exists()
    assert len(keystore.accounts()) == 1
    assert keystore.import_file("", exported, PASSWORD, "another password").address == account.address


def test_the_password_can_change(keystore: Keystore) -> None:
    account = keystore.create("", PASSWORD)
    keystore.change_password(account.address, PASSWORD, "something else")
    keystore.load(account.address, "something else")
    with pytest.raises(WrongPassword):
        keystore.load(account.address, PASSWORD)


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, KEY + "00"])
def test_a_key_that_is_none_is_not_quoted(keystore: Keystore, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        keystore.import_key("", key, PASSWORD)
    assert not key or key not in str(refused.value)


def test_a_phrase_that_is_none_is_not_quoted(keystore: Keystore) -> None:
    with pytest.raises(BadInput) as refused:
        keystore.import_mnemonic("", PHRASE.replace("junk", "zebraface"), PASSWORD)
    cause: BaseException | None = refused.value
    while cause is not None:
        assert "zebraface" not in str(cause)
        cause = cause.__cause__


def test_files_that_are_none(keystore: Keystore, tmp_path: Path) -> None:
    account = keystore.create("", PASSWORD)
    (account.file.parent / "notes.json").write_text("{}")
    (account.file.parent / "torn.json").write_text("{")
    assert len(keystore.accounts()) == 1
    with pytest.raises(BadInput, match="no keystore"):
        keystore.import_file("", account.file.parent / "notes.json", "", PASSWORD)
    content = json.loads(account.file.read_text())
    content["crypto"]["kdfparams"] = {}
    account.file.write_text(json.dumps(content))
    with pytest.raises(BadInput, match="damaged"):
        keystore.load(account.address, PASSWORD)
    with pytest.raises(BadInput, match="too short"):
        keystore.create("", "short")
    with pytest.raises(WalletError, match="no account"):
        keystore.account("0x" + "00" * 20)


# the session


def test_it_locks_itself_when_idle(session: Session, clock: Clock) -> None:
    session.keystore.create("", PASSWORD)
    with pytest.raises(WalletLocked):
        session.signer()
    assert session.signer(PASSWORD).address == session.current
    clock.now = 899
    session.signer()
    clock.now = 899 + 899
    assert session.unlocked
    clock.now += 2
    assert not session.unlocked
    with pytest.raises(WalletLocked):
        session.signer()


def test_lock_now_and_wrong_passwords(session: Session) -> None:
    with pytest.raises(WalletError, match="no account"):
        session.signer(PASSWORD)
    session.keystore.create("", PASSWORD)
    with pytest.raises(WrongPassword):
        session.unlock("wrong password")
    session.unlock(PASSWORD)
    session.lock()
    assert not session.unlocked


def test_several_accounts(keystore: Keystore) -> None:
    chosen: list[str] = []
    session = Session(keystore, Vault(disabled=True), lambda: 900, _no_dial, on_choice=chosen.append)
    one, two = keystore.create("one", PASSWORD), keystore.create("two", PASSWORD)
    assert session.current == one.address
    session.unlock(PASSWORD)
    session.use(two.address)
    assert (session.current, session.unlocked) == (two.address, False)
    session.unlock(PASSWORD, one.address)
    assert (session.current, session.unlocked) == (one.address, True)
    assert chosen == [two.address, one.address]
    state = session.state()
    assert [account["name"] for account in state["accounts"]] == ["one", "two"]
    assert state["keyring"] == {"available": False, "backend": None, "remembered": False}
    session.forget(one.address)
    assert not session.unlocked


# the keyring


class Memory(keyring.backend.KeyringBackend):
    """A keyring that works."""

    priority = 5  # type: ignore[assignment]
    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def _open(self) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


@pytest.fixture
def memory() -> Any:
    before, made = keyring.get_keyring(), Memory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_remembered_password_unlocks(keystore: Keystore, memory: Memory) -> None:
    account = keystore.create("", PASSWORD)
    session = Session(keystore, Vault(), lambda: 900, _no_dial)
    assert memory.kept == {}
    session.unlock(PASSWORD, remember=True)
    assert session.state()["keyring"] == {"available": True, "backend": "memory", "remembered": True}
    session.lock()
    assert session.signer().address == account.address
    session.forget(account.address)
    session.forget(account.address)
    assert memory.kept == {}


def test_a_locked_keyring_is_not_a_wrong_password(keystore: Keystore, memory: Memory) -> None:
    keystore.create("", PASSWORD)
    memory.locked = True
    session = Session(keystore, Vault(), lambda: 900, _no_dial)
    with pytest.raises(KeyringUnavailable):
        session.unlock(PASSWORD, remember=True)
    session.lock()
    with pytest.raises(KeyringUnavailable):
        session.signer()


def test_no_keyring_is_said(keystore: Keystore) -> None:
    keystore.create("", PASSWORD)
    with pytest.raises(KeyringUnavailable):
        Session(keystore, Vault(disabled=True), lambda: 900, _no_dial).unlock(PASSWORD, remember=True)


# elsewhere


class Clef:
    """Answers as Clef's external API does, with a key of its own."""

    def __init__(self) -> None:
        self.account = EthAccount.from_key(KEY)
        self.refuses = False
        self.empty = False

    def __call__(self, method: str, params: Any) -> Any:
        if method == "account_list":
            return [] if self.empty else [self.account.address.lower()]
        if self.refuses:
            return None
        if method == "account_signData":
            from eth_account.messages import encode_defunct

            message = encode_defunct(bytes.fromhex(params[2][2:]))
            return "0x" + bytes(self.account.sign_message(message).signature).hex()
        if method == "account_signTypedData":
            from eth_account.messages import encode_typed_data

            return "0x" + bytes(self.account.sign_message(encode_typed_data(full_message=params[1])).signature).hex()
        fields = {k: v for k, v in params[0].items() if k != "from"}
        return {"raw": "0x" + bytes(self.account.sign_transaction({**fields, "type": 2}).raw_transaction).hex()}


def test_an_external_signer_signs_as_our_own_would(keystore: Keystore) -> None:
    clef = Clef()
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef)
    session.external("http://127.0.0.1:8550")
    theirs, ours = session.signer(), KeySigner(bytes.fromhex(KEY[2:]))
    assert session.unlocked
    assert theirs.address == ours.address == session.current
    domain = {"name": "iExecODB", "version": "5.0.0", "chainId": 1, "verifyingContract": "0x" + "11" * 20}
    types = {"A": [{"name": "n", "type": "uint256"}, {"name": "b", "type": "bytes32"}]}
    asked: Any = (domain, types, "A", {"n": 5, "b": b"\1" * 32})
    assert theirs.sign_typed_data(*asked) == ours.sign_typed_data(*asked)
    assert theirs.sign_message(b"x" * 32) == ours.sign_message(b"x" * 32)
    transaction = {
        "type": 2, "chainId": 1, "to": "0x" + "22" * 20, "data": "0x", "value": 0, "gas": 21000, "nonce": 0,
        "maxFeePerGas": 5, "maxPriorityFeePerGas": 1,
    }  # fmt: skip
    assert theirs.sign_transaction(transaction) == ours.sign_transaction(transaction)
    clef.refuses = True
    with pytest.raises(WalletError, match="did not sign"):
        theirs.sign_transaction(transaction)
    assert session.state()["accounts"][-1]["kind"] == "external"
    session.external("")
    assert session.current is None


def test_an_external_signer_without_accounts(keystore: Keystore) -> None:
    clef = Clef()
    clef.empty = True
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: clef)
    with pytest.raises(WalletError, match="offers no account"):
        session.external("http://127.0.0.1:8550")
    session = Session(keystore, Vault(disabled=True), lambda: 900, lambda url: lambda method, params: "hello")
    with pytest.raises(WalletError, match="no external signer"):
        session.external("http://127.0.0.1:8550")


def test_a_signer_shows_no_key() -> None:
    assert "4c4c" not in repr(KeySigner(bytes.fromhex(KEY[2:]))) + str(vars(KeySigner(bytes.fromhex(KEY[2:])))).lower()
