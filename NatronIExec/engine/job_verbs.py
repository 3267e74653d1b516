"""The verbs about scans, prices and jobs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from NatronIExec import settings
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.request import Request
from NatronIExec.errors import BadInput
from NatronIExec.farm.job_view import JobView
from NatronIExec.farm.jobs import Jobs
from NatronIExec.farm.order.frame_selection import scan_submission
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.order.offers import Wanted, offers
from NatronIExec.farm.order.retry import Asked
from NatronIExec.farm.pack.bundle import Terms, export_scan
from NatronIExec.farm.store.ledger import Ledger
from NatronIExec.frames import parse_frames
from NatronIExec.submission import Submission, from_json
from NatronIExec.wallet.session import Session

Verb = Callable[[Request, Arguments], Any]
#: A thumbnail is never larger than this.
MAX_THUMBNAIL = 1024


class JobVerbs:
    """`unlock` is called with the password that came with a request."""

    def __init__(
        self,
        jobs: Jobs,
        view: JobView,
        ledger: Ledger,
        services: Services,
        wallet: Session,
        unlock: Callable[[str], None],
    ) -> None:
        self._jobs = jobs
        self._view = view
        self._ledger = ledger
        self._services = services
        self._wallet = wallet
        self._unlock = unlock

    def table(self) -> dict[str, Verb]:
        return {
            "scan": self.scan,
            "plan": self.plan,
            "submit": self.submit,
            "jobs": self.jobs,
            "show": self.show,
            "frames": self.frames,
            "logs": self.logs,
            "cancel": self.cancel,
            "retry": self.retry,
            "import": self.import_,
            "claim": self.claim,
            "remove": self.remove,
            "bundle": self.bundle,
            "thumbnail": self.thumbnail,
            "ledger": self.ledger,
            "workerpools": self.workerpools,
        }

    def scan(self, request: Request, args: Arguments) -> Any:
        return scan_submission(self._submission(args), request.progress, request.cancelled).to_json()

    def plan(self, request: Request, args: Arguments) -> Any:
        job = args.maybe("retry", str)
        if job is not None:
            frames = _asked(args)
            args.done()
            return self._jobs.retry_plan(job, frames, request.progress).to_sheet()
        return self._jobs.plan(self._submission(args), request.progress, request.cancelled).to_sheet()

    def submit(self, request: Request, args: Arguments) -> Any:
        self._maybe_unlock(args)
        plan, most = args.maybe("plan", str), args.maybe("max_total_nrlc", int)
        return {"job": self._jobs.submit(self._submission(args), plan, most)}

    def jobs(self, request: Request, args: Arguments) -> Any:
        args.done()
        return self._view.rows()

    def show(self, request: Request, args: Arguments) -> Any:
        return self._view.sheet(args.take("job", str))

    def frames(self, request: Request, args: Arguments) -> Any:
        return [frame.to_row() for frame in self._view.frames(args.take("job", str))]

    def logs(self, request: Request, args: Arguments) -> Any:
        tail = args.maybe("tail", int) or 200
        return {"lines": self._view.logs(args.take("job", str), args.maybe("task", int), tail)}

    def cancel(self, request: Request, args: Arguments) -> Any:
        self._maybe_unlock(args)
        return self._jobs.cancel(args.take("job", str))

    def retry(self, request: Request, args: Arguments) -> Any:
        self._maybe_unlock(args)
        plan, most = args.maybe("plan", str), args.maybe("max_total_nrlc", int)
        return {"job": self._jobs.retry(args.take("job", str), _asked(args), plan, most)}

    def import_(self, request: Request, args: Arguments) -> Any:
        return self._jobs.import_frames(args.take("job", str))

    def claim(self, request: Request, args: Arguments) -> Any:
        return self._jobs.claim(args.maybe("job", str), unlock=lambda: self._maybe_unlock(args))

    def remove(self, request: Request, args: Arguments) -> Any:
        self._jobs.remove(args.take("job", str))
        return {}

    def bundle(self, request: Request, args: Arguments) -> Any:
        job, to = args.maybe("job", str), Path(args.take("to", str))
        if job is not None:
            return {"path": str(self._jobs.export(job, to))}
        asked = self._submission(args)
        found = scan_submission(asked, request.progress, request.cancelled)
        terms = Terms("", self._services.of(asked.network).storage.gateways, asked.trust, timeref_s=0)
        return {"path": str(export_scan(found, terms, to, request.cancelled))}

    def thumbnail(self, request: Request, args: Arguments) -> Any:
        size = min(max(args.take("size", int), 8), MAX_THUMBNAIL)
        job, frame = args.take("job", str), args.take("frame", int)
        path = self._view.thumbnail(job, frame, args.maybe("view", str), size, args.maybe("writer", str))
        return {"png": base64.b64encode(path.read_bytes()).decode()}

    def ledger(self, request: Request, args: Arguments) -> Any:
        return self._ledger.sheet()

    def workerpools(self, request: Request, args: Arguments) -> Any:
        services = self._services.of(args.take("network", str))
        tasks, confidential = args.maybe("tasks", int), args.flag("confidential")
        wanted = Wanted(tasks or 1, confidential, requester=self._wallet.current or "")
        return [offer.to_row() for offer in offers(services, wanted)]

    def _submission(self, args: Arguments) -> Submission:
        """What is left of the arguments. What it does not say: frames go where the settings say, and a render is
        confidential where the network's deals run in an enclave anyway."""
        given = dict(args.rest())
        if given.get("confidential") is None:
            network = self._services.networks().get(str(given.get("network")))
            given["confidential"] = network is not None and network.in_enclave
        asked = from_json(given)
        return asked if asked.out else asked.with_(out=settings.load().output_folder)

    def _maybe_unlock(self, args: Arguments) -> None:
        password = args.maybe("password", str)
        if password is not None:
            self._unlock(password)


def _asked(args: Arguments) -> Asked:
    """The frames that a retry asks for: `frames_of` (by writer) takes precedence over `frames` (of every writer)."""
    frames, by_writer = args.maybe("frames", str), args.maybe("frames_of", dict)
    if by_writer and not all(isinstance(text, str) for text in by_writer.values()):
        raise BadInput("frames_of holds frames by writer.", "See docs/engine-protocol.md.")
    if by_writer:
        return {writer: parse_frames(text) for writer, text in by_writer.items()}
    return parse_frames(frames) if frames else None
