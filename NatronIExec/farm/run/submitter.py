"""Brings an accepted job to the purchase: pack, upload, sign the order, buy. Each step is recorded before the next
begins, and each can be repeated."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from NatronIExec import seal
from NatronIExec.errors import (
    Cancelled,
    OrderRefused,
    OutputError,
    WalletError,
)
from NatronIExec.farm.order.frame_selection import scan_submission
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.order.plan import unsigned_request
from NatronIExec.farm.pack.bundle import MANIFEST, Bundle, Terms, contents_of, make_bundle
from NatronIExec.farm.pack.file_hashes import Hashes
from NatronIExec.farm.run.buyer import Buyer, Sign
from NatronIExec.farm.store.events import Events
from NatronIExec.farm.store.job import Job
from NatronIExec.farm.store.spool import Spool
from NatronIExec.frames import FrameSet
from NatronIExec.iexec.orders import RequestParams, hash_order, new_salt, sign_order
from NatronIExec.iexec.records import FINAL_DEADLINE_RATIO, RequestOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.scan.project_scan import Scan
from NatronIExec.scan.writers import ScanWriter

PROJECT_COPY = "project.ntp"
#: The number of the requester secret that holds the key: the worker gives it to the task as IEXEC_REQUESTER_SECRET_1.
KEY_SECRET = 1

#: Seconds between the order and the purchase, for links to inputs that end.
SPARE_S = 6 * 3600
#: Seconds until a cancel is noticed while files are read or sent.
CANCEL_HEARD_S = 0.1

#: The frames of each task by writer, and of each writer the format, views, and whether it makes a movie.
Promise = tuple[list[tuple[str, FrameSet]], dict[str, tuple[str, tuple[str, ...], bool]]]


class Submitter:
    """`advance` brings one job to "bought". Errors leave the job where it was; the caller decides what they mean.
    `new_account` gives one that nobody knows, for a single signature."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        hashes: Hashes,
        sign: Sign,
        buyer: Buyer,
        events: Events,
        stopping: Callable[[], bool] = lambda: False,
        *,
        new_account: Callable[[], Signer],
    ) -> None:
        self._spool = spool
        self._services = services
        self._hashes = hashes
        self._sign = sign
        self._buyer = buyer
        self._events = events
        self._stopping = stopping
        self._new_account = new_account

    def advance(self, job_id: str) -> Job:
        """Raises Cancelled if the job was cancelled or the engine stops."""
        job = self._spool.job(job_id)
        if not job.reached("bundled") or (not job.reached("ordered") and self._links_end_too_soon(job)):
            job = self._bundle(job)
        if not job.reached("ordered") and (not job.reached("uploaded") or self._missing(job)):
            job = self._upload(job)
        if not job.reached("ordered"):
            job = self._order(job)
        if not job.reached("bought"):
            job = self._buyer.buy(job)
        return job

    # before anything is signed

    def _bundle(self, job: Job) -> Job:
        net = self._services.of(job.quote.network)
        folder = self._spool.job_folder(job.id)
        asked = job.submission.with_(project=str(folder / PROJECT_COPY), original=str(job.submission.artist_file))
        cancel = self._cancel_of(job.id)
        found = scan_submission(asked, cancel=cancel)
        if _promised(found) != self._accepted(job):
            raise OrderRefused(
                "The project's frames or formats are not those that the price was shown for.",
                "It was saved meanwhile; nothing was spent. Submit it again.",
            )
        if found.missing:
            raise OrderRefused(
                f"{found.missing[0].path} is no longer there.", "Nothing was spent. Put it back and submit again."
            )
        key = seal.new_key() if job.submission.confidential else ""
        artist_key, theirs = seal.new_pair()
        terms = Terms(
            job.id, net.storage.gateways, job.submission.trust, job.quote.timeref_s, key, theirs,
            result_limit=net.network.result_limit_bytes, memory_limit=net.network.memory_limit_bytes,
            drop=net.storage.drop(job.id), link=net.storage.link,
        )  # fmt: skip
        bundle = self._packed(job, lambda: make_bundle(found, folder, terms, self._hashes, cancel))
        secrets: dict[str, Any] = self._give_secrets(job, key) if key else {}
        self._spool.plan_uploads(job.id, job.quote.network, bundle.contents)
        return self._spool.update(
            job.id,
            step="bundled",
            state="uploading",
            manifest_cid=bundle.cid,
            manifest_sha256=bundle.sha256,
            input_bytes=bundle.bytes,
            **{"artist_key": artist_key, **secrets},
        )

    def _links_end_too_soon(self, job: Job) -> bool:
        """A worker may ask for its inputs until the final deadline; a job that waited for days is packed again."""
        last_s = self._services.of(job.quote.network).storage.links_last_s
        packed_s = (self._spool.job_folder(job.id) / "sent" / MANIFEST).stat().st_mtime
        return bool(last_s) and time.time() - packed_s > last_s - FINAL_DEADLINE_RATIO * job.quote.timeref_s - SPARE_S

    def _give_secrets(self, job: Job, key: str) -> dict[str, Any]:
        """To the SMS: the inputs' key for the enclave, and the key that the result is to be encrypted with. That one is
        kept by account, so each job has an account of its own: another program's key for the artist's stays."""
        sms = self._services.of(job.quote.network).sms
        secret, beneficiary = os.urandom(16).hex(), self._new_account()
        private, public = seal.new_result_pair()
        sms.push_requester_secret(secret, key, self._signer(job))
        sms.push_web2_secret(seal.KEY_NAME, seal.secret_of(public), beneficiary)
        return {"secret": secret, "results_pem": private, "beneficiary": beneficiary.address}

    def _accepted(self, job: Job) -> Promise:
        """`_promised` of the job as it was when the price was shown."""
        return [(task.writer, task.frames) for task in self._spool.tasks(job.id)], _kinds_of_files(job.writers)

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
        missing = self._missing(job)
        if missing:
            net.storage.put(
                list(missing.values()),
                progress=lambda done, total, what: self._awake(job),
                cancel=self._cancel_of(job.id),
                done=lambda cids: self._spool.stored(network, cids),
            )
        self._check_cancelled(job.id)
        return self._spool.update(job.id, step="uploaded", state="ordering")

    def _missing(self, job: Job) -> dict[str, Path]:
        """What of the job is not known to be in the storage, by CID."""
        there = self._spool.stored_cids(job.quote.network)
        return {cid: held for cid, held in contents_of(self._spool.job_folder(job.id)).items() if cid not in there}

    def _awake(self, job: Job) -> None:
        """Keep the wallet from its idle lock while the files of a job that was just submitted are uploaded."""
        with contextlib.suppress(WalletError):
            self._signer(job)
        self._events.job_changed(job.id)

    # signing

    def _order(self, job: Job) -> Job:
        net = self._services.of(job.quote.network)
        self._check_cancelled(job.id)
        params = RequestParams(
            args=f"--manifest {job.manifest_cid} --sha256 {job.manifest_sha256}",
            input_files=(net.storage.url(job.manifest_cid),),
            secrets=((KEY_SECRET, job.secret),) if job.secret else (),
            encrypt_result=bool(job.results_pem),
        )
        unsigned = unsigned_request(job.quote, params.to_json(), new_salt(), job.beneficiary)
        request: RequestOrder = sign_order(unsigned, net.hub.domain, self._signer(job))
        return self._spool.update(
            job.id, step="ordered", request=request, request_hash=hash_order(request, net.hub.domain)
        )

    def _signer(self, job: Job) -> Signer:
        return self._sign(job.quote.account)

    def _is_cancelled(self, job_id: str) -> bool:
        return self._stopping() or self._spool.job(job_id).cancelled

    def _cancel_of(self, job_id: str) -> Callable[[], bool]:
        """A cancel check for loops that ask at every block; it reads the spool at most every CANCEL_HEARD_S seconds."""
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


def _promised(found: Scan) -> Promise:
    """What the price was shown for: the frames of each task and their file formats."""
    used = {chunk.writer for chunk in found.chunks}
    writers = [writer for writer in found.writers if writer.name in used]
    return [(chunk.writer, FrameSet(chunk.frames)) for chunk in found.chunks], _kinds_of_files(writers)


def _kinds_of_files(writers: Iterable[ScanWriter]) -> dict[str, tuple[str, tuple[str, ...], bool]]:
    return {writer.name: (writer.format, writer.views, writer.movie) for writer in writers}


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
