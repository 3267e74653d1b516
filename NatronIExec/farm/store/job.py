"""A job: one submission on its way from the artist's disk to the chain and back. Frozen; the spool keeps the newest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from NatronIExec import submission as submissions
from NatronIExec.iexec import orders
from NatronIExec.iexec.records import AppOrder, RequestOrder, WorkerpoolOrder
from NatronIExec.submission import Submission

#: Recorded one after the other, each before the next begins.
STEPS = ("accepted", "bundled", "uploaded", "ordered", "signed", "sent", "bought", "over")


@dataclass(frozen=True)
class Quote:
    """The most that a job can cost, and the orders that it is bought with. Prices are of one task; `app_price_nrlc` and
    `workerpool_price_nrlc` are the highest that the request order will allow."""

    network: str
    chain_id: int
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
    def total_nrlc(self) -> int:
        return self.volume * (self.app_price_nrlc + self.workerpool_price_nrlc)

    @property
    def workerpool(self) -> str:
        return self.workerpool_orders[0][1].workerpool

    def to_json(self) -> dict[str, Any]:
        """`gas_wei` as text: it may be larger than what JSON numbers hold exactly."""
        return {**asdict(self), "gas_wei": str(self.gas_wei)}

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Quote:
        offers = tuple((order_hash, WorkerpoolOrder(**order)) for order_hash, order in wire["workerpool_orders"])
        changes = {"app": AppOrder(**wire["app"]), "workerpool_orders": offers, "gas_wei": int(wire["gas_wei"])}
        return cls(**{**wire, **changes})


@dataclass(frozen=True)
class Sent:
    """A signed transaction, recorded before it is sent. `outcome` is "" until it was mined, then "ok" or
    "failed", or "never" when another transaction took its nonce."""

    what: str
    hash: str
    raw: str
    nonce: int
    outcome: str = ""
    gas_wei: str = "0"


@dataclass(frozen=True)
class Job:
    """`most_nrlc` is the promise: what the person was shown before Submit. `rest` is what follows a test, by itself or
    on demand. `secret` names what opens the sealed inputs ("" when nothing is sealed), `results_pem` opens the result,
    which is encrypted for `beneficiary`, an account of this job alone; `artist_key` opens what could not come back with
    the result. `results_key` is of jobs whose manifest had schema 1. `writers` are the fields of each ScanWriter.
    `parent` is the job that this one is a retry or the rest of, `plan` what the person accepted.
    `out_of` maps the writer's folder to the one that is used instead, once its frames would have overwritten others."""

    id: str
    created_s: float
    submission: Submission
    quote: Quote
    most_nrlc: int
    state: str = "preparing"
    step: str = "accepted"
    error: Mapping[str, Any] | None = None
    ended_s: float | None = None
    last_update_s: float | None = None
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
    deals: tuple[Mapping[str, Any], ...] = ()
    start_s: float | None = None
    from_block: int = 0
    watch: Mapping[str, Any] = field(default_factory=dict)
    writers: tuple[Mapping[str, Any], ...] = ()
    out_of: Mapping[str, str] = field(default_factory=dict)
    inputs_cleared: bool = False

    @property
    def name(self) -> str:
        return self.submission.artist_file.stem

    @property
    def bought(self) -> bool:
        return bool(self.deals)

    @property
    def paid_nrlc(self) -> int:
        return sum(int(deal["price_nrlc"]) for deal in self.deals)

    @property
    def refund_at_s(self) -> float | None:
        return max((deal["final_deadline_s"] for deal in self.deals), default=None)

    def reached(self, step: str) -> bool:
        return STEPS.index(self.step) >= STEPS.index(step)

    def to_json(self) -> dict[str, Any]:
        wire = {f.name: getattr(self, f.name) for f in fields(self)}
        wire["submission"] = self.submission.to_json()
        wire["rest"] = self.rest.to_json() if self.rest else None
        wire["quote"] = self.quote.to_json()
        wire["request"] = orders.to_json(self.request) if self.request else None
        wire["sent"] = [asdict(sent) for sent in self.sent]
        return wire

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Job:
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in wire.items() if name in known}
        values["submission"] = submissions.from_json(wire["submission"])
        values["rest"] = submissions.from_json(wire["rest"]) if wire["rest"] else None
        values["quote"] = Quote.from_json(wire["quote"])
        values["request"] = RequestOrder(**wire["request"]) if wire["request"] else None
        values["sent"] = tuple(Sent(**sent) for sent in wire["sent"])
        values["deals"], values["writers"] = tuple(wire["deals"]), tuple(wire["writers"])
        return cls(**values)


@dataclass(frozen=True)
class JobTask:
    """A chunk and its task on chain. `state`: waiting, rendering, delivered (its result is on the way), done, refused
    (what came back is not what the chain promised), refunded."""

    index: int
    frames: str
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
    """One file to come: a frame of a writer, in one view ("" without views)."""

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
