"""The unlocked session, and the keyring."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from NatronIExec.errors import KeyringUnavailable, WalletError, WalletLocked, WrongPassword
from NatronIExec.wallet.choice import Choice, ChoiceFile
from NatronIExec.wallet.keystore import Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.vault import Vault

PASSWORD = "correct horse battery"


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


def test_several_accounts(keystore: Keystore, choices: ChoiceFile) -> None:
    session = Session(keystore, Vault(disabled=True), lambda: 900, _no_dial, choices)
    one, two = keystore.create("one", PASSWORD), keystore.create("two", PASSWORD)
    assert session.current == one.address
    session.unlock(PASSWORD)
    session.use(two.address)
    assert (session.current, session.unlocked) == (two.address, False)
    session.unlock(PASSWORD, one.address)
    assert (session.current, session.unlocked) == (one.address, True)
    session.use(two.address)
    session = Session(keystore, Vault(disabled=True), lambda: 900, _no_dial, ChoiceFile(choices.file))
    assert session.current == two.address
    session.unlock(PASSWORD, one.address)
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


def test_looking_at_the_wallet_opens_no_keyring(keystore: Keystore, memory: Memory, choices: ChoiceFile) -> None:
    """A locked one would ask for its password, or answer with an error, whenever somebody looks."""
    account = keystore.create("", PASSWORD)
    Session(keystore, Vault(), lambda: 900, _no_dial, choices).unlock(PASSWORD, remember=True)
    memory.locked = True
    session = Session(keystore, Vault(), lambda: 900, _no_dial, ChoiceFile(choices.file))
    assert session.state()["keyring"]["remembered"]
    assert session.current == account.address
    memory.locked = False
    memory.kept.clear()
    with pytest.raises(WalletLocked):
        session.signer()
    assert not session.state()["keyring"]["remembered"]


def test_what_was_remembered_before_there_were_notes_is_found(keystore: Keystore, memory: Memory) -> None:
    account = keystore.create("", PASSWORD)
    memory.kept[("NatronIExec", account.address)] = PASSWORD
    session = Session(keystore, Vault(), lambda: 900, _no_dial)
    assert session.signer().address == account.address
    assert session.state()["keyring"]["remembered"]


def test_nobody_who_looks_waits_for_an_unlock(keystore: Keystore, memory: Memory) -> None:
    """Nor for a keyring that shows its own dialog meanwhile."""
    keystore.create("", PASSWORD)
    session = Session(keystore, Vault(), lambda: 900, _no_dial)
    asked, answered = threading.Event(), threading.Event()

    def slow(service: str, username: str) -> str:
        asked.set()
        assert answered.wait(60)
        return PASSWORD

    memory.get_password = slow  # type: ignore[method-assign]
    signing = threading.Thread(target=session.signer)
    signing.start()
    assert asked.wait(60)
    looking = threading.Thread(target=session.state)
    looking.start()
    looking.join(60)
    waited = looking.is_alive()
    answered.set()
    signing.join()
    looking.join()
    assert not waited
    assert session.unlocked


def test_a_file_is_parsed_once(keystore: Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    account = keystore.create("", PASSWORD)
    reads: list[Path] = []
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, **how: (reads.append(self), read(self, **how))[1])
    session = Session(keystore, Vault(disabled=True), lambda: 900, _no_dial)
    for _ in range(10):
        assert session.current == account.address
    assert len(reads) == 1
    monkeypatch.undo()
    keystore.remove(account.address, PASSWORD)
    assert session.current is None


@pytest.mark.parametrize("content", ["", "[]", '{"address": null, "offered": 5}'])
def test_a_damaged_choice_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "account.json").write_text(content)
    assert ChoiceFile(tmp_path / "account.json").choice == Choice()


def test_no_keyring_is_said(keystore: Keystore) -> None:
    keystore.create("", PASSWORD)
    with pytest.raises(KeyringUnavailable):
        Session(keystore, Vault(disabled=True), lambda: 900, _no_dial).unlock(PASSWORD, remember=True)
