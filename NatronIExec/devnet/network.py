"""The local network as a background process that `natron-iexec devnet` starts, finds and ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Iterator

from NatronIExec import paths
from NatronIExec.container.renderer import find_renderer
from NatronIExec.devnet.folder_lock import lock
from NatronIExec.devnet.hub_release import RELEASES
from NatronIExec.devnet.install import install
from NatronIExec.errors import Conflict, ServiceError
from NatronIExec.iexec.transport import Transport
from NatronIExec.redaction import Redactor

START_S = 60
STOP_S = 20
RECORD = "running.json"
LOCK = "running.lock"
#: Kept, so that the system is told that we know when one has ended.
_started: list[subprocess.Popen[bytes]] = []


class LocalNetwork:
    """Everything of it is below `folder`. It listens on the loopback only and its children end with it.

    The process holds a lock while it lives. Only then is its record believed: after a crash the number in it may by now
    be that of somebody else's process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def up(self, workers: int = 3, hub: str = RELEASES[0]) -> dict[str, Any]:
        """Start it unless it runs, and make it known as the network `local`; one that runs with other `workers` or
        another `hub` is started again as it was but for that. Raises ServiceError when it cannot."""
        running = self.status()
        if running["running"]:
            if (running.get("workers"), running.get("hub")) == (workers, hub):
                return running
            self.down()
        modules = install("chain")
        paths.private_folder(self._folder)
        (self._folder / RECORD).unlink(missing_ok=True)  # what a crash left would be believed while the next one starts
        log = self._folder / "devnet.log"
        command = [sys.executable, "-m", "NatronIExec.devnet", "serve", "--folder", str(self._folder)]
        command += ["--workers", str(workers), "--modules", str(modules), "--hub", hub]
        with log.open("ab") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        _started[:] = [one for one in _started if one.poll() is None] + [child]
        give_up = time.monotonic() + START_S
        while not (running := self.status())["running"]:
            if child.poll() is not None or time.monotonic() > give_up:
                raise ServiceError("The local network did not start.", f"See {log}.")
            time.sleep(0.05)
        return running

    def status(self) -> dict[str, Any]:
        try:
            record = json.loads((self._folder / RECORD).read_text())
            number = int(record["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return {"running": False, "folder": str(self._folder)}
        if not _held(self._folder):
            return {"running": False, "folder": str(self._folder)}
        return {"running": True, "folder": str(self._folder), **record, "pid": number}

    def pass_time(self, seconds: int) -> int:
        """Move the chain's clock forward; returns what it shows then (s). Raises Conflict when it does not run."""
        running = self.status()
        if not running["running"]:
            raise Conflict("The local network does not run.", "Start it with `natron-iexec devnet up`.")
        transport = Transport()
        transport.rpc(running["rpc"], "evm_increaseTime", [seconds])
        transport.rpc(running["rpc"], "evm_mine", [])
        latest = transport.rpc(running["rpc"], "eth_getBlockByNumber", ["latest", False])
        return int(latest["timestamp"], 16)

    def down(self) -> None:
        """End it; the chain is saved for the next `up`. Raises Conflict when it does not end."""
        running = self.status()
        if not running["running"]:
            return
        os.kill(running["pid"], signal.SIGTERM)
        give_up = time.monotonic() + STOP_S
        while _held(self._folder):
            if time.monotonic() > give_up:
                raise Conflict("The local network does not stop.", f"End process {running['pid']} by hand.")
            time.sleep(0.05)
        for child in _started:
            if child.pid == running["pid"]:
                child.wait()  # it has let the lock go: nothing is left to do for it


@contextlib.contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """The lock, once whoever holds it has ended. Raises Conflict when that takes too long."""
    with (folder / LOCK).open("a+b") as file:
        give_up = time.monotonic() + STOP_S
        while not lock(file):
            if time.monotonic() > give_up:
                raise Conflict("A local network runs in this folder already.", "Use it, or `down` first.")
            time.sleep(0.05)
        yield


def _held(folder: Path) -> bool:
    """Shared, so that several who ask at once do not take each other for it."""
    try:
        with (folder / LOCK).open("rb") as file:
            return not lock(file, shared=True)
    except FileNotFoundError:
        return False


def serve(folder: Path, workers: int, modules: Path, hub: str = RELEASES[0]) -> None:
    """The background process itself: up, until SIGTERM or SIGINT."""
    from NatronIExec import log
    from NatronIExec.devnet.local_iexec import LocalIexec

    log.to_file("devnet", Redactor(), folder)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with _holding(folder):
        local = LocalIexec(folder, modules, workers, release=hub, lasting=True)
        local.start()
        try:
            people = {role: {"address": who.address, "key": who.key} for role, who in local.people.items()}
            paths.write_atomic(folder / "accounts.json", json.dumps(people, indent=2).encode())
            _make_known(asdict(local.network))
            record = {
                "pid": os.getpid(),
                "rpc": local.network.rpc,
                "services": local.web.url,
                "workers": workers,
                "hub": hub,
                "renderer": find_renderer(os.environ)[1],
            }
            paths.write_atomic(folder / RECORD, json.dumps(record).encode())
            signal.sigwait(signals)
        finally:
            (folder / RECORD).unlink(missing_ok=True)
            local.stop()


def _make_known(network: dict[str, Any]) -> None:
    """Write `local` beside whatever other networks the person has."""
    file = paths.networks_file()
    paths.private_folder(file.parent)
    known = json.loads(file.read_text()) if file.exists() else {}
    known["local"] = {name: value for name, value in network.items() if name != "name"}
    paths.write_atomic(file, json.dumps(known, indent=2).encode())
