"""The engine as a process of its own, and who may talk to it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec import __version__, paths
from NatronIExec.engine.client import EngineClient
from NatronIExec.engine.engine import Engine
from NatronIExec.engine.launch import clean_environment, find_engine, start_engine
from NatronIExec.engine.protocol import HOST, Address, decode, encode, read_address
from NatronIExec.errors import BadInput, Cancelled, Conflict, EngineGone, EngineMismatch, EngineNotFound, Unreachable
from NatronIExec.wallet.keystore import Keystore
from NatronIExec.wallet.session import Session
from NatronIExec.wallet.vault import Vault

PASSWORD = "correct horse battery"
COMMAND = [sys.executable, "-m", "NatronIExec.engine"]


@pytest.fixture
def process(home: Path) -> Any:
    """A client of an engine process, started by it."""
    client = EngineClient(command=COMMAND)
    hello = client.connect()
    yield client, hello
    client.close()
    try:
        os.kill(hello["pid"], signal.SIGTERM)
    except ProcessLookupError:
        return
    while _alive(hello["pid"]):
        pass


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z" if sys.platform == "linux" else True
    )


def test_it_is_started_on_demand_and_there_is_one(process: Any, home: Path) -> None:
    client, hello = process
    assert hello["version"] == __version__
    assert hello["home"] == str(home)
    address_file = paths.engine_address_file()
    assert os.stat(address_file).st_mode & 0o777 == 0o600
    other = EngineClient(command=["false"])
    assert other.connect()["pid"] == hello["pid"]
    other.close()
    second = subprocess.run([*COMMAND], check=False, timeout=60)
    assert second.returncode == 0
    assert client.call("status")["pid"] == hello["pid"]


def test_it_stops_and_its_clients_learn_it(process: Any) -> None:
    client, hello = process
    gone = threading.Event()
    client.subscribe(lambda event: gone.set() if event["event"] == "gone" else None)
    client.call("stop", {"force": False})
    assert gone.wait(30)
    with pytest.raises(EngineGone):
        client.call("status")
    assert not paths.engine_address_file().exists()


def test_a_killed_engine_is_started_anew(process: Any) -> None:
    client, hello = process
    os.kill(hello["pid"], signal.SIGKILL)
    with pytest.raises(EngineGone):
        list(iter(lambda: client.call("status"), None))
    with pytest.raises(EngineGone, match="No engine runs"):
        EngineClient().connect(start=False)
    again = EngineClient(command=COMMAND)
    pid = again.connect()["pid"]
    assert pid != hello["pid"]
    again.call("stop")
    again.close()


def test_an_engine_that_does_not_start_is_said(home: Path) -> None:
    with pytest.raises(EngineGone, match="did not start"):
        EngineClient(command=["false"]).connect()
    with pytest.raises(EngineNotFound, match="cannot be started"):
        EngineClient(command=["/nonexistent/engine"]).connect()


def test_without_the_key_nobody_comes_in(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    address = read_address(paths.engine_address_file())
    assert address is not None
    with pytest.raises((AuthenticationError, EOFError, OSError)):
        Client((HOST, address.port), authkey=b"guess")
    with socket.create_connection((HOST, address.port)) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert farm.call("status")["clients"] == 1
    assert address.port != 0


def test_a_wallet_is_unlocked_while_the_farm_is_loaded(
    home: Path, local: Any, known: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    known(local)
    Keystore(paths.keystore(), 2).import_key("r", local.people["requester"].key, PASSWORD)
    engine = Engine(vault=Vault(disabled=True), scrypt_n=2)
    client = EngineClient()
    load, listening, unlocked = Engine._load_farm, threading.Event(), threading.Event()

    def slow(self: Engine) -> Any:
        listening.set()
        assert unlocked.wait(60)
        return load(self)

    monkeypatch.setattr(Engine, "_load_farm", slow)
    monkeypatch.setattr(engine.wallet, "unlock", lambda *how: (Session.unlock(engine.wallet, *how), unlocked.set()))
    starting = threading.Thread(target=engine.start)
    starting.start()
    try:
        assert listening.wait(60)
        client.connect(start=False)
        assert client.call("settings.get")["network"] == "local"
        assert client.call("wallet.unlock", {"password": PASSWORD})["balance"]["rlc_nrlc"] > 0
    finally:
        unlocked.set()
        starting.join()
        client.close()
        engine.stop()


def test_a_farm_that_cannot_be_loaded_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever asked meanwhile, and by the engine's end."""
    paths.spool().mkdir(parents=True)
    (paths.spool() / "jobs.sqlite").write_bytes(b"this is no database" * 1000)
    engine = Engine(vault=Vault(disabled=True))
    with pytest.raises(sqlite3.DatabaseError):
        engine.start()
    with pytest.raises(sqlite3.DatabaseError):
        _ = engine.farm
    assert not paths.engine_address_file().exists()


