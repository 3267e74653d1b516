"""Buys the tasks of a job, exactly once.

Buying twice is impossible by construction: the signed request order is recorded before anything is sent, its volume is
the number of tasks, and the chain counts how much of it was consumed. Whatever happens in between, what was bought is
asked from the chain, never remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from NatronIExec.errors import (
    Cancelled,
    NatronIExecError,
    NotEnoughFunds,
    OrderRefused,
    PriceAboveCap,
    ServiceError,
    Unreachable,
    WalletError,
)
from NatronIExec.farm.order.agreed import require_agreed, require_dealt
from NatronIExec.farm.order.network_services import NetworkServices, Services
from NatronIExec.farm.order.offers import Wanted, offers
from NatronIExec.farm.order.plan import match_of
from NatronIExec.farm.store.events import Events
from NatronIExec.farm.store.job import Job, JobDeal, Sent
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import Deal, WorkerpoolOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transactions import Receipt, SignedTransaction, Transaction, require_gas

#: Attempts to match: another buyer may have used up the worker group's order first.
MATCH_TRIES = 3
REFUSED_WAIT_S = 0.25
#: Seconds that a transaction may take to be mined before the job reports it, and, for a job that was cancelled, before
#: the purchase is withdrawn.
MINED_S = 600.0
WITHDRAW_AFTER_S = 20.0
#: A transaction that replaces another one with the same nonce must pay at least a tenth more; this factor is on the
#: safe side.
REPLACING_FEE = 2
CLOSE = "close"

#: Gives the signer of an address. Raises WalletLocked.
Sign = Callable[[str], Signer]


class Buyer:
    """`buy` brings an ordered job to "bought". Errors leave the job where it was; the caller decides what they mean."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        sign: Sign,
        ledger: Ledger,
        events: Events,
        stopping: Callable[[], bool] = lambda: False,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._spool = spool
        self._services = services
        self._sign = sign
        self._ledger = ledger
        self._events = events
        self._stopping = stopping
        self._pause = pause
        self._sent_here: set[str] = set()

    def buy(self, job: Job) -> Job:
        """Match worker group orders until all tasks are bought. If the rest cannot be bought, the job goes on with the
        tasks bought so far."""
        net = self._services.of(job.quote.network)
        net.check()
        refused = 0
        while True:
            job = self._settle(self._spool.job(job.id), net)
            deals = self._deals(job, net) if job.sent else []
            if sum(deal.bot_size for deal in deals) >= job.quote.volume:
                return self._bought(job, net, deals)
            try:
                self._check_cancelled(job.id)
                if sum(sent.outcome == "failed" for sent in job.sent) > MATCH_TRIES:
                    raise OrderRefused("The chain refuses the purchase again and again.", "Submit the job again.")
                self._match(job, net)
            except OrderRefused as problem:
                refused += 1
                if refused > MATCH_TRIES:
                    return self._settle_for(job, net, deals, problem)
                self._pause(
                    REFUSED_WAIT_S * 2**refused
                )  # try another order, or the same one once the node has caught up
            except (Cancelled, WalletError, NotEnoughFunds, PriceAboveCap) as problem:
                return self._settle_for(job, net, deals, problem)

    def _settle_for(self, job: Job, net: NetworkServices, deals: Sequence[Deal], why: NatronIExecError) -> Job:
        """Go on with the tasks bought so far and mark the others as not bought, with `why` as the reason. Raises `why`
        if nothing was bought or the engine stops."""
        if not deals or self._stopping():
            raise why
        return self._bought(job, net, deals, f"not bought: {why.title}")

    def _deals(self, job: Job, net: NetworkServices) -> list[Deal]:
        """The deals made with the job's order. Raises Unreachable while the chain's nodes disagree: a node that lags
        behind must not make a purchase look like none."""
        deals = net.hub.deals_of_request(job.request_hash, job.quote.volume)
        assert job.request is not None
        require_dealt(job.quote, job.request, deals)
        seen = sum(deal.bot_size for deal in deals)
        closed = any(one.what == CLOSE and one.outcome == "ok" for one in job.sent)
        if not closed and seen < job.quote.volume and seen != net.hub.consumed([job.request_hash])[job.request_hash]:
            raise Unreachable("The chain does not show yet what was bought.", "It is looked up again.")
        return deals

    def nothing_bought(self, job: Job) -> bool:
        """Whether it is certain that nothing was bought: nothing was signed, or the chain shows that no deal was made.
        Raises Unreachable or ServiceError."""
        if not job.sent:
            return True
        if any(not sent.outcome or (sent.outcome == "ok" and sent.what.endswith("match")) for sent in job.sent):
            return False
        return not self._deals(job, self._services.of(job.quote.network))

    def _match(self, job: Job, net: NetworkServices) -> None:
        """Sign and send a match for as many of the job's tasks as one worker group order sells."""
        assert job.request is not None
        match = match_of(job.quote, self._worker_order(job, net), job.request)
        signer = self._sign(job.quote.account)
        with net.sending():
            self._check_cancelled(job.id)
            require_agreed(job.quote, match)
            ready = preflight(net.hub, match)
            transactions = net.hub.build_match(match, ready.deposit_nrlc, ready.nonce, ready.fees, ready.gas)
            require_gas(transactions, ready.balances.eth_wei)
            _check_gas(job, transactions)
            signed = [transaction.signed_by(signer) for transaction in transactions]
            kept = [Sent(t.what, s.hash, s.raw, t.nonce) for t, s in zip(transactions, signed)]
            self._spool.update(job.id, unless_cancelled=True, step="signed", sent=(*job.sent, *kept))
            for one in signed:
                net.hub.send(one)
                self._sent_here.add(one.hash)
            self._spool.update(job.id, step="sent")

    def _settle(self, job: Job, net: NetworkServices) -> Job:
        """Look up the signed transactions that were not seen mined yet. One that was never sent, after a crash, is sent
        now, byte for byte."""
        for at, sent in enumerate(job.sent):
            if sent.outcome:
                continue
            try:
                receipt = self._receipt(job, net, sent)
            except (Unreachable, ServiceError, OrderRefused, NotEnoughFunds):
                if job.cancelled and not any(one.what == CLOSE for one in job.sent):
                    return self._settle(self._withdraw(job, net, sent), net)
                raise
            new, block = replace(sent, outcome="never"), job.from_block
            if receipt is not None:
                new = replace(sent, outcome="ok" if receipt.ok else "failed", gas_wei=receipt.gas_wei)
                block = min(block or receipt.block, receipt.block)
            job = self._spool.update(job.id, sent=(*job.sent[:at], new, *job.sent[at + 1 :]), from_block=block)
        return job

    def _receipt(self, job: Job, net: NetworkServices, sent: Sent) -> Receipt | None:
        """The receipt of a sent transaction; None if another transaction used its nonce, so that it can never be mined.
        Raises Unreachable if it is not mined in time, and the node's error if the node refuses it."""
        patience_s = WITHDRAW_AFTER_S if job.cancelled else MINED_S
        wait_s, waited = 0.02, 0.0
        while (receipt := net.hub.receipt(sent.hash)) is None:
            new = sent.hash not in self._sent_here
            if (new or waited > min(1.0, patience_s)) and net.hub.nonce(job.quote.account) > sent.nonce:
                return net.hub.receipt(sent.hash)
            if new:
                net.hub.send(SignedTransaction(sent.raw, sent.hash))
                self._sent_here.add(sent.hash)
            if self._stopping():
                raise Cancelled("The engine stops.")
            if waited > patience_s:
                raise Unreachable("The transaction is not mined yet.", "It is looked up again later.", hash=sent.hash)
            self._pause(wait_s)
            waited += wait_s
            wait_s = min(2.0, wait_s * 1.5)
        return receipt

    def _withdraw(self, job: Job, net: NetworkServices, stuck: Sent) -> Job:
        """Withdraw a purchase that was cancelled and is not mined: a transaction with the same nonce closes the request
        order. At most one of the two can be mined, and nobody can buy with the order afterwards."""
        assert job.request is not None
        signer = self._sign(job.quote.account)
        with net.sending():
            closing = replace(net.hub.build_close(job.request), nonce=stuck.nonce)
            closing = replace(
                closing,
                max_fee_wei=closing.max_fee_wei * REPLACING_FEE,
                priority_fee_wei=closing.priority_fee_wei * REPLACING_FEE,
            )
            require_gas([closing], net.hub.balances(job.quote.account).eth_wei)
            signed = closing.signed_by(signer)
            kept = Sent(CLOSE, signed.hash, signed.raw, closing.nonce)
            return self._spool.update(job.id, sent=(kept, *job.sent))

    def _worker_order(self, job: Job, net: NetworkServices) -> WorkerpoolOrder:
        """The next order to match: one of the plan's orders that is not used up, else another order of the same worker
        group that costs no more than was shown."""
        consumed = net.hub.consumed([order_hash for order_hash, _ in job.quote.workerpool_orders]) if job.sent else {}
        for order_hash, order in job.quote.workerpool_orders:
            if order.volume > consumed.get(order_hash, 0):
                return order
        quote = job.quote
        wanted = Wanted(
            1, bool(job.submission.confidential), quote.trust, quote.workerpool, quote.category, quote.account
        )
        for offer in offers(net, wanted):
            if not offer.reason and offer.order.workerpoolprice <= quote.workerpool_price_nrlc:
                return offer.order
        raise OrderRefused(
            "The worker group has nothing left to sell at the price that was shown.",
            "Submit it again to see today's price.",
        )

    def _bought(self, job: Job, net: NetworkServices, deals: Sequence[Deal], why_no_more: str = "") -> Job:
        block = job.from_block or net.hub.block().number
        unbought = range(sum(deal.bot_size for deal in deals), job.quote.volume)
        if unbought:
            self._spool.change_tasks(job.id, {index: {"state": "refused", "note": why_no_more} for index in unbought})
            self._spool.change_frames(job.id, unbought, state="failed", log=why_no_more)
        hashes = [sent.hash for sent in job.sent if sent.what.endswith("match") and sent.outcome == "ok"]
        rows = tuple(
            JobDeal(
                dealid=deal.dealid,
                transaction=hashes[min(at, len(hashes) - 1)] if hashes else "",
                tasks=deal.bot_size,
                first=deal.bot_first,
                deal_price_nrlc=deal.task_price_nrlc * deal.bot_size,
                start_s=deal.start_s,
                final_deadline_s=deal.final_deadline_s(job.quote.timeref_s),
            )
            for at, deal in enumerate(deals)
        )
        job = self._spool.update(
            job.id, step="bought", state="waiting", deals=rows, start_s=deals[0].start_s, from_block=block, error=None
        )
        self._ledger.record(job, 0)
        self._events.job_changed(job.id)
        return job

    def _check_cancelled(self, job_id: str) -> None:
        if self._stopping() or self._spool.job(job_id).cancelled:
            raise Cancelled("Cancelled.")


def _check_gas(job: Job, transactions: Sequence[Transaction]) -> None:
    """Raises PriceAboveCap if gas would cost more than the price shown allows."""
    need = sum(transaction.max_gas_wei for transaction in transactions)
    spent = sum(sent.gas_wei for sent in job.sent)
    if spent + need > job.quote.gas_wei:
        raise PriceAboveCap(
            "Gas has become more expensive than the price that was shown.",
            "Retry the job when the network is quieter, or submit it again; nothing was spent.",
        )
