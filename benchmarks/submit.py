"""Submit → deal recorded on the local chain, against the official SDK on the same chain in the same run.

    python benchmarks/submit.py [--tasks 1,10,100,1000,10000] [--rounds 5]

Contenders, interleaved each round: our warm engine (plan and submit over its connection until the job is bought; scan,
packing and upload included); a cold `natron-iexec submit`, which starts its own engine; the SDK's library in one node
process; the SDK's command line (`iexec app run`: always one task, it cannot buy more at once). All fetch orders from
the market, sign, and make their checks. Ours and the SDK's command line unlock a keystore of the same strength (scrypt
n = 2**17); warm engine and library have the key at hand. Whole processes are timed, except the warm engine, which is
there. Requests are counted in our own transport, in a round that is not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "benchmark password"
STAKE_NRLC = 50_000 * 10**9
WITNESS = ROOT / "tests" / "iexec" / "witness.mjs"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", default="1,10,100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    from NatronIExec.devnet.install import install, modules_folder

    chain, sdk = install("chain"), install("witness")
    os.environ["NATRON_IEXEC_DEVNET_MODULES"] = str(modules_folder())
    folder = Path(tempfile.mkdtemp(prefix="natron-iexec-bench-"))
    os.environ["NATRON_IEXEC_HOME"] = str(folder / "state")
    try:
        with Bench(folder, chain, sdk) as bench:
            for tasks in map(int, asked.tasks.split(",")):
                bench.run(tasks, asked.rounds)
            bench.idle_polls()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Bench:
    def __init__(self, folder: Path, chain: Path, sdk: Path) -> None:
        from NatronIExec.devnet.local_iexec import LocalIexec
        from NatronIExec.engine.client import EngineClient

        self._folder = folder
        self._sdk = sdk
        self._local = LocalIexec(folder / "iexec", chain, workers=0)
        self._command = [sys.executable, "-m", "NatronIExec.engine"]
        self._client = EngineClient(command=self._command)
        self._password = folder / "password"

    def __enter__(self) -> Bench:
        from dataclasses import asdict

        from NatronIExec import settings
        from NatronIExec.devnet.network import _make_known

        self._local.start()
        _make_known(asdict(self._local.network))
        settings.save(settings.changed(settings.Settings(), {"network": "local", "poll_s": 1.0}))
        self._password.touch(mode=0o600)
        self._password.write_text(PASSWORD)
        self._client.connect()
        key = self._local.people["requester"].key
        self._client.call("wallet.import", {"name": "bench", "password": PASSWORD, "key": key})
        self._client.call("wallet.unlock", {"password": PASSWORD})
        self._write_sdk_wallet()
        self._stake_more()
        names = ("tasks", "warm engine s", "cold CLI s", "SDK library s", "SDK CLI s")
        print("| " + " | ".join((*names, "warm / library", "cold / SDK CLI", "requests")) + " |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.call("stop", {"force": True})
        self._client.close()
        self._local.stop(False)

    def run(self, tasks: int, rounds: int) -> None:
        project = self._project(tasks)
        times: dict[str, list[float]] = {name: [] for name in ("warm", "cold", "library", "cli")}
        for _ in range(rounds):
            times["warm"].append(self._warm(project))
            times["library"].append(self._library(tasks))
            times["cold"].append(self._cold(project))
            times["cli"].append(self._sdk_cli())
        before = self._requests()
        self._warm(project)
        requests = self._requests() - before
        m = {name: statistics.median(found) for name, found in times.items()}
        cells = [f"{m[name]:.2f} ({min(times[name]):.2f}–{max(times[name]):.2f})" for name in times]
        warm, cold, library, cli = cells
        ratios = f"{m['warm'] / m['library']:.2f} | {m['cold'] / m['cli']:.2f}"
        print(f"| {tasks} | {warm} | {cold} | {library} | {cli} | {ratios} | {requests} |", flush=True)

    def idle_polls(self) -> None:
        """What watching costs while nothing happens, with all the jobs of this run open."""
        jobs = self._client.call("status")["jobs_active"]
        before, began = self._requests(), time.monotonic()
        time.sleep(10)
        rate = (self._requests() - before) / (time.monotonic() - began) / max(jobs, 1)
        print(f"\nwatching {jobs} open jobs, one poll a second each: {rate:.2f} HTTP requests a poll")

    def _warm(self, project: Path) -> float:
        began = time.monotonic()
        asked = {"project": str(project), "network": "local", "chunk": 1}
        plan = self._client.call("plan", asked)
        self._until_bought(self._client.call("submit", {**asked, "plan": plan["plan"]})["job"])
        return time.monotonic() - began

    def _until_bought(self, job: str) -> None:
        """As the queue panel learns it: told, not asked."""
        from NatronIExec.engine.client import EngineClient

        watcher, told = EngineClient(command=self._command), queue.Queue()
        watcher.connect(start=False)
        rows = watcher.subscribe(told.put)["jobs"]
        while not any(row["id"] == job and row["paid_nrlc"] for row in rows):
            rows = told.get().get("jobs", ())
        watcher.close()

    def _cold(self, project: Path) -> float:
        """A process of its own with an engine of its own: the warm one is stopped for it."""
        self._client.call("stop", {"force": True})
        self._client.close()
        while (self._folder / "state" / "engine.json").exists():
            time.sleep(0.01)
        command = [sys.executable, "-m", "NatronIExec.cli", "--json", "--password-file", str(self._password)]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "submit", str(project), "--chunk", "1", "--yes"], check=True, capture_output=True, text=True
        )
        self._until_bought(json.loads(done.stdout)["job"])
        spent = time.monotonic() - began
        self._client.connect(start=False)
        self._client.call("wallet.unlock", {"password": PASSWORD})
        return spent

    def _library(self, tasks: int) -> float:
        network = self._local.network
        asked = {
            "question": "submit",
            "modules": str(self._sdk),
            "rpc": network.rpc,
            "hub": network.hub,
            "services": self._local.web.url,
            "key": self._local.people["buyer"].key,
            "app": network.app,
            "volume": tasks,
            "args": "--nothing",
        }
        environment = {**os.environ, "NODE_NO_WARNINGS": "1"}
        began = time.monotonic()
        subprocess.run(
            ["node", str(WITNESS)], input=json.dumps(asked), capture_output=True, text=True, check=True, env=environment
        )
        return time.monotonic() - began

    def _sdk_cli(self) -> float:
        folder, network = self._folder / "sdk", self._local.network
        command = ["node", str(self._sdk / "iexec" / "dist" / "esm" / "cli" / "cmd" / "iexec.js")]
        if not Path(command[1]).exists():
            command = [str(self._sdk / ".bin" / "iexec")]
        words = ["app", "run", network.app, "--workerpool", network.workerpool, "--tag", "tee,tdx", "--category", "0"]
        words += [
            "--args",
            "nothing",
            "--force",
            "--quiet",
            "--wallet-file",
            "bench.json",
            "--keystoredir",
            str(folder),
        ]
        began = time.monotonic()
        subprocess.run(
            [*command, *words, "--password", PASSWORD], cwd=folder, check=True, capture_output=True, text=True
        )
        return time.monotonic() - began

    def _write_sdk_wallet(self) -> None:
        from eth_account import Account

        folder, network, url = self._folder / "sdk", self._local.network, self._local.web.url
        folder.mkdir()
        chain = {"id": str(network.chain_id), "host": network.rpc, "hub": network.hub, "sms": url}
        chain |= {"ipfsGateway": url, "iexecGateway": url, "compass": url}
        (folder / "chain.json").write_text(json.dumps({"default": "local", "chains": {"local": chain}}))
        (folder / "iexec.json").write_text("{}")
        wallet = Account.encrypt(self._local.people["buyer"].key, PASSWORD, kdf="scrypt", iterations=1 << 17)
        (folder / "bench.json").write_text(json.dumps(wallet))

    def _stake_more(self) -> None:
        """Both buy from their stake, ten thousand tasks several times over."""
        from NatronIExec.devnet.contracts import calldata

        network, chain = self._local.network, self._local.chain.chain
        admin = self._local.people["admin"].address
        for role in ("buyer", "requester"):
            who = self._local.people[role].address
            chain.send(admin, network.rlc, calldata("transfer(address,uint256)", who, STAKE_NRLC))
            staking = calldata("approveAndCall(address,uint256,bytes)", network.hub, STAKE_NRLC, b"")
            chain.send(who, network.rlc, staking)

    def _requests(self) -> int:
        return int(self._client.call("status")["requests"])

    def _project(self, tasks: int) -> Path:
        """The example, with one still as its input and so many frames to write."""
        folder = self._folder / f"p{tasks}"
        shutil.copytree(ROOT / "examples" / "orbit", folder, ignore=shutil.ignore_patterns("renders"))
        project = folder / "orbit.ntp"
        text = project.read_text().replace("orbit.####.png", "orbit.0001.png")
        at = text.index("<Name>frameRange</Name>", text.index("<Name>projectPaths"))
        head, tail = text[:at], text[at:].replace("<Value>24</Value>", f"<Value>{tasks}</Value>", 1)
        project.write_text(head + tail)
        return project


if __name__ == "__main__":
    main()