def test_hello_of_another_protocol(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    with pytest.raises(EngineMismatch, match="0.0.1"):
        farm.call("hello", protocol=99, version="0.0.1")


def test_bad_requests_are_answered(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    for verb, args, words in (
        ("dance", {}, "no verb dance"),
        ("show", {}, "needs job"),
        ("show", {"job": 5}, "wrong kind"),
        ("wallet.unlock", {"password": 5}, "wrong kind"),
        ("settings.set", {}, "needs changes"),
        ("settings.set", {"changes": {"colour": 1}}, "no setting colour"),
        ("settings.set", {"changes": {"network": "mars"}}, "no network mars"),
        ("wallet.import", {"password": "long enough"}, "exactly one"),
        ("test_endpoint", {"network": "local", "kind": "rpc", "url": "ftp://x"}, "web address"),
        ("test_endpoint", {"network": "local", "kind": "dance", "url": farm.local.web.url}, "no endpoint of kind"),
    ):
        with pytest.raises(BadInput, match=words):
            farm.call(verb, **args)
    with pytest.raises(BadInput, match="no message"):
        decode(b"[1]")
    with pytest.raises(BadInput, match="no message"):
        decode(b"\xff")
    assert decode(encode({"a": "ü\ud800"})) == {"a": "ü\ud800"}


def test_endpoints_are_tried(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    network = next(row for row in farm.call("networks") if row["name"] == "local")
    assert network["available"]
    for kind, url in network["endpoints"].items():
        assert farm.call("test_endpoint", network="local", kind=kind, url=url)["ok"], kind
    with pytest.raises(BadInput, match="serves chain 31337"):
        farm.call("test_endpoint", network="arbitrum", kind="rpc", url=network["endpoints"]["rpc"])


def test_a_scan_is_cancelled(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm()
    begun = threading.Event()
    go_on = threading.Event()
    numbers: queue.Queue[int] = queue.Queue()  # the engine may begin before the client knows the number
    from NatronIExec.engine import job_verbs

    def slow(asked: Any, progress: Any, cancelled: Callable[[], bool]) -> Any:
        begun.set()
        go_on.wait(30)
        if cancelled():
            raise Cancelled("Cancelled.")
        raise AssertionError("was not cancelled")

    original, job_verbs.scan_submission = job_verbs.scan_submission, slow  # type: ignore[assignment]
    found: list[BaseException] = []

    def ask() -> None:
        try:
            farm.client.call("scan", submission, on_id=numbers.put)
        except Cancelled as problem:
            found.append(problem)

    try:
        thread = threading.Thread(target=ask)
        thread.start()
        assert begun.wait(30)
        farm.client.cancel(numbers.get(timeout=30))
        farm.call("status")  # the cancel has arrived by now: messages are read in order
        go_on.set()
        thread.join(30)
    finally:
        job_verbs.scan_submission = original
    assert found


def test_progress_is_told(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm()
    told: list[tuple[int, int, str]] = []
    farm.client.call("scan", submission, progress=lambda *step: told.append(step))
    assert told


def test_stopping_with_open_jobs_needs_force(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    with pytest.raises(Conflict, match="busy with 1 job[.]"):
        farm.call("stop")


def test_verbs_of_the_wallet(farm: Any, tmp_path: Path) -> None:
    address = farm.call("wallet.state")["current"]
    moved = farm.call("wallet.deposit", network="local", amount_nrlc=5)
    back = farm.call("wallet.withdraw", network="local", amount_nrlc=5)
    assert moved["stake_nrlc"] - back["stake_nrlc"] == 5
    with pytest.raises(BadInput):
        farm.call("wallet.deposit", network="local", amount_nrlc=0)
    password = "correct horse battery"
    exported = farm.call("wallet.export", address=address, password=password, to=str(tmp_path / "k.json"))["path"]
    made = farm.call("wallet.create", name="second", password=password)["account"]["address"]
    assert farm.call("wallet.use", address=made)["current"] == made
    farm.call("wallet.change_password", address=made, password=password, new_password="another one")
    backup = farm.call("wallet.remove", address=made, password="another one")["backup"]
    assert Path(backup).exists()
    farm.call("wallet.remove", address=address, password=password)
    again = farm.call("wallet.import", name="b", password=password, file=exported, file_password=password)
    assert again["account"]["address"] == address
    phrase = "test test test test test test test test test test test junk"
    assert farm.call("wallet.import", name="m", password=password, mnemonic=phrase)["account"]["name"] == "m"
    assert not farm.call("wallet.lock")["unlocked"]
    assert farm.call("wallet.external", url="")["external"] is None


def test_workerpools_say_why_they_do_not_fit(farm: Any) -> None:
    rows = farm.call("workerpools", network="local")
    assert rows[0]["fits"]
    assert rows[0]["category_name"] == "XS"
    assert any(row["reason"] == "only 3 s a task" for row in rows)


def test_a_request_that_is_not_answered_in_time(start_farm: Callable[..., Any]) -> None:
    farm = start_farm()
    from NatronIExec.engine.system_verbs import SystemVerbs

    release = threading.Event()
    farm.engine._verbs["status"] = lambda request, args: release.wait(30)
    with pytest.raises(Unreachable, match="does not answer"):
        farm.client.call("status", timeout_s=0.05)
    release.set()
    assert SystemVerbs


def test_the_engine_is_found(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from NatronIExec.engine import launch

    home.mkdir()
    paths.install_file().write_text(json.dumps({"command": [sys.executable, "-m", "x"]}))
    assert find_engine() == [sys.executable, "-m", "x"]
    paths.install_file().write_text(json.dumps({"command": ["/nowhere/python"]}))
    monkeypatch.setattr(launch, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineNotFound, match="not installed"):
        start_engine()
    program = tmp_path / "natron-iexec-engine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_engine() == [str(program)]


def test_natrons_variables_do_not_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONNOUSERSITE", "QT_API", "LD_LIBRARY_PATH", "LC_NUMERIC"):
        monkeypatch.setenv(name, "natron's")
    monkeypatch.setenv("NATRON_IEXEC_HOME", "/ours")
    clean = clean_environment()
    assert "natron's" not in clean.values()
    assert clean["NATRON_IEXEC_HOME"] == "/ours"


def test_an_address_that_cannot_be_read(tmp_path: Path) -> None:
    assert read_address(tmp_path / "none") is None
    (tmp_path / "torn").write_text('{"port": 1')
    assert read_address(tmp_path / "torn") is None
    Address(5, b"k", 7).write(tmp_path / "there")
    assert read_address(tmp_path / "there") == Address(5, b"k", 7)
