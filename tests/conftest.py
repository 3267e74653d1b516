"""A state folder of its own for every test; one local iExec for all tests of a worker; an engine on top of it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec import settings
from NatronIExec.devnet.install import install, modules_folder
from NatronIExec.devnet.local_iexec import LocalIexec
from NatronIExec.engine.client import EngineClient
from NatronIExec.engine.engine import Engine
from NatronIExec.kinds import complaint
from NatronIExec.shapes import EVENTS
from NatronIExec.states import is_at_rest
from NatronIExec.verb_table import VERBS
from NatronIExec.wallet.vault import Vault

ROOT = Path(__file__).parents[1]
#: Where npm packages are installed for this user: asked before tests move the state folder.
MODULES = modules_folder()
PASSWORD = "correct horse battery"
#: A test that waits longer than this for something that should happen has failed.
PATIENCE_S = 90
#: Natron and the keyring of whoever runs the tests are left alone.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


def pytest_configure() -> None:
    """Children of tests get default signals, also of a run that was started as a background job: its shell has SIGINT
    and SIGQUIT ignored, a program that is started inherits what is ignored, and a Python that finds SIGINT ignored
    never raises KeyboardInterrupt. What has a handler here is at its default in a child."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("NATRON_IEXEC_HOME", str(folder))
    monkeypatch.setenv("NATRON_IEXEC_DEVNET_MODULES", str(MODULES))
    return folder


@pytest.fixture(scope="session")
def modules() -> Path:
    """node_modules with anvil and the contracts."""
    os.environ["NATRON_IEXEC_DEVNET_MODULES"] = str(MODULES)
    return install("chain")


@pytest.fixture(scope="session")
def _iexec(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIexec]:
    with LocalIexec(tmp_path_factory.mktemp("iexec"), modules) as local:
        yield local


@pytest.fixture
def local(_iexec: LocalIexec) -> Iterator[LocalIexec]:
    """The local iExec, which afterwards behaves again and knows nothing of what the test bought or sold: no test sees
    another one's deals, orders, nonces or clock."""
    before = _iexec.snapshot()
    yield _iexec
    _iexec.faults.by_index.clear()
    _iexec.faults.every = ""
    _iexec.web.faults.clear()
    _iexec.revert(before)


def make_known(local: LocalIexec, **changes: Any) -> None:
    """Write the network into this test's state folder, and settings that fit tests."""
    home = Path(os.environ["NATRON_IEXEC_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    network = {**asdict(local.network), **changes}
    network.pop("name")
    (home / "networks.json").write_text(json.dumps({"local": network}))
    settings.save(settings.changed(settings.Settings(), {"network": "local", "poll_s": 0.05}))


@pytest.fixture
def known() -> Callable[..., None]:
    """`make_known`, for tests that start their own engine."""
    return make_known


class Farm:
    """An engine in this process, its client, and what the client was told."""

    def __init__(self, local: LocalIexec, engine: Engine) -> None:
        self.local = local
        self.engine = engine
        self._closed = False
        self.client = EngineClient()
        self.client.connect(start=False)
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.client.subscribe(self._told)

    def call(self, verb: str, **args: Any) -> Any:
        """What the engine answers, which is of the shape that it promises."""
        answer = self.client.call(verb, args, timeout_s=PATIENCE_S)
        wrong = complaint(VERBS[verb].answer, answer, verb)
        assert not wrong, wrong
        return answer

    def _told(self, event: dict[str, Any]) -> None:
        """A wrong event is one that nobody waits for: the test that waits says so."""
        kind = EVENTS.get(event["event"])
        wrong = complaint(kind, event, "event") if kind else ""
        self.events.put({"event": "wrong", "jobs": [], "wrong": wrong} if wrong else event)

    def pay_from(self, role: str = "requester") -> str:
        """Import and unlock a funded account."""
        key = self.local.people[role].key
        account = self.call("wallet.import", name=role, password=PASSWORD, key=key)["account"]["address"]
        self.call("wallet.unlock", password=PASSWORD, address=account)
        return str(account)

    def until(self, holds: Callable[[dict[str, Any]], bool], job: str) -> dict[str, Any]:
        """The job's row once it `holds`, told by events."""
        row = self.call("show", job=job)
        while not holds(row):
            event = self.events.get(timeout=PATIENCE_S)
            assert event["event"] != "wrong", event["wrong"]
            row = next((changed for changed in event.get("jobs", ()) if changed["id"] == job), row)
        return row

    def settled(self, job: str) -> dict[str, Any]:
        return self.until(lambda row: is_at_rest(row["state"]), job)

    def close(self) -> None:
        """Once; later calls do nothing."""
        if not self._closed:
            self._closed = True
            self.client.close()
            self.engine.stop()


@pytest.fixture
def start_farm(local: LocalIexec) -> Iterator[Callable[[], Farm]]:
    """Start an engine (again) in this test's state folder."""
    started: list[Farm] = []

    def start(**network: Any) -> Farm:
        make_known(local, **network)
        engine = Engine(vault=Vault(disabled=True), scrypt_n=2)
        engine.start()
        started.append(Farm(local, engine))
        return started[-1]

    yield start
    for farm in started:
        farm.close()


@pytest.fixture
def farm(start_farm: Callable[[], Farm]) -> Farm:
    farm = start_farm()
    farm.pay_from()
    return farm


@pytest.fixture
def orbit(tmp_path: Path) -> Path:
    """The shipped example, in a folder that the test may write to."""
    folder = tmp_path / "show" / "orbit"
    shutil.copytree(ROOT / "examples" / "orbit", folder, ignore=shutil.ignore_patterns("renders"))
    return folder / "orbit.ntp"


@pytest.fixture
def submission(orbit: Path) -> dict[str, Any]:
    """Four frames of the example in two tasks."""
    return {"project": str(orbit), "network": "local", "frames": "1-4", "chunk": 2}


@pytest.fixture(autouse=True)
def _no_thread_hides_an_error(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An exception in any thread fails the test."""
    found: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    yield
    assert not found, found
