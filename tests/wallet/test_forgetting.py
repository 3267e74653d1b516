"""What was typed is hidden from the log while a verb runs, and forgotten afterwards."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec import log
from NatronIExec.errors import NatronIExecError, WrongPassword
from NatronIExec.redaction import Redactor

PASSWORD = "correct horse battery"
KEY = "0x" + "4c" * 32
PHRASE = "test test test test test test test test test test test junk"


def _held(redactor: Redactor) -> str:
    """All that it has in memory."""
    return repr([value for value in vars(redactor).values() if isinstance(value, (set, list, dict))])


def test_no_secret_outlives_its_verb(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    address = farm.call("wallet.import", name="k", password=PASSWORD, key=KEY)["account"]["address"]
    farm.call("wallet.import", name="m", password=PASSWORD, mnemonic=PHRASE)
    farm.call("wallet.change_password", address=address, password=PASSWORD, new_password="another battery")
    with contextlib.suppress(WrongPassword):
        farm.call("wallet.unlock", address=address, password=PASSWORD)
    farm.call("wallet.unlock", address=address, password="another battery")
    for secret in (PASSWORD, KEY, KEY[2:], PHRASE, "another battery"):
        assert secret not in _held(farm.engine.redactor)


def test_a_bug_is_logged_without_it_and_then_it_is_forgotten(start_farm: Callable[..., Any], home: Path) -> None:
    farm = start_farm()
    written = log.to_file("engine", farm.engine.redactor, home / "logs")

    def broken(request: Any, args: Any) -> None:
        raise RuntimeError(f"no idea what {args.take('key', str).upper()} is")

    farm.engine._verbs["wallet.state"] = broken
    with pytest.raises(NatronIExecError, match="unforeseen"):
        farm.call("wallet.state", key=KEY[2:])
    assert "no idea what [hidden] is" in written.read_text()
    assert KEY[2:] in _held(farm.engine.redactor)
    farm.engine.tick()
    assert KEY[2:] not in _held(farm.engine.redactor)


def test_it_is_hidden_while_another_call_ends(tmp_path: Path) -> None:
    redactor = Redactor()
    with redactor.hiding(PASSWORD, "abc"):
        with redactor.hiding(PASSWORD):
            pass
        redactor.forget()
        assert redactor.redact(f"{PASSWORD}, abc") == "[hidden], abc"
    assert redactor.redact(PASSWORD) == PASSWORD


def test_a_key_is_hidden_in_every_spelling() -> None:
    redactor = Redactor()
    digits = "4cAb" * 16
    with redactor.hiding(f" 0x{digits}\n"):
        for spelling in (digits, digits.lower(), digits.upper(), "0x" + digits):
            assert digits.lower() not in redactor.redact(f"it is {spelling}").lower()
