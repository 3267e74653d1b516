"""Keystore files are a standard: ethers, which MetaMask's and the official SDK's files come from, opens ours, and we
open its."""

from __future__ import annotations

import json
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any, Callable

import pytest
from eth_account import Account as EthAccount

from NatronIExec.devnet.install import install
from NatronIExec.wallet.keystore import Keystore

KEY = "0x" + "4c" * 32
PASSWORDS = ("correct horse battery", "Käse für Ärzte", "ﬁne Ångström")

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ethers() -> Ask:
    if shutil.which("node") is None:
        pytest.skip("no Node.js")
    modules = str(install("witness"))
    program = Path(__file__).with_name("ethers.mjs")

    def ask(**what: Any) -> Any:
        asked = json.dumps({"modules": modules, **what})
        done = subprocess.run(["node", str(program)], input=asked, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("password", PASSWORDS)
def test_ethers_opens_our_files(ethers: Ask, keystore: Keystore, password: str) -> None:
    account = keystore.import_key("render", KEY, password)
    assert ethers(open=account.file.read_text(), password=password)["key"] == KEY


@pytest.mark.parametrize("password", PASSWORDS)
def test_we_open_the_files_of_ethers(ethers: Ask, keystore: Keystore, tmp_path: Path, password: str) -> None:
    theirs = tmp_path / "theirs.json"
    theirs.write_text(ethers(key=KEY, password=password)["file"])
    account = keystore.import_file("", theirs, password, password)
    assert keystore.load(account.address, password).unsafe_key().hex() == KEY[2:]


def test_a_password_is_the_same_from_every_keyboard(keystore: Keystore) -> None:
    account = keystore.import_key("render", KEY, unicodedata.normalize("NFD", PASSWORDS[1]))
    assert keystore.load(account.address, unicodedata.normalize("NFC", PASSWORDS[1])).address == account.address


def test_a_file_of_geth_opens_whose_password_was_taken_as_typed(keystore: Keystore, tmp_path: Path) -> None:
    file, typed = tmp_path / "geth.json", PASSWORDS[2]
    file.write_text(json.dumps(EthAccount.encrypt(KEY, typed, iterations=2)))
    assert keystore.import_file("", file, typed, typed).address == EthAccount.from_key(KEY).address
