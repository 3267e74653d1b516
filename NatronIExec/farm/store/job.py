"""A job: one submission on its way from the artist's disk to the chain and back. Frozen; the spool keeps the newest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from NatronIExec.errors import NatronIExecError
from NatronIExec.frames import FrameSet
from NatronIExec.iexec.records import AppOrder, BagState, RequestOrder, WorkerpoolOrder
from NatronIExec.scan.writers import ScanWriter
from NatronIExec.submission import Submission

#: The steps of a purchase, in order. Each is recorded on disk before the next begins.
STEPS = ("accepted", "bundled", "uploaded", "ordered", "signed", "sent", "bought", "over")


@dataclass(frozen=True)
class Quote:
    """The most that a job can cost, and the orders that it is bought with. Prices are per task; `app_price_nrlc` and
    `workerpool_price_nrlc` are the maxima that the request order allows. `gas_wei` is the most gas of all its
    transactions, `timeref_s` the category's time reference in seconds."""

    network: str
    account: str
    app: AppOrder
    workerpool_orders: tuple[tuple[str, WorkerpoolOrder], ...]
    volume: int
    category: int
    category_name: str
    timeref_s: int
    tag: str
    trust: int
    app_price_nrlc: int
    workerpool_price_nrlc: int
    gas_wei: int
    workerpool_name: str = ""

    @property
    def task_price_nrlc(self) -> int:
        return self.app_price_nrlc + self.workerpool_price_nrlc

    @property
    def workerpool(self) -> str:
        return self.workerpool_orders[0][1].workerpool


@dataclass(frozen=True)
class Sent:
    """A signed transaction, recorded before it is sent. `raw` is what is sent (0x hex). `outcome` is "" until it is
    mined, then "ok" or "failed"; "never" if another transaction used its nonce. `gas_wei` is the gas that it cost."""

    what: str
    hash: str
    raw: str
    nonce: int
    outcome: str = ""
    gas_wei: int = 0


@dataclass(frozen=True)
class JobDeal:
    """A purchase of the job: the tasks from number `first` on. `deal_price_nrlc` is what all of them cost together; the
    chain's deal and an offer name the price of one."""

    dealid: str
    transaction: str
    tasks: int
    first: int
    deal_price_nrlc: int
    start_s: float
    final_deadline_s: float

    @property
    def task_price_nrlc(self) -> int:
        return self.deal_price_nrlc // self.tasks


@dataclass(frozen=True)
class FolderMove:
    """Frames for `folder` go to `to` since they would have overwritten others."""

    folder: str
    to: str


@dataclass(frozen=True)
class JobError:
    """What a job waits for or ended with: one of errors.py, as it can be kept."""

    code: str
    title: str
    remedy: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: NatronIExecError) -> JobError:
        return cls(**problem.to_wire())


@dataclass(frozen=True)
class Job:
    """`most_nrlc` is the promise: what the person was shown before Submit. `rest` is what follows a test, by itself or
    on demand. `secret` names what opens the sealed inputs ("" when nothing is sealed), `results_pem` opens the result,
    which is encrypted for `beneficiary`, an account of this job alone; `artist_key` opens what could not come back with
    the result. `results_key` is of jobs whose manifest had schema 1. `writers` are those that it renders, as the
    project said then. `parent` is the job that this one is a retry or the rest of, `plan` what the person accepted.
    `moves` are folders in whose place others are used. `watch` is up to where the chain was read."""

    id: str
    created_s: float
    submission: Submission
    quote: Quote
    most_nrlc: int
    state: str = "preparing"
    step: str = "accepted"
    error: JobError | None = None
    ended_s: float | None = None
    parent: str = ""
    plan: str = ""
    rest: Submission | None = None
    rest_most_nrlc: int = 0
    cancelled: bool = False
    removed: bool = False
    manifest_cid: str = ""
    manifest_sha256: str = ""
    secret: str = ""
    results_key: str = ""
    results_pem: str = ""
    artist_key: str = ""
    beneficiary: str = ""
    input_bytes: int = 0
    request: RequestOrder | None = None
    request_hash: str = ""
    sent: tuple[Sent, ...] = ()
    deals: tuple[JobDeal, ...] = ()
    start_s: float | None = None
    from_block: int = 0
    watch: BagState | None = None
    writers: tuple[ScanWriter, ...] = ()
    moves: tuple[FolderMove, ...] = ()
    inputs_cleared: bool = False

    @property
    def name(self) -> str:
        return self.submission.artist_file.stem

    @property
    def bought(self) -> bool:
        return bool(self.deals)

    @property
    def paid_nrlc(self) -> int:
        return sum(deal.deal_price_nrlc for deal in self.deals)

    @property
    def refund_at_s(self) -> float | None:
        return max((deal.final_deadline_s for deal in self.deals), default=None)

    def reached(self, step: str) -> bool:
        return STEPS.index(self.step) >= STEPS.index(step)

    def folder_for(self, folder: str) -> str:
        """Where frames for a writer's `folder` really go."""
        return next((move.to for move in self.moves if move.folder == folder), folder)

    def moved(self, folder: str, to: str) -> tuple[FolderMove, ...]:
        """`moves` once frames for `folder` go to `to`."""
        return (*(move for move in self.moves if move.folder != folder), FolderMove(folder, to))


@dataclass(frozen=True)
class JobTask:
    """A chunk and its task on chain. `state`: waiting, rendering, delivered (its result is on the way), done, refused
    (what came back is not what the chain promised), refunded."""

    index: int
    frames: FrameSet
    writer: str
    state: str = "waiting"
    dealid: str = ""
    taskid: str = ""
    worker: str = ""
    location: str = ""
    digest: str = ""
    tries: int = 0
    note: str = ""


@dataclass(frozen=True)
class JobFrame:
    """One file that the job will bring: a frame of a writer in one view ("" without views). `time_s` is its render time
    in seconds, `size` in bytes."""

    writer: str
    frame: int
    view: str
    chunk: int
    state: str = "waiting"
    tries: int = 0
    time_s: float | None = None
    size: int | None = None
    file: str | None = None
    log: str = ""

    def to_row(self) -> dict[str, Any]:
        """The FrameRow of docs/engine-protocol.md."""
        return {name: value for name, value in asdict(self).items() if name != "tries"}
