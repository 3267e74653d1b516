"""Follows the tasks of bought jobs on chain, and claims refunds for those that were not delivered in time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from NatronIExec.errors import OrderRefused, ResultRefused, Unreachable
from NatronIExec.farm.order.network_services import NetworkServices, Services
from NatronIExec.farm.run.buyer import Sign
from NatronIExec.farm.store.job import Job, JobTask, Sent
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.claims import build_claims, claimable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.records import Deal, Task, TaskStatus
from NatronIExec.iexec.results import result_location
from NatronIExec.iexec.transactions import SignedTransaction, require_gas
from NatronIExec.iexec.watch import BagWatch, TaskChange
from NatronIExec.states import TASKS_OVER

#: Seconds to wait for a claim to be mined; the job is not polled meanwhile.
CLAIM_PATIENCE_S = 30.0
CLAIM_TRIES = 3


class Claimed(NamedTuple):
    tasks: int
    refund_nrlc: int


class Watcher:
    """`poll` is called by one thread at a time for a job; `claim` by any."""

    def __init__(
        self, spool: Spool, services: Services, sign: Sign, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._spool = spool
        self._services = services
        self._sign = sign
        self._stopping = stopping
        #: With the hub that it asks: another one when the endpoints were corrected.
        self._bags: dict[str, tuple[Hub, BagWatch]] = {}
        self._deals: dict[str, list[Deal]] = {}
        self._claims: dict[str, Sequence[SignedTransaction]] = {}
        #: Of the three above; never held while the chain is asked.
        self._lock = threading.Lock()
        self._claim_lock = threading.RLock()

    def poll(self, job: Job) -> list[int]:
        """Read the chain and record what changed. Returns the indexes of the changed tasks. One HTTP request if nothing
        changed."""
        bag = self._bag(job)
        try:
            return self._record(job, bag)
        except BaseException:
            with self._lock:
                self._bags.pop(job.id, None)  # it may know changes that were not recorded; a new one reads them again
            raise

    def _record(self, job: Job, bag: BagWatch) -> list[int]:
        changes = bag.poll()
        if not changes:
            return []
        before = {task.index: task for task in self._spool.tasks(job.id)}
        tasks = {change.index: self._changed(before[change.index], change) for change in changes}
        known = {index: values for index, values in tasks.items() if values}
        self._spool.change_tasks(job.id, known)
        for state in ("rendering", "refunded", "failed"):
            chunks = [index for index, values in known.items() if _frame_state(values) == state]
            if chunks:
                self._spool.change_frames(job.id, chunks, unless=("imported",), state=state)
        self._spool.update(job.id, watch=bag.state())
        return list(known)

    def late(self, job: Job) -> bool:
        """Whether unfinished tasks are past their deadline, by the time of the newest block seen."""
        with self._lock:
            _, bag = self._bags.get(job.id, (None, None))
        if bag is None or bag.block is None or not bag.open:
            return False
        return any(bag.block.timestamp_s >= deal.final_deadline_s for deal in job.deals)

    @contextlib.contextmanager
    def claiming(self) -> Iterator[None]:
        """A lock around claiming. A user's claim takes it before it unlocks the wallet, so it runs before the engine's
        own claim, which starts as soon as the wallet is unlocked."""
        with self._claim_lock:
            yield

    def claim(self, job: Job) -> Claimed:
        """Claim the refunds of overdue tasks. One claim runs at a time, since the engine claims by itself too. Raises
        WalletLocked, NotEnoughFunds, Unreachable."""
        with self.claiming():
            claimed: dict[str, Task] = {}
            for tries_left in reversed(range(CLAIM_TRIES)):
                try:
                    overdue = self._overdue(job)
                    claimed.update({task.taskid: task for task in overdue})
                    if overdue:
                        self._send_claims(job, overdue)
                    break
                except OrderRefused:  # a task moved on between the look and the claim: look again
                    if not tries_left:
                        raise
            prices = _prices(job)
            return Claimed(len(claimed), sum(prices.get(task.dealid, 0) for task in claimed.values()))

    def _overdue(self, job: Job) -> list[Task]:
        net = self._services.of(job.quote.network)
        # first wait for claims that were sent earlier and not seen mined, so that nothing is claimed twice
        with self._lock:
            sent_before = self._claims.pop(job.id, ())
        self._mined(job, net, sent_before)
        return claimable(net.hub, self._deals_of(job, net), net.hub.block().timestamp_s, job.quote.timeref_s)

    def _send_claims(self, job: Job, overdue: Sequence[Task]) -> None:
        net = self._services.of(job.quote.network)
        signer = self._sign(job.quote.account)
        with net.sending():
            transactions = build_claims(net.hub, overdue, job.quote.account)
            require_gas(transactions, net.hub.balances(job.quote.account).eth_wei)
            signed = [transaction.signed_by(signer) for transaction in transactions]
            for one in signed:
                net.hub.send(one)
        if not self._mined(job, net, signed):
            with self._lock:
                self._claims[job.id] = signed
            raise Unreachable("The claim is not mined yet.", "It is looked up again; the money comes when it is.")

    def _mined(self, job: Job, net: NetworkServices, signed: Sequence[SignedTransaction]) -> bool:
        """Whether all transactions were mined within CLAIM_PATIENCE_S. Their gas is added to the job's costs. Raises
        OrderRefused if one failed."""
        give_up_s = time.monotonic() + CLAIM_PATIENCE_S
        late = lambda: self._stopping() or time.monotonic() > give_up_s  # noqa: E731
        for one in signed:
            receipt = net.hub.wait(one.hash, late)
            if receipt is None:
                return False
            paid = Sent("claim", one.hash, "", 0, "ok", receipt.gas_wei)
            self._spool.update(job.id, sent=(*self._spool.job(job.id).sent, paid))
        return True

    def refunded_nrlc(self, job: Job) -> int:
        prices = _prices(job)
        return sum(prices.get(task.dealid, 0) for task in self._spool.tasks(job.id, "refunded"))

    def forget(self, job_id: str) -> None:
        with self._lock:
            self._bags.pop(job_id, None)
            self._deals.pop(job_id, None)

    def _bag(self, job: Job) -> BagWatch:
        net = self._services.of(job.quote.network)
        with self._lock:
            hub, bag = self._bags.get(job.id, (None, None))
        if bag is None or hub is not net.hub:
            bag = BagWatch(net.hub, self._deals_of(job, net), job.from_block, job.watch)
            with self._lock:
                self._bags[job.id] = (net.hub, bag)
        return bag

    def _deals_of(self, job: Job, net: NetworkServices) -> list[Deal]:
        """The job's deals. Cached without a lock around the request, as deals never change on chain."""
        with self._lock:
            known = self._deals.get(job.id)
        if known is None:
            known = [deal for deal in net.hub.deals([deal.dealid for deal in job.deals]) if deal is not None]
            with self._lock:
                self._deals[job.id] = known
        return known

    def _changed(self, task: JobTask, change: TaskChange) -> dict[str, object]:
        """The new values of a task; empty if it is settled already (events are read again after a restart)."""
        if task.state in TASKS_OVER or (task.state == "delivered" and change.status is not TaskStatus.FAILED):
            return {}
        values: dict[str, object] = {"dealid": change.dealid, "taskid": change.taskid}
        if change.worker:
            values["worker"] = change.worker
        if change.status is TaskStatus.COMPLETED:
            values["digest"] = change.result_digest
            try:
                return {**values, "state": "delivered", "location": result_location(change.results)}
            except ResultRefused as problem:
                return {**values, "state": "refused", "note": str(problem)}
        if change.status is TaskStatus.FAILED:
            why = task.note or "not delivered in time"
            return {**values, "state": "refunded", "note": f"{why}; the money is back"}
        return {**values, "state": "rendering"}


def _prices(job: Job) -> dict[str, int]:
    """The price of one task in nRLC, by deal id."""
    return {deal.dealid: deal.task_price_nrlc for deal in job.deals}


def _frame_state(values: dict[str, object]) -> str:
    return {"refused": "failed", "delivered": "rendering"}.get(str(values.get("state")), str(values.get("state")))
