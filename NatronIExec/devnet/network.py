"""The local network as a background process that `natron-iexec devnet` starts, finds and ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from NatronIExec import paths
from NatronIExec.devnet.install import install
from NatronIExec.errors import Conflict, ServiceError

START_S = 60
STOP_S = 20


class LocalNetwork:
    """Everything of it is below `folder`. It listens on the loopback only and its children end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def _record(self) -> Path:
        return self._folder / "running.json"

    def up(self, workers: int = 3) -> dict[str, Any]:
        """Start it unless it runs, and make it known as the network `local`. Raises ServiceError when it cannot."""
        running = self.status()
        if running["running"]:
            return running
        modules = install("chain")
        paths.private_folder(self._folder)
        log = self._folder / "devnet.log"
        command = [sys.executable, "-m", "NatronIExec.devnet", "serve", "--folder", str(self._folder)]
        command += ["--workers", str(workers), "--modules", str(modules)]
        with log.open("ab") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        give_up = time.monotonic() + START_S
        while not (running := self.status())["running"]:
            if child.poll() is not None or time.monotonic() > give_up:
                raise ServiceError("The local network did not start.", f"See {log}.")
            time.sleep(0.05)
        return running

    def status(self) -> dict[str, Any]:
        try:
            record = json.loads(self._record.read_text())
            os.kill(record["pid"], 0)
        except (OSError, ValueError, KeyError):
            return {"running": False, "folder": str(self._folder)}
        return {"running": True, "folder": str(self._folder), **record}

    def down(self) -> None:
        """End it; the chain is saved for the next `up`. Raises Conflict when it does not end."""
        running = self.status()
        if not running["running"]:
            return
        os.kill(running["pid"], signal.SIGTERM)
        give_up = time.monotonic() + STOP_S
        while self.status()["running"]:
            if time.monotonic() > give_up:
                raise Conflict("The local network does not stop.", f"End process {running['pid']} by hand.")
            time.sleep(0.05)


def serve(folder: Path, workers: int, modules: Path) -> None:
    """The background process itself: up, until SIGTERM or SIGINT."""
    from NatronIExec import log
    from NatronIExec.devnet.local_iexec import LocalIexec

    log.to_file("devnet", log.Redactor(), folder)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    local = LocalIexec(folder, modules, workers)
    local.start()
    try:
        people = {role: {"address": who.address, "key": who.key} for role, who in local.people.items()}
        paths.write_atomic(folder / "accounts.json", json.dumps(people, indent=2).encode())
        _make_known(asdict(local.network))
        record = {"pid": os.getpid(), "rpc": local.network.rpc, "services": local.web.url, "workers": workers}
        paths.write_atomic(folder / "running.json", json.dumps(record).encode())
        signal.sigwait(signals)
    finally:
        (folder / "running.json").unlink(missing_ok=True)
        local.stop()


def _make_known(network: dict[str, Any]) -> None:
    """Write `local` beside whatever other networks the person has."""
    file = paths.networks_file()
    paths.private_folder(file.parent)
    known = json.loads(file.read_text()) if file.exists() else {}
    known["local"] = {name: value for name, value in network.items() if name != "name"}
    paths.write_atomic(file, json.dumps(known, indent=2).encode())
