"""From an accepted job to a bought one. Each step is on disk before the next begins, and each can be begun again.

Buying twice is impossible by construction: the signed request order is recorded before anything is sent, its volume is
the number of tasks, and the chain counts how much of it was consumed. Whatever happens in between, what was bought is
asked from the chain, never remembered.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from NatronIExec import seal
from NatronIExec.errors import Cancelled, OrderRefused, OutputError, PriceAboveCap, Unreachable, WalletError
from NatronIExec.farm.bundle import Bundle, Terms, contents_of, make_bundle
from NatronIExec.farm.events import Events
from NatronIExec.farm.hashes import Hashes
from NatronIExec.farm.job import Job, Sent
from NatronIExec.farm.ledger import Ledger
from NatronIExec.farm.market_offers import Wanted, offers
from NatronIExec.farm.plan import match_of, scan_submission, unsigned_request
from NatronIExec.farm.services import NetworkServices, Services
from NatronIExec.farm.spool import Spool
from NatronIExec.iexec.orders import RequestParams, hash_order, new_salt, sign_order
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import Deal, RequestOrder, WorkerpoolOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transactions import Receipt, SignedTransaction, Transaction, require_gas

PROJECT_COPY = "project.ntp"
#: The worker gives the manifest's key under this number.
KEY_SECRET = 1
#: Others buy too: an order may be gone when the match is mined.
MATCH_TRIES = 3
REFUSED_WAIT_S = 0.25
#: What is said of tasks that were not bought, when the rest of the job was.
NOT_BOUGHT = "not bought: the worker group had no more to sell, or the job was cancelled"

#: address → what signs for it. Raises WalletLocked.
Sign = Callable[[str], Signer]

#: How soon a cancel is heard while files are read or sent.
CANCEL_HEARD_S = 0.1


class Submitter:
    """`advance` brings one job to "bought". Errors leave the job where it was; the caller decides what they mean."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        hashes: Hashes,
        sign: Sign,
        ledger: Ledger,
        events: Events,
        stopping: Callable[[], bool] = lambda: False,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._spool = spool
        self._services = services
        self._hashes = hashes
        self._sign = sign
        self._ledger = ledger
        self._events = events
        self._stopping = stopping
        self._pause = pause
        self._sent_here: set[str] = set()

    def advance(self, job_id: str) -> Job:
        """Raises Cancelled when the job was, or when the engine stops."""
        job = self._spool.job(job_id)
        if not job.reached("bundled"):
            job = self._bundle(job)
        if not job.reached("uploaded"):
            job = self._upload(job)
        if not job.reached("ordered"):
            job = self._order(job)
        if not job.reached("bought"):
            job = self._buy(job)
        return job

    # before anything is signed

    def _bundle(self, job: Job) -> Job:
        net = self._services.of(job.quote.network)
        folder = self._spool.job_folder(job.id)
        asked = job.submission.with_(project=str(folder / PROJECT_COPY), original=str(job.submission.artist_file))
        cancel = self._cancel_of(job.id)
        found = scan_submission(asked, cancel=cancel)
        if len(found.chunks) != job.quote.volume:
            raise OrderRefused(
                f"The render is now cut into {len(found.chunks)} tasks, the price was for {job.quote.volume}.",
                "Frames or inputs changed since; nothing was spent. Submit it again.",
            )
        if found.missing:
            raise OrderRefused(
                f"{found.missing[0].path} is no longer there.", "Nothing was spent. Put it back and submit again."
            )
        key = seal.new_key() if job.submission.confidential else ""
        terms = Terms(job.id, net.storage.gateway, job.submission.trust, job.quote.timeref_s, key)
        bundle = self._packed(job, lambda: make_bundle(found, folder, terms, self._hashes, cancel))
        secret = ""
        if key:
            secret = f"natron-iexec-{job.id}-{os.urandom(4).hex()}"
            net.sms.push_requester_secret(secret, key, self._signer(job))
        self._spool.plan_uploads(job.id, job.quote.network, bundle.contents)
        return self._spool.update(
            job.id,
            step="bundled",
            state="uploading",
            manifest_cid=bundle.cid,
            manifest_sha256=bundle.sha256,
            secret=secret,
            input_bytes=bundle.bytes,
        )

    def _packed(self, job: Job, pack: Callable[[], Bundle]) -> Bundle:
        try:
            return pack()
        except OSError as problem:
            raise OutputError(
                f"{problem.filename or 'A file'} cannot be packed: {problem.strerror}.",
                "Make room or restore the file, then retry the job; nothing was spent.",
            ) from problem

    def _upload(self, job: Job) -> Job:
        net = self._services.of(job.quote.network)
        network = job.quote.network
        contents = contents_of(self._spool.job_folder(job.id))
        there = self._spool.stored_cids(network)
        missing = [cid for cid in contents if cid not in there]
        if missing:
            net.storage.put(
                [contents[cid] for cid in missing],
                progress=lambda done, total, what: self._awake(job),
                cancel=self._cancel_of(job.id),
                done=lambda cids: self._spool.stored(network, cids),
            )
        self._check_cancelled(job.id)
        return self._spool.update(job.id, step="uploaded", state="ordering")

    def _awake(self, job: Job) -> None:
        """A wallet is not idle while what its owner just ordered is on its way out."""
        with contextlib.suppress(WalletError):
            self._signer(job)
        self._events.job_changed(job.id)

    # signing and buying

    def _order(self, job: Job) -> Job:
        net = self._services.of(job.quote.network)
        self._check_cancelled(job.id)
        params = RequestParams(
            args=f"--manifest {job.manifest_cid} --sha256 {job.manifest_sha256}",
            input_files=(net.storage.url(job.manifest_cid),),
            secrets=((KEY_SECRET, job.secret),) if job.secret else (),
        )
        unsigned = unsigned_request(job.quote, params.to_json(), new_salt())
        request: RequestOrder = sign_order(unsigned, net.hub.domain, self._signer(job))
        return self._spool.update(
            job.id, step="ordered", request=request, request_hash=hash_order(request, net.hub.domain)
        )

    def _buy(self, job: Job) -> Job:
        """Match until the order is used up. When no more of it can be bought, what was bought already is the job."""
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
            except Cancelled:
                if not deals or self._stopping():
                    raise
                return self._bought(job, net, deals)
            except OrderRefused:
                refused += 1
                if refused <= MATCH_TRIES:
                    self._pause(REFUSED_WAIT_S * 2**refused)  # another order, or the same once a node has caught up
                elif deals:
                    return self._bought(job, net, deals)
                else:
                    raise

    def _deals(self, job: Job, net: NetworkServices) -> list[Deal]:
        """What was bought with the job's order. Raises Unreachable while nodes of the chain do not agree on it: what
        one of them has not seen yet must not be taken for not bought."""
        deals = net.hub.deals_of_request(job.request_hash, job.quote.volume)
        seen = sum(deal.bot_size for deal in deals)
        if seen < job.quote.volume and seen != net.hub.consumed([job.request_hash])[job.request_hash]:
            raise Unreachable("The chain does not show yet what was bought.", "It is looked up again.")
        return deals

    def nothing_bought(self, job: Job) -> bool:
        """Whether that is certain: nothing was signed, or the chain says that nothing came of it. Raises Unreachable
        or ServiceError."""
        if not job.sent:
            return True
        if any(not sent.outcome or (sent.outcome == "ok" and sent.what.endswith("match")) for sent in job.sent):
            return False
        return not self._deals(job, self._services.of(job.quote.network))

    def _match(self, job: Job, net: NetworkServices) -> None:
        """Sign and send what buys as many of the job's tasks as one worker group order sells."""
        assert job.request is not None
        match = match_of(job.quote, self._worker_order(job, net), job.request)
        signer = self._signer(job)
        with net.sending:
            self._check_cancelled(job.id)
            ready = preflight(net.hub, match)
            transactions = net.hub.build_match(match, ready.deposit_nrlc, ready.nonce, ready.fees, ready.gas)
            require_gas(transactions, ready.balances.eth_wei)
            _check_gas(job, transactions)
            signed = [transaction.signed_by(signer) for transaction in transactions]
            kept = [Sent(t.what, s.hash, s.raw, t.nonce) for t, s in zip(transactions, signed)]
            self._spool.update(job.id, step="signed", sent=(*job.sent, *kept))
            for one in signed:
                net.hub.send(one)
                self._sent_here.add(one.hash)
            self._spool.update(job.id, step="sent")

    def _settle(self, job: Job, net: NetworkServices) -> Job:
        """Look up what was signed and not yet seen mined. It may never have been sent: then it is, as it was."""
        for at, sent in enumerate(job.sent):
            if sent.outcome:
                continue
            receipt = net.hub.receipt(sent.hash)
            if receipt is None:
                if sent.hash not in self._sent_here:
                    net.hub.send(SignedTransaction(sent.raw, sent.hash))
                receipt = self._await(job, net, sent)
            new, block = replace(sent, outcome="never"), job.from_block
            if receipt is not None:
                new = replace(sent, outcome="ok" if receipt.ok else "failed", gas_wei=str(receipt.gas_wei))
                block = min(block or receipt.block, receipt.block)
            job = self._spool.update(job.id, sent=(*job.sent[:at], new, *job.sent[at + 1 :]), from_block=block)
        return job

    def _await(self, job: Job, net: NetworkServices, sent: Sent) -> Receipt | None:
        """None when it can never be mined, since another transaction of the account took its place."""
        wait_s, waited = 0.02, 0.0
        while (receipt := net.hub.receipt(sent.hash)) is None:
            if self._stopping():
                raise Cancelled("The engine stops.")
            if waited > 1 and net.hub.nonce(job.quote.account) > sent.nonce:
                return net.hub.receipt(sent.hash)
            if waited > 600:
                raise Unreachable("The transaction is not mined yet.", "It is looked up again later.", hash=sent.hash)
            self._pause(wait_s)
            waited += wait_s
            wait_s = min(2.0, wait_s * 1.5)
        return receipt

    def _worker_order(self, job: Job, net: NetworkServices) -> WorkerpoolOrder:
        """The plan's orders first, as far as they have anything left; then whatever else of the same worker group is
        not dearer than what was promised."""
        consumed = net.hub.consumed([order_hash for order_hash, _ in job.quote.workerpool_orders]) if job.sent else {}
        for order_hash, order in job.quote.workerpool_orders:
            if order.volume > consumed.get(order_hash, 0):
                return order
        quote = job.quote
        wanted = Wanted(1, job.submission.confidential, quote.trust, quote.workerpool, quote.category, quote.account)
        for offer in offers(net, wanted):
            if not offer.reason and offer.order.workerpoolprice <= quote.workerpool_price_nrlc:
                return offer.order
        raise OrderRefused(
            "The worker group has nothing left to sell at the price that was shown.",
            "Submit it again to see today's price.",
        )

    def _bought(self, job: Job, net: NetworkServices, deals: Sequence[Deal]) -> Job:
        block = job.from_block or net.hub.block().number
        unbought = range(sum(deal.bot_size for deal in deals), job.quote.volume)
        if unbought:
            self._spool.change_tasks(job.id, {index: {"state": "refused", "note": NOT_BOUGHT} for index in unbought})
            self._spool.change_frames(job.id, unbought, state="failed", log=NOT_BOUGHT)
        hashes = [sent.hash for sent in job.sent if sent.what.endswith("match") and sent.outcome == "ok"]
        rows = tuple(
            {
                "dealid": deal.dealid,
                "transaction": hashes[min(at, len(hashes) - 1)] if hashes else "",
                "tasks": deal.bot_size,
                "first": deal.bot_first,
                "price_nrlc": deal.task_price_nrlc * deal.bot_size,
                "start_s": deal.start_s,
                "final_deadline_s": deal.final_deadline_s(job.quote.timeref_s),
            }
            for at, deal in enumerate(deals)
        )
        job = self._spool.update(
            job.id, step="bought", state="waiting", deals=rows, start_s=deals[0].start_s, from_block=block, error=None
        )
        self._ledger.record(job, 0)
        self._events.job_changed(job.id)
        return job

    def _signer(self, job: Job) -> Signer:
        return self._sign(job.quote.account)

    def _is_cancelled(self, job_id: str) -> bool:
        return self._stopping() or self._spool.job(job_id).cancelled

    def _cancel_of(self, job_id: str) -> Callable[[], bool]:
        """For work that asks at every frame and block: the spool is asked now and then."""
        asked_s, answer = 0.0, False

        def cancelled() -> bool:
            nonlocal asked_s, answer
            if time.monotonic() - asked_s >= CANCEL_HEARD_S:
                asked_s, answer = time.monotonic(), self._is_cancelled(job_id)
            return answer

        return cancelled

    def _check_cancelled(self, job_id: str) -> None:
        if self._is_cancelled(job_id):
            raise Cancelled("Cancelled before anything was bought.")


def _check_gas(job: Job, transactions: Sequence[Transaction]) -> None:
    """What was promised includes gas. Raises PriceAboveCap."""
    need = sum(transaction.max_gas_wei for transaction in transactions)
    spent = sum(int(sent.gas_wei) for sent in job.sent)
    if spent + need > job.quote.gas_wei:
        raise PriceAboveCap(
            "Gas has become more expensive than the price that was shown.",
            "Retry the job when the network is quieter, or submit it again; nothing was spent.",
        )


def copy_project(source: Path, folder: Path) -> Path:
    """The project as it is now, kept with the job: what the artist saves later is not rendered. Raises OutputError."""
    target = folder / PROJECT_COPY
    try:
        shutil.copyfile(source, target)
    except OSError as problem:
        raise OutputError(
            f"{problem.filename or source} cannot be copied: {problem.strerror}.", "Make room, then submit again."
        ) from problem
    return target
