"""The records that cross the engine's door, and its events. Which verb takes and answers what is in `verb_table`.

The two are docs/engine-protocol.md in code, for the engine, its clients and their tests; standard library only, since
the GUI reads them inside Natron. Amounts are ints in nRLC (`_nrlc`) or decimal strings in wei (`_wei`), times
are Unix seconds (`_s`), sizes are bytes, addresses are 0x checksummed, paths are absolute.

A Submission and the Settings are dataclasses of their own modules; what is sent of them is an object with their fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Literal, Optional, TypedDict, Union

from NatronIExec.settings import Settings
from NatronIExec.states import FrameState, JobState, TaskState
from NatronIExec.submission import Submission

if TYPE_CHECKING:
    SubmissionFields = Dict[str, Any]
    SettingsFields = Dict[str, Any]
else:  # what reads annotations finds the fields
    SubmissionFields = Submission
    SettingsFields = Settings

EndpointKind = Literal["rpc", "market", "sms", "ipfs", "gateway"]
Level = Literal["error", "warning", "info"]


class WireError(TypedDict):
    """One of errors.py: `to_wire` and `from_wire` convert it."""

    code: str
    title: str
    remedy: str
    details: Dict[str, Any]


# scan and plan


class WriterRow(TypedDict):
    """A Write node. `reason` says why it cannot be rendered; `views` is [] unless its file name has a view token."""

    name: str
    label: str
    enabled: bool
    reason: str
    file: str
    format: str
    first: int
    last: int
    step: int
    movie: bool
    views: List[str]


class FileRow(TypedDict):
    """A file that the render reads."""

    path: str
    node: str
    why: str
    size: int
    exists: bool


class ChunkRow(TypedDict):
    """What one task renders, and the paths that it reads."""

    index: int
    writer: str
    frames: List[int]
    files: List[str]


class MissingRow(TypedDict):
    """A file that is needed and not there, with the frames and chunks that need it."""

    path: str
    node: str
    frames: List[int]
    chunks: List[int]


class CheckRow(TypedDict):
    """One finding of the scan. An error blocks; `node` is "" when it is about the whole project."""

    level: Level
    code: str
    node: str
    title: str
    remedy: str


class SentBytes(TypedDict):
    """`whole_clips`: what would be sent if every clip went whole."""

    sent: int
    whole_clips: int


class ScanSheet(TypedDict):
    """The answer to `scan`."""

    writers: List[WriterRow]
    files: List[FileRow]
    chunks: List[ChunkRow]
    missing: List[MissingRow]
    checks: List[CheckRow]
    bytes: SentBytes


class Category(TypedDict):
    """A time limit of the marketplace."""

    id: int
    name: str
    time_limit_s: int


class WorkerpoolRow(TypedDict):
    """A worker group's order. `volume` the tasks left, `reason` why it does not fit."""

    workerpool: str
    name: str
    task_price_nrlc: int
    category: int
    category_name: str
    time_limit_s: int
    trust: int
    volume: int
    confidential: bool
    fits: bool
    reason: str
    order_hash: str


class Balance(TypedDict):
    """`rlc_nrlc` is in the wallet, `stake_nrlc` deposited and free, `locked_nrlc` deposited and bound in deals."""

    rlc_nrlc: int
    stake_nrlc: int
    locked_nrlc: int
    eth_wei: str


class PlanSheet(TypedDict):
    """The answer to `plan`. Prices are null when nobody sells; `problems` then says so.

    `app_price_nrlc` and `workerpool_price_nrlc` are of one task, `total_nrlc` and `gas_wei` the most that can be spent,
    `deposit_nrlc` what of it must move from the wallet, `after_nrlc` what wallet and stake then hold, `refund_s` the
    seconds after the purchase when unfinished frames can be refunded, `deals` the transactions that it takes."""

    plan: str
    scan: ScanSheet
    network: str
    account: Optional[str]
    tasks: int
    frames: int
    chunk: int
    category: Optional[Category]
    workerpool: Optional[WorkerpoolRow]
    app_price_nrlc: Optional[int]
    workerpool_price_nrlc: Optional[int]
    total_nrlc: Optional[int]
    deposit_nrlc: Optional[int]
    gas_wei: Optional[str]
    refund_s: Optional[int]
    balance: Optional[Balance]
    after_nrlc: Optional[int]
    upload_bytes: int
    confidential: bool
    problems: List[WireError]
    deals: int


# jobs


