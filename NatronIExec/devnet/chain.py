"""anvil: started on a free port of the loopback, its state kept between runs."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

from NatronIExec import paths
from NatronIExec.devnet.contracts import CHAIN_ID, Chain, Deployed, accounts, deploy
from NatronIExec.devnet.processes import kept_port, spawn, stop
from NatronIExec.errors import ServiceError, Unreachable
from NatronIExec.iexec.transport import Transport

START_S = 30


class LocalChain:
    """The chain with the contracts on it. `start` deploys once and loads the saved state after that."""

    def __init__(self, folder: Path, modules: Path, workers: int = 3) -> None:
        self._folder = folder
        self._modules = modules
        self._child: subprocess.Popen[bytes] | None = None
        self.people = accounts(workers)
        self.transport = Transport(timeout_s=120, tries=1)
        self.url = ""
        self.deployed: Deployed
        #: One for all threads: it lets each account send one transaction at a time.
        self.chain: Chain

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        state, record = self._folder / "chain.json", self._folder / "deployed.json"
        fresh = not (state.exists() and record.exists())
        self._run_anvil([] if fresh else ["--load-state", str(state)])
        if fresh:
            self.deployed = deploy(self.chain, self._modules, self.people)
            paths.write_atomic(record, json.dumps(asdict(self.deployed)).encode())
        else:
            self.deployed = Deployed(**json.loads(record.read_text()))

    def stop(self, keep_state: bool = True) -> None:
        if self._child is None:
            return
        if keep_state and self._child.poll() is None:
            dumped = self.chain.rpc("anvil_dumpState")
            state = bytes.fromhex(dumped[2:])
            paths.write_atomic(self._folder / "chain.json", _unpacked(state))
        stop(self._child)
        self._child = None

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def _run_anvil(self, extra: list[str]) -> None:
        port = kept_port(self._folder / "rpc.port")
        self.url = f"http://127.0.0.1:{port}"
        self.chain = Chain(self.url, self.transport)
        log = self._folder / "anvil.log"
        command = [str(self._modules / ".bin" / "anvil"), "--host", "127.0.0.1", "--port", str(port)]
        command += ["--chain-id", str(CHAIN_ID), "--accounts", "20", "--quiet", "--no-request-size-limit"]
        self._child = spawn([*command, "--gas-limit", "60000000", *extra], log)
        give_up = time.monotonic() + START_S
        while True:
            try:
                self.chain.rpc("eth_chainId")
                return
            except Unreachable:
                if self._child.poll() is not None or time.monotonic() > give_up:
                    raise ServiceError(
                        "anvil did not start.", f"See {log}; `natron-iexec devnet down` and a new folder begin afresh."
                    ) from None
                time.sleep(0.02)


def _unpacked(state: bytes) -> bytes:
    """anvil_dumpState answers gzip; --load-state wants the JSON."""
    import gzip

    return gzip.decompress(state) if state[:2] == b"\x1f\x8b" else state
