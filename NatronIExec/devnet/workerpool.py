"""A worker group: a scheduler and some workers that drive every task through the real contracts.

Standard tasks go initialize → contribute → reveal → finalize, tasks with the TDX tag contributeAndFinalize with a key
of ours playing the enclave. Each task runs the container program as a child process with exactly the environment that
iExec gives a container. Deterministic digests, result archives and name limits follow the worker and post-compute.
"""

from __future__ import annotations

import json
import queue
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from NatronIExec import log
from NatronIExec.devnet import containers
from NatronIExec.devnet.chain import LocalChain
from NatronIExec.devnet.content import ContentService
from NatronIExec.devnet.contracts import TestAccount
from NatronIExec.devnet.post_compute import RunOutcome
from NatronIExec.devnet.sandbox import Faults, Terms, run_task
from NatronIExec.devnet.side_services import SchedulerService, SecretService
from NatronIExec.errors import NatronIExecError
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.orders import task_ids
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal, TaskStatus

#: Well below the block gas limit: 170 k gas a task.
INITIALIZE_A_BATCH = 100
POLL_S = 0.1
#: A deal that could not be begun is tried again after POLL_S, later after so long at most.
LONGEST_WAIT_S = 10.0
#: Of the category's time reference: when a deal's tasks can be claimed (PoCo IexecPoco2Facet).
FINAL_DEADLINE_RATIO = 10
_SCHEDULER_NOTICE = "0x" + keccak(text="SchedulerNotice(address,bytes32)").hex()


@dataclass
class _Job:
    """One task on its way; `tried` and `contributed` hold worker numbers."""

    deal: Deal
    index: int
    taskid: str
    timeref_s: int
    tried: set[int] = field(default_factory=set)
    contributed: dict[int, RunOutcome] = field(default_factory=dict)


@dataclass
class _Waiting:
    """A deal that is to be begun. `anew`: some of its tasks may be initialized or over already."""

    deal: Deal
    anew: bool
    tries: int = 0
    not_before_s: float = 0.0