class JobRow(TypedDict):
    """A line of the queue. `state_text` is the state in words, `out` the folder of the first writer's frames,
    `workerpool` its name or address, `thumbnail` a frame that has a picture, `error` what it waits for or ended with,
    `held` whether it waits for *render the rest*."""

    id: str
    name: str
    project: str
    original: str
    writers: List[str]
    network: str
    state: JobState
    state_text: str
    step: str
    created_s: float
    ended_s: Optional[float]
    frames_total: int
    frames_done: int
    frames_failed: int
    frames_running: int
    tasks_total: int
    tasks_done: int
    paid_nrlc: int
    most_nrlc: int
    refunded_nrlc: int
    workerpool: str
    refund_at_s: Optional[float]
    eta_s: Optional[float]
    out: str
    last_update_s: Optional[float]
    error: Optional[WireError]
    thumbnail: Optional[int]
    held: bool


class FrameRow(TypedDict):
    """One file to come: a frame of a writer, in one view ("" without views). `time_s` is the time of its render, `log`
    the last line of it."""

    frame: int
    writer: str
    view: str
    chunk: int
    state: FrameState
    time_s: Optional[float]
    size: Optional[int]
    file: Optional[str]
    log: str


class DealRow(TypedDict):
    """A purchase: `tasks` tasks from the number `first` on, which cost `deal_price_nrlc` together."""

    dealid: str
    transaction: str
    tasks: int
    first: int
    deal_price_nrlc: int
    start_s: float
    final_deadline_s: float


class StepRow(TypedDict):
    """A step that the job has reached, and when."""

    step: str
    at_s: float


class TaskRow(TypedDict):
    """`taskid` is null until it was bought, `worker` until one has begun, `result` (a path) until one delivered."""

    index: int
    taskid: Optional[str]
    state: TaskState
    frames: str
    worker: Optional[str]
    result: Optional[str]
    note: str


class JobSheet(JobRow):
    """Everything about one job."""

    submission: SubmissionFields
    deals: List[DealRow]
    manifest: Optional[str]
    request_order: Optional[str]
    steps: List[StepRow]
    tasks: List[TaskRow]


# networks, wallet, money


class NetworkRow(TypedDict):
    """`test`: its money is worth nothing. `available`: the renderer is deployed there. `confidential`: renders are,
    unless the submission says otherwise. `forgets`: uploaded inputs are removed when their job is over."""

    name: str
    title: str
    chain_id: int
    test: bool
    endpoints: Dict[EndpointKind, str]
    available: bool
    faucet: Optional[str]
    explorer: Optional[str]
    confidential: bool
    forgets: bool


class Account(TypedDict):
    """`file` is the keystore, or the address of the external signer."""

    address: str
    name: str
    file: str
    kind: Literal["keystore", "external"]


class Keyring(TypedDict):
    """`remembered`: it holds the password of the current account."""

    available: bool
    backend: Optional[str]
    remembered: bool


class OfflineWallet(TypedDict):
    """What of a WalletState needs no network."""

    accounts: List[Account]
    current: Optional[str]
    unlocked: bool
    external: Optional[str]
    keyring: Keyring


class WalletState(OfflineWallet):
    """`balance` is of the current account on `network`; null when it has none or `error` says why it is not known."""

    network: str
    balance: Optional[Balance]
    error: Optional[WireError]


class LedgerRow(TypedDict):
    """What one job cost and what came back."""

    job: str
    name: str
    at_s: float
    paid_nrlc: int
    refunded_nrlc: int
    gas_wei: str
    network: str
    transaction: str


class Ledger(TypedDict):
    """`month_spent_nrlc`: paid less refunded, in this month."""

    entries: List[LedgerRow]
    month_spent_nrlc: int


# events


class JobsEvent(TypedDict):
    """Rows that are new or have changed, and the ids of jobs that were taken off the list."""

    event: Literal["jobs"]
    jobs: List[JobRow]
    removed: List[str]


class FramesEvent(TypedDict):
    event: Literal["frames"]
    job: str
    frames: List[FrameRow]


class NoticeEvent(TypedDict):
    """What a person should know; `job` is null when it is about none."""

    event: Literal["notice"]
    job: Optional[str]
    level: Level
    title: str
    remedy: str


class WalletEvent(TypedDict):
    event: Literal["wallet"]
    wallet: WalletState


Event = Union[JobsEvent, FramesEvent, NoticeEvent, WalletEvent]
EVENTS: Dict[str, Any] = {"jobs": JobsEvent, "frames": FramesEvent, "notice": NoticeEvent, "wallet": WalletEvent}
