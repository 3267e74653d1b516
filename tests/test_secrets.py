"""The whole main job, then every file, log, database, argument list and environment is searched for key, password and
mnemonic, and for the key of a confidential job: with an engine in this process, and as artists run it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping
from urllib.parse import quote

import pytest

from NatronIExec import log, paths
from NatronIExec.devnet.side_services import SecretService
from NatronIExec.engine.protocol import read_address
from NatronIExec.errors import NatronIExecError
from NatronIExec.states import is_over

PASSWORD = "correct horse battery"
PHRASE = "test test test test test test test test test test test junk"
CLI = [sys.executable, "-m", "NatronIExec.cli"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
#: (where, what is written there)
Places = set[tuple[str, bytes]]


def test_no_secret_is_left_anywhere(start_farm: Any, submission: dict[str, Any], home: Path, local: Any) -> None:
    farm = start_farm()
    log.to_file("engine", farm.engine.redactor, home / "logs")
    log.get_logger("engine").info("what follows is searched")
    key = local.people["requester"].key
    farm.call("wallet.import", name="r", password=PASSWORD, key=key)
    farm.call("wallet.import", name="m", password=PASSWORD, mnemonic=PHRASE)
    farm.call("wallet.use", address=local.people["requester"].address)
    for wrong in ({"password": "wrong " + PASSWORD}, {"password": PASSWORD, "nonsense": key}):
        with contextlib.suppress(NatronIExecError):
            farm.call("wallet.unlock", **wrong)
    seen = _processes(os.getpid())
    before = _sealing_keys(local)
    job = farm.call("submit", **submission, confidential=True, password=PASSWORD)["job"]
    row = farm.call("show", job=job)
    while not is_over(row["state"]):
        seen |= _processes(os.getpid())
        row = farm.call("show", job=job)
    assert row["state"] == "done"
    secrets = {"password": PASSWORD, "key": key, "phrase": PHRASE, "sealing key": _new_key(local, before)}
    _assert_in_none(secrets, [*_files(home), *_files(Path(submission["project"]).parent), *seen])
    assert {"engine.log", "jobs.sqlite"} <= {path.name for path in home.rglob("*")}


def test_nor_by_the_programs_that_artists_run(
    local: Any, known: Callable[..., None], orbit: Path, home: Path, tmp_path: Path
) -> None:
    """The command line with --password-file, the key typed at its prompt, the engine as the process that it starts."""
    known(local)
    paths.install_file().write_text(json.dumps({"command": [sys.executable, "-m", "NatronIExec.engine"]}))
    file, key, before = tmp_path / "password", local.people["requester"].key, _sealing_keys(local)
    file.touch(mode=0o600)
    file.write_text(PASSWORD + "\n")
    asked = [*CLI, "--password-file", str(file)]
    try:
        shown = _typed([*asked, "wallet", "import", "--key"], key + "\n")
        shown += _typed([*asked, "wallet", "import", "--mnemonic"], PHRASE + "\n")
        chosen = subprocess.run([*asked, "wallet", "use", local.people["requester"].address], capture_output=True)
        assert chosen.returncode == 0
        submit = [*asked, "submit", str(orbit), "--frames", "1-2", "--chunk", "2", "--confidential", "--yes", "--watch"]
        with (tmp_path / "said").open("wb") as said:
            child = subprocess.Popen(submit, stdout=said, stderr=said)
        seen: Places = set()
        while child.poll() is None:
            seen |= _processes(os.getpid()) | _processes(_engine())
        assert child.returncode == 0, (tmp_path / "said").read_text()
        secrets = {"password": PASSWORD, "key": key, "phrase": PHRASE, "sealing key": _new_key(local, before)}
        screens = [("a screen", shown), *_files(tmp_path / "said")]
        _assert_in_none(secrets, [*_files(home), *_files(orbit.parent), *screens, *seen])
        assert any("NatronIExec.engine" in content.decode() for where, content in seen if where.endswith("cmdline"))
    finally:
        subprocess.run([*CLI, "engine", "stop", "--force"], check=True, capture_output=True)


@pytest.mark.parametrize("written", ["0x{}", "{}", "key: {}, next", '"{}\\n"'])
def test_the_search_finds_a_key_in_every_spelling(written: str) -> None:
    key = bytes(range(7, 39)).hex()
    raw = bytes.fromhex(key)
    for spelled in (key, key.upper(), str(int(key, 16)), base64.b64encode(b"x" + raw).decode(), key.encode().hex()):
        with pytest.raises(AssertionError, match="holds the key"):
            _assert_in_none({"key": key}, [("here", written.format(spelled).encode())])
    with pytest.raises(AssertionError, match="here holds the key"):
        _assert_in_none({"key": key}, [("here", b"pickled" + raw + b".")])


def _typed(command: list[str], text: str) -> bytes:
    """What a terminal showed while `text` was typed at the hidden prompt of `command`."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    shown = b""
    while b": " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, text.encode())
    with contextlib.suppress(OSError):  # the terminal ends with its last program
        while block := os.read(ours, 1000):
            shown += block
    os.close(ours)
    assert child.wait() == 0, shown.decode()
    return shown


def _engine() -> int:
    address = read_address(paths.engine_address_file())
    return address.pid if address else 0


def _sealing_keys(local: Any) -> set[str]:
    service = next(one for one in local.web.services if isinstance(one, SecretService))
    return set(service._secrets.values())


def _new_key(local: Any, before: set[str]) -> str:
    (key,) = _sealing_keys(local) - before
    return key


def _assert_in_none(secrets: Mapping[str, str], places: list[tuple[str, bytes]]) -> None:
    spelled = {name: set(_spellings(secret)) for name, secret in secrets.items()}
    for place, content in places:
        for name, spellings in spelled.items():
            assert not any(spelling in content for spelling in spellings), f"{place} holds the {name}"


def _spellings(secret: str) -> Iterator[bytes]:
    """As text, in other alphabets, and a key's bytes too, since a database or a pickle would hold those."""
    text = secret.removeprefix("0x")
    raws = [text.encode(), text.encode("utf-16-le"), quote(text).encode()]
    if len(text) == 64 and not set(text.lower()) - set("0123456789abcdef"):
        number = bytes.fromhex(text)
        raws += [number, number[::-1], text.lower().encode(), text.upper().encode(), str(int(text, 16)).encode()]
        raws.append(str(list(number)).encode())
    for raw in raws:
        yield raw
        yield raw.hex().encode()
        for before in range(3):  # base 64 looks different at each of three offsets; the ends depend on the neighbours
            encoded = base64.b64encode(bytes(before) + raw)
            yield encoded[4 if before else 0 : -4]
            yield base64.urlsafe_b64encode(bytes(before) + raw)[4 if before else 0 : -4]


def _files(folder: Path) -> list[tuple[str, bytes]]:
    found = [folder] if folder.is_file() else folder.rglob("*")
    return [(str(path), path.read_bytes()) for path in found if path.is_file()]


def _processes(root: int) -> Places:
    """Arguments and environment of `root` and of all below it. A container's environment is left out: there iExec puts
    the sealing key, by its own rules; the renderer below it must not have it."""
    found: Places = set()
    mine = {root}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent in mine or int(entry.name) in mine:
                mine.add(int(entry.name))
                arguments, environment, later = (
                    (entry / name).read_bytes() for name in ("cmdline", "environ", "cmdline")
                )
                found.add((f"{entry}/cmdline", later))
                if b"NatronIExec.container.entrypoint" not in arguments + later:  # one may just begin, or end so
                    found.add((f"{entry}/environ", environment))
        except (OSError, ValueError):
            continue
    return found