class Workerpool:
    """Works until `stop`. `faults` says which tasks misbehave, and how.

    What was under way when an earlier one stopped goes on, but a task that waits for a second worker to agree: what the
    first one found is not kept, so that such a task ends at its deadline.
    """

    def __init__(
        self,
        chain: LocalChain,
        hub: Hub,
        content: ContentService,
        secrets: SecretService,
        scheduler: SchedulerService,
        folder: Path,
        workers: int,
        faults: Faults,
    ) -> None:
        self._chain = chain
        self._hub = hub
        self._content = content
        self._secrets = secrets
        self._notes = scheduler
        self._folder = folder
        self._people = [chain.people[f"worker{number}"] for number in range(workers)]
        self._owner = chain.people["pool_owner"]
        self._enclave = chain.people["enclave"]
        self.faults = faults
        self._todo: queue.Queue[_Job | None] = queue.Queue()
        self._stopping = threading.Event()
        self._image = containers.image()
        self._next_block = 0
        self._begun_before = hub.block().number
        self._waiting: list[_Waiting] = []
        self._threads = [
            threading.Thread(target=self._schedule, name="devnet-scheduler", daemon=True),
            *(
                threading.Thread(target=self._work, args=(number,), name=f"devnet-worker{number}", daemon=True)
                for number in range(workers)
            ),
        ]
        self._log = log.get_logger("devnet")

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for _ in self._people:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()

    # scheduler

    def _schedule(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_new_deals()
            except NatronIExecError as problem:
                self._log.warning("scheduler: %s", problem)
            now = time.monotonic()
            for waiting in [one for one in self._waiting if one.not_before_s <= now]:
                self._try_to_begin(waiting)
            self._stopping.wait(POLL_S)

    def _take_new_deals(self) -> None:
        """Also those of earlier runs, which the chain remembers, when this one begins."""
        head = self._hub.block().number
        self._next_block = min(self._next_block, head + 1)  # a chain that died goes on from where it was saved
        if head < self._next_block:
            return
        pool_topic = "0x" + "00" * 12 + self._hub.network.workerpool[2:].lower()
        wanted = {
            "address": self._hub.network.hub,
            "topics": [_SCHEDULER_NOTICE, pool_topic],
            "fromBlock": hex(self._next_block),
            "toBlock": hex(head),
        }
        found = self._hub.transport.rpc(self._hub.network.rpc, "eth_getLogs", [wanted])
        deals = self._hub.deals([entry["data"][:66] for entry in found])
        for entry, deal in zip(found, deals):
            if deal is not None:
                self._waiting.append(_Waiting(deal, anew=int(entry["blockNumber"], 16) <= self._begun_before))
        if found:
            self._chain.save_deal()
        self._next_block = head + 1

    def _try_to_begin(self, waiting: _Waiting) -> None:
        """One that fails keeps no other from being begun, and is tried again until its tasks can be claimed."""
        try:
            self._begin(waiting.deal, waiting.anew)
        except NatronIExecError as problem:
            self._log.warning("deal %s: %s", waiting.deal.dealid, problem)
            waiting.anew = True
            waiting.not_before_s = time.monotonic() + min(LONGEST_WAIT_S, POLL_S * 2**waiting.tries)
            waiting.tries += 1
        else:
            self._waiting.remove(waiting)

    def _begin(self, deal: Deal, anew: bool) -> None:
        timeref = self._hub.category(deal.category).timeref_s
        indices = range(deal.bot_first, deal.bot_first + deal.bot_size)
        open_ones = {index for index in indices if self.faults.of(index) != "never-initialized"}
        unset = set(open_ones)
        if anew:
            if self._hub.block().timestamp_s >= deal.start_s + FINAL_DEADLINE_RATIO * timeref:
                return
            states = [task.status for task in self._hub.tasks([(deal.dealid, index) for index in indices])]
            state = dict(zip(indices, states))
            unset = {index for index in open_ones if state[index] is TaskStatus.UNSET}
            open_ones = {index for index in open_ones if state[index] in (TaskStatus.UNSET, TaskStatus.ACTIVE)}
        wanted = sorted(unset)
        for at in range(0, len(wanted), INITIALIZE_A_BATCH):
            part = wanted[at : at + INITIALIZE_A_BATCH]
            self._send(self._owner, "initializeArray", [_raw(deal.dealid)] * len(part), part, gas=50_000_000)
        ids = task_ids(deal.dealid, deal.bot_first, deal.bot_size)
        for index in sorted(open_ones):
            taskid = ids[index - deal.bot_first]
            self._notes.begin(taskid, deal.requester)
            self._todo.put(_Job(deal, index, taskid, timeref))

    # workers

    def _work(self, worker: int) -> None:
        while (job := self._todo.get()) is not None and not self._stopping.is_set():
            if worker in job.tried and len(job.tried) < len(self._people):
                self._todo.put(job)
                self._stopping.wait(POLL_S)
                continue
            job.tried.add(worker)
            try:
                self._do(worker, job)
            except Exception:  # a worker's own trouble must not end the worker
                self._log.exception("worker %d, task %s", worker, job.taskid)
                self._notes.note(job.taskid, "FAILED")

    def _do(self, worker: int, job: _Job) -> None:
        self._notes.note(job.taskid, "RUNNING")
        folder = self._folder / f"{job.taskid[2:14]}-{worker}"
        shutil.rmtree(folder, ignore_errors=True)
        network = self._hub.network
        try:
            outcome = run_task(
                deal=job.deal,
                index=job.index,
                taskid=job.taskid,
                folder=folder,
                secrets=self._secrets_of(job.deal),
                terms=Terms(job.timeref_s, network.memory_limit_bytes, network.result_limit_bytes),
                fault=self.faults.of(job.index),
                stopping=self._stopping,
                image=self._image,
                result_key=self._secrets.result_key(job.deal.beneficiary),
            )
            self._notes.note(job.taskid, outcome.status, self._people[worker].address, outcome.stdout, outcome.stderr)
            if outcome.digest is not None and outcome.archive is not None:
                cid = self._content.add_file(outcome.archive)
                if self.faults.of(job.index) == "no-content":
                    self._content.forget(cid)
                self._settle(worker, job, outcome, cid)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _secrets_of(self, deal: Deal) -> dict[str, str]:
        """Only a task in an enclave is given secrets."""
        if not int(deal.tag, 16) & 1:
            return {}
        wanted = json.loads(deal.params).get("iexec_secrets", {})
        found = {number: self._secrets.requester_secret(deal.requester, name) for number, name in wanted.items()}
        return {f"IEXEC_REQUESTER_SECRET_{number}": value for number, value in found.items() if value is not None}

    def _settle(self, worker: int, job: _Job, outcome: RunOutcome, cid: str) -> None:
        results = b'{ "storage": "ipfs", "location": "/ipfs/%s" }' % cid.encode()
        task, digest = _raw(job.taskid), outcome.digest
        assert digest is not None
        who = self._people[worker]
        in_enclave = bool(int(job.deal.tag, 16) & 1)
        enclave = self._enclave.address if in_enclave else ZERO_ADDRESS
        result_hash = keccak(task + digest)
        seal = keccak(_raw(who.address) + task + digest)
        allowed = _eth_sign(self._owner, keccak(_raw(who.address) + task + _raw(enclave)))
        if in_enclave:
            proof = _eth_sign(self._enclave, keccak(result_hash + seal))
            self._send(who, "contributeAndFinalize", task, digest, results, b"", enclave, proof, allowed)
            self._notes.note(job.taskid, "COMPLETED")
            return
        self._send(who, "contribute", task, result_hash, seal, enclave, b"", allowed)
        job.contributed[worker] = outcome
        status = self._hub.tasks([(job.deal.dealid, job.index)])[0].status
        if status is TaskStatus.ACTIVE:
            self._todo.put(job)  # more workers must agree
            return
        for number, contributed in job.contributed.items():
            if contributed.digest == digest:
                self._send(self._people[number], "reveal", task, digest)
        self._send(self._owner, "finalize", task, results, b"")
        self._notes.note(job.taskid, "COMPLETED")

    def _send(self, who: TestAccount, name: str, *args: Any, gas: int = 3_000_000) -> None:
        self._chain.chain.send(who.address, self._hub.network.hub, self._hub.encode(name, *args), gas=gas)


def _raw(hexed: str) -> bytes:
    return bytes.fromhex(hexed[2:])


def _eth_sign(who: TestAccount, digest: bytes) -> bytes:
    return bytes(Account.sign_message(encode_defunct(digest), who.key).signature)
