"""What each verb of the engine takes and answers: the table of docs/engine-protocol.md. An optional argument that is
null counts as left out."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple, TypedDict

from NatronIExec.publisher_shapes import (
    AddedNetwork,
    AppOrderRow,
    ContentArgs,
    DeployArgs,
    DeployedApp,
    NetworkArgs,
    NetworkFileArgs,
    NewPrice,
    PasswordArgs,
    PublishedOrder,
    Revenue,
    ShownApp,
    TermsArgs,
    Text,
    UnpublishArgs,
    Unpublished,
)
from NatronIExec.settings import Settings
from NatronIExec.shapes import (
    Account,
    EndpointKind,
    FrameRow,
    JobRow,
    JobSheet,
    Ledger,
    NetworkRow,
    PlanSheet,
    ScanSheet,
    WalletState,
    WorkerpoolRow,
)
from NatronIExec.submission import Submission


class Nothing(TypedDict):
    """`{}`."""


class HelloArgs(TypedDict):
    protocol: int
    version: str


class Identity(TypedDict):
    version: str
    pid: int
    home: str
    started_s: float


class Hello(Identity):
    protocol: int


class Status(Identity):
    clients: int
    jobs_active: int
    idle_s: float
    requests: int


class Subscription(TypedDict):
    jobs: List[JobRow]
    wallet: WalletState


class StopArgs(TypedDict, total=False):
    force: bool


class FramesAsked(TypedDict, total=False):
    """`frames_of` goes before `frames`, which is of every writer; neither: the frames that failed."""

    frames: Optional[str]
    frames_of: Optional[Dict[str, str]]


class RetryPlanArgs(FramesAsked):
    retry: str


class SpendArgs(TypedDict, total=False):
    """`plan` is the id of the PlanSheet that was shown, `max_total_nrlc` its total."""

    password: Optional[str]
    plan: Optional[str]
    max_total_nrlc: Optional[int]


class JobArgs(TypedDict):
    job: str


class MaybeJobArgs(TypedDict, total=False):
    job: Optional[str]


class NewJob(TypedDict):
    job: str


class LogArgs(JobArgs, total=False):
    """Without `task`: of the job. `tail`: the last so many lines."""

    task: Optional[int]
    tail: Optional[int]


class Lines(TypedDict):
    lines: List[str]


class Stopped(TypedDict):
    """Sentences: what no longer happens, and what is paid all the same."""

    stopped: List[str]
    bought: List[str]


class Imported(TypedDict):
    imported: int
    skipped: int
    folder: str


class Claimed(TypedDict):
    tasks: int
    refund_nrlc: int


class FolderArgs(TypedDict):
    to: str


class ThePath(TypedDict):
    path: str


class _ThumbnailNeeds(TypedDict):
    job: str
    frame: int
    size: int


class ThumbnailArgs(_ThumbnailNeeds, total=False):
    view: Optional[str]
    writer: Optional[str]


class Thumbnail(TypedDict):
    """`png`: base64."""

    png: str


class WorkerpoolsArgs(NetworkArgs, total=False):
    tasks: Optional[int]
    confidential: Optional[bool]


class EndpointArgs(NetworkArgs):
    kind: EndpointKind
    url: str


class EndpointAnswer(TypedDict):
    ok: bool
    answer: str
    ms: int


class NewAccountArgs(TypedDict):
    name: str
    password: str


class ImportAccountArgs(NewAccountArgs, total=False):
    """Exactly one of key, mnemonic and file."""

    key: str
    mnemonic: str
    file: str
    file_password: str


class NewAccount(TypedDict):
    account: Account


class AddressArgs(TypedDict):
    address: str


class AccountArgs(AddressArgs):
    password: str


class ExportAccountArgs(AccountArgs):
    to: str


class ChangePasswordArgs(AccountArgs):
    new_password: str


class Backup(TypedDict):
    backup: str


class _UnlockNeeds(TypedDict):
    password: str


class UnlockArgs(_UnlockNeeds, total=False):
    address: Optional[str]
    remember: bool


class MoveArgs(NetworkArgs, PasswordArgs):
    amount_nrlc: int


class Moved(TypedDict):
    transaction: str
    stake_nrlc: int


class _ExternalNeeds(TypedDict):
    url: str


class ExternalArgs(_ExternalNeeds, total=False):
    address: Optional[str]


class SettingsArgs(TypedDict):
    changes: Dict[str, Any]


class Verb(NamedTuple):
    """`args`: the ways to ask, each the records whose keys are the arguments. `answer`: the record or list of it."""

    args: Tuple[Tuple[Any, ...], ...]
    answer: Any


def _verb(answer: Any, *args: Any) -> Verb:
    return Verb((args,), answer)


VERBS: Dict[str, Verb] = {
    "hello": _verb(Hello, HelloArgs),
    "subscribe": _verb(Subscription),
    "stop": _verb(Nothing, StopArgs),
    "status": _verb(Status),
    "scan": _verb(ScanSheet, Submission),
    "plan": Verb(((Submission,), (RetryPlanArgs,)), PlanSheet),
    "submit": _verb(NewJob, Submission, SpendArgs),
    "jobs": _verb(List[JobRow]),
    "show": _verb(JobSheet, JobArgs),
    "frames": _verb(List[FrameRow], JobArgs),
    "logs": _verb(Lines, LogArgs),
    "cancel": _verb(Stopped, JobArgs, PasswordArgs),
    "retry": _verb(NewJob, JobArgs, FramesAsked, SpendArgs),
    "import": _verb(Imported, JobArgs),
    "claim": _verb(Claimed, MaybeJobArgs, PasswordArgs),
    "remove": _verb(Nothing, JobArgs),
    "bundle": Verb(((JobArgs, FolderArgs), (Submission, FolderArgs)), ThePath),
    "thumbnail": _verb(Thumbnail, ThumbnailArgs),
    "networks": _verb(List[NetworkRow]),
    "workerpools": _verb(List[WorkerpoolRow], WorkerpoolsArgs),
    "networks.add": _verb(AddedNetwork, ContentArgs),
    "app.deploy": _verb(DeployedApp, DeployArgs),
    "app.publish": _verb(PublishedOrder, TermsArgs),
    "app.price": _verb(NewPrice, TermsArgs),
    "app.unpublish": _verb(Unpublished, UnpublishArgs),
    "app.show": _verb(List[ShownApp], NetworkArgs),
    "app.orders": _verb(List[AppOrderRow], NetworkArgs),
    "app.revenue": _verb(Revenue, NetworkArgs),
    "app.network_file": _verb(Text, NetworkFileArgs),
    "test_endpoint": _verb(EndpointAnswer, EndpointArgs),
    "wallet.state": _verb(WalletState, NetworkArgs),
    "wallet.create": _verb(NewAccount, NewAccountArgs),
    "wallet.import": _verb(NewAccount, ImportAccountArgs),
    "wallet.export": _verb(ThePath, ExportAccountArgs),
    "wallet.change_password": _verb(Nothing, ChangePasswordArgs),
    "wallet.remove": _verb(Backup, AccountArgs),
    "wallet.use": _verb(WalletState, AddressArgs),
    "wallet.unlock": _verb(WalletState, UnlockArgs),
    "wallet.lock": _verb(WalletState),
    "wallet.deposit": _verb(Moved, MoveArgs),
    "wallet.withdraw": _verb(Moved, MoveArgs),
    "wallet.external": _verb(WalletState, ExternalArgs),
    "ledger": _verb(Ledger),
    "settings.get": _verb(Settings),
    "settings.set": _verb(Settings, SettingsArgs),
}
