"""anvil: started on a free port of the loopback, its state kept between runs."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import asdict
from pathlib import Path

from NatronIExec import log, paths
from NatronIExec.devnet.contracts import CHAIN_ID, Chain, Deployed, accounts, deploy, fund_missing
from NatronIExec.devnet.processes import kept_port, spawn, stop
from NatronIExec.errors import NatronIExecError, ServiceError, Unreachable
from NatronIExec.iexec.transport import Transport

START_S = 30
#: Arbitrum makes a block as soon as 250 ms have passed with anything in it, for anybody.
IDLE_BLOCK_S = 5
KEEP_S = 3.0


class LocalChain:
    """The chain with the contracts on it. `start` deploys once and loads the saved state after that.

    A `lasting` one has a block every IDLE_BLOCK_S, as Arbitrum has without a transaction of ours: only blocks move
    the time by which refunds are due. It is saved every KEEP_S, and an anvil that died is started again.
    """

    def __init__(self, folder: Path, modules: Path, workers: int = 3, lasting: bool = False) -> None:
        self._folder = folder
        self._modules = modules
        self._lasting = lasting
        self._saving = threading.Lock()
        self._saved = -1
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="devnet-chain", daemon=True)
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
        self._run_anvil()
        if fresh:
            self.deployed = deploy(self.chain, self._modules, self.people)
            paths.write_atomic(record, json.dumps(asdict(self.deployed)).encode())
        else:
            self.deployed = Deployed(**json.loads(record.read_text()))
            fund_missing(self.chain, self.deployed, self.people)
        if self._lasting:
            self.save()
            self._keeper.start()

    def stop(self, keep_state: bool = True) -> None:
        if self._child is None:
            return
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        if keep_state and self._child.poll() is None:
            self.save()
        stop(self._child)
        self._child = None

    def save(self) -> None:
        """For the next `start`, unless nothing has happened since. Raises Unreachable or ServiceError."""
        with self._saving:
            head = int(self.chain.rpc("eth_blockNumber"), 16)
            if head == self._saved:
                return
            state = bytes.fromhex(self.chain.rpc("anvil_dumpState")[2:])
            paths.write_atomic(self._folder / "chain.json", _unpacked(state))
            self._saved = head

    def save_deal(self) -> None:
        """At once where a client was told of a deal; nothing where the chain ends with its process anyway."""
        if self._lasting:
            self.save()

    def _keep(self) -> None:
        while not self._stopping.wait(KEEP_S):
            try:
                if self._child is not None and self._child.poll() is not None:
                    log.get_logger("devnet").warning("anvil has ended (%s): started again", self._child.returncode)
                    self._run_anvil()
                self.save()
            except (NatronIExecError, OSError) as problem:
                log.get_logger("devnet").warning("chain: %s", problem)

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def _run_anvil(self) -> None:
        port = kept_port(self._folder / "rpc.port")
        self.url = f"http://127.0.0.1:{port}"
        self.chain = Chain(self.url, self.transport)
        output, state = self._folder / "anvil.log", self._folder / "chain.json"
        extra = ["--load-state", str(state)] if state.exists() and (self._folder / "deployed.json").exists() else []
        extra += ["--mixed-mining", "--block-time", str(IDLE_BLOCK_S)] if self._lasting else []
        command = [str(self._modules / ".bin" / "anvil"), "--host", "127.0.0.1", "--port", str(port)]
        command += ["--chain-id", str(CHAIN_ID), "--accounts", "20", "--quiet", "--no-request-size-limit"]
        self._child = spawn([*command, "--gas-limit", "60000000", *extra], output)
        give_up = time.monotonic() + START_S
        while True:
            try:
                self.chain.rpc("eth_chainId")
                self._never_back()
                return
            except Unreachable:
                if self._child.poll() is not None or time.monotonic() > give_up:
                    raise ServiceError(
                        "anvil did not start.",
                        f"See {output}; `natron-iexec devnet down` and a new folder begin afresh.",
                    ) from None
                time.sleep(0.02)

    def _never_back(self) -> None:
        """A clock that was moved on is moved on again: anvil would go by the wall's after a start."""
        head = self.chain.rpc("eth_getBlockByNumber", "latest", False)
        ahead_s = int(head["timestamp"], 16) - int(time.time())
        if ahead_s > 0:
            self.chain.rpc("evm_increaseTime", ahead_s)


def _unpacked(state: bytes) -> bytes:
    """anvil_dumpState answers gzip; --load-state wants the JSON."""
    import gzip

    return gzip.decompress(state) if state[:2] == b"\x1f\x8b" else state
