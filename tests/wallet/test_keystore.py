"""Accounts as files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from eth_account import Account as EthAccount
from eth_utils.crypto import keccak

from NatronIExec.errors import BadInput, Conflict, WalletError, WrongPassword
from NatronIExec.wallet.keystore import Keystore
from NatronIExec.wallet.signer import KeySigner

PASSWORD = "correct horse battery"
OTHER = "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4"
KEY = "0x" + "4c" * 32
#: Of the curve: the first number that is no key.
ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
PHRASE = "test test test test test test test test test test test junk"


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


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, KEY + "00", "00" * 32, "ff" * 32, ORDER])
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
    with pytest.raises(BadInput, match="not a keystore"):
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


def test_a_file_that_names_another_account_is_refused(keystore: Keystore, tmp_path: Path) -> None:
    """It would pay from an account that nobody chose."""
    account = keystore.create("", PASSWORD)
    content = {**json.loads(account.file.read_text()), "address": OTHER[2:].lower()}
    account.file.write_text(json.dumps(content))
    with pytest.raises(BadInput, match="not that of"):
        keystore.load(OTHER, PASSWORD)
    (tmp_path / "lying.json").write_text(json.dumps(content))
    with pytest.raises(BadInput, match="not that of"):
        keystore.import_file("", tmp_path / "lying.json", PASSWORD, PASSWORD)


def test_a_file_may_leave_its_address_out(keystore: Keystore, tmp_path: Path) -> None:
    account = keystore.create("", PASSWORD)
    content = json.loads(account.file.read_text())
    del content["address"]
    content["Crypto"] = content.pop("crypto")
    (tmp_path / "quiet.json").write_text(json.dumps(content))
    keystore.remove(account.address, PASSWORD)
    assert keystore.import_file("", tmp_path / "quiet.json", PASSWORD, PASSWORD).address == account.address


@pytest.mark.parametrize("held", [bytes(32), b"\xff" * 32])
def test_an_encrypted_file_that_holds_no_key(keystore: Keystore, tmp_path: Path, held: bytes) -> None:
    content = json.loads(keystore.import_key("", KEY, PASSWORD).file.read_text())
    crypto, how = content["crypto"], content["crypto"]["kdfparams"]
    stream = int(crypto["ciphertext"], 16) ^ int(KEY, 16)
    crypto["ciphertext"] = f"{stream ^ int.from_bytes(held, 'big'):064x}"
    derived = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(how["salt"]), n=how["n"], r=how["r"], p=how["p"])
    crypto["mac"] = keccak(derived[16:32] + bytes.fromhex(crypto["ciphertext"])).hex()
    (tmp_path / "hollow.json").write_text(json.dumps(content))
    with pytest.raises(BadInput, match="damaged"):
        keystore.import_file("", tmp_path / "hollow.json", PASSWORD, PASSWORD)


def test_a_signer_shows_no_key() -> None:
    assert "4c4c" not in repr(KeySigner(bytes.fromhex(KEY[2:]))) + str(vars(KeySigner(bytes.fromhex(KEY[2:])))).lower()
