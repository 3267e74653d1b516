"""Accounts in a folder of the test's own, with a key derivation that takes no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from NatronIExec.wallet.choice import ChoiceFile
from NatronIExec.wallet.keystore import Keystore


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keystore", scrypt_n=2)


@pytest.fixture
def choices(tmp_path: Path) -> ChoiceFile:
    return ChoiceFile(tmp_path / "account.json")
