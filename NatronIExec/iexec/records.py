"""What the chain and the market hold, named as in PoCo. Amounts in nRLC (10**-9 RLC) or wei, times in Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

ZERO_ADDRESS = "0x" + "00" * 20
ZERO_BYTES32 = "0x" + "00" * 32

#: The final deadline in multiples of the category's time reference, from the match (PoCo IexecPocoAccessorsFacet).
FINAL_DEADLINE_RATIO = 10


class TaskStatus(IntEnum):
    """PoCo IexecLibCore_v5.TaskStatusEnum. A task past its final deadline stays ACTIVE or REVEALING until claimed."""

    UNSET = 0
    ACTIVE = 1
    REVEALING = 2
    COMPLETED = 3
    FAILED = 4


@dataclass(frozen=True)
class AppOrder:
    """An offer of an app: up to `volume` tasks at `appprice` nRLC each. A `…restrict` field names the only asset,
    account or ERC-734 group that the order is for; the zero address means anybody. `salt` is 32 random bytes,
    `sign` the owner's EIP-712 signature (0x hex)."""

    app: str
    appprice: int
    volume: int
    tag: str
    datasetrestrict: str
    workerpoolrestrict: str
    requesterrestrict: str
    salt: str
    sign: str = "0x"


@dataclass(frozen=True)
class DatasetOrder:
    """An offer of a dataset at `datasetprice` nRLC per task; the other fields are those of AppOrder."""

    dataset: str
    datasetprice: int
    volume: int
    tag: str
    apprestrict: str
    workerpoolrestrict: str
    requesterrestrict: str
    salt: str
    sign: str = "0x"


@dataclass(frozen=True)
class WorkerpoolOrder:
    """An offer of a worker group: up to `volume` tasks at `workerpoolprice` nRLC each, within the time limit of
    `category`. `trust` is the highest trust (number of agreeing workers) that a request may ask for."""

    workerpool: str
    workerpoolprice: int
    volume: int
    tag: str
    category: int
    trust: int
    apprestrict: str
    datasetrestrict: str
    requesterrestrict: str
    salt: str
    sign: str = "0x"


@dataclass(frozen=True)
class RequestOrder:
    """What a requester wants to buy: `volume` tasks at no more than the `…maxprice` fields (nRLC per task). `params`
    is the JSON text of RequestParams, `beneficiary` the account that results are for, `callback` a contract or the
    zero address. The zero address as `workerpool` means any worker group."""

    app: str
    appmaxprice: int
    dataset: str
    datasetmaxprice: int
    workerpool: str
    workerpoolmaxprice: int
    requester: str
    volume: int
    tag: str
    category: int
    trust: int
    beneficiary: str
    callback: str
    params: str
    salt: str
    sign: str = "0x"


Order = AppOrder | DatasetOrder | WorkerpoolOrder | RequestOrder


@dataclass(frozen=True)
class Match:
    """The four orders that make a deal."""

    app: AppOrder
    dataset: DatasetOrder
    workerpool: WorkerpoolOrder
    request: RequestOrder

    @property
    def task_price_nrlc(self) -> int:
        """What one task locks, in nRLC: the sellers' prices, not the requester's maxima (PoCo IexecPoco1Facet)."""
        dataset = self.dataset.datasetprice if self.dataset.dataset != ZERO_ADDRESS else 0
        return self.app.appprice + dataset + self.workerpool.workerpoolprice


@dataclass(frozen=True)
class PublishedOrder:
    """An order of the market's book. `remaining` is the market's view and may lag behind the chain."""

    order: Order
    order_hash: str
    remaining: int
    status: str
    signer: str


@dataclass(frozen=True)
class Category:
    """`timeref_s` is the longest that one task may run."""

    id: int
    name: str
    description: str
    timeref_s: int


@dataclass(frozen=True)
class Deal:
    """A bought bag of tasks with indexes `bot_first` … `bot_first + bot_size - 1`."""

    dealid: str
    app: str
    app_price_nrlc: int
    dataset: str
    dataset_price_nrlc: int
    workerpool: str
    workerpool_owner: str
    workerpool_price_nrlc: int
    trust: int
    category: int
    tag: str
    requester: str
    beneficiary: str
    callback: str
    params: str
    start_s: int
    bot_first: int
    bot_size: int

    @property
    def task_price_nrlc(self) -> int:
        return self.app_price_nrlc + self.dataset_price_nrlc + self.workerpool_price_nrlc

    @property
    def indexes(self) -> range:
        return range(self.bot_first, self.bot_first + self.bot_size)

    def final_deadline_s(self, timeref_s: int) -> int:
        """The time (Unix seconds) from which an unfinished task can be claimed. `timeref_s` is the category's time
        reference."""
        return self.start_s + FINAL_DEADLINE_RATIO * timeref_s


@dataclass(frozen=True)
class Task:
    """`dealid` and `index` are those that were asked for; the chain knows the rest once the task is not UNSET any more
    (deadline 0, digest zero, nothing else till then)."""

    taskid: str
    dealid: str
    index: int
    status: TaskStatus
    final_deadline_s: int
    result_digest: str
    results: bytes
    contributors: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """The escrow account: `stake_nrlc` is free, `locked_nrlc` pays for open deals."""

    stake_nrlc: int
    locked_nrlc: int


@dataclass(frozen=True)
class Balances:
    """An account's money: RLC in the wallet, RLC in the hub's escrow (`stake_nrlc` free, `locked_nrlc` in open deals),
    and ETH for gas."""

    rlc_nrlc: int
    stake_nrlc: int
    locked_nrlc: int
    eth_wei: int


@dataclass(frozen=True)
class Block:
    """A block's number and its time in Unix seconds."""

    number: int
    timestamp_s: int


@dataclass(frozen=True)
class BagState:
    """Where `watch.BagWatch` goes on after a restart: `next_block` is the first that was not read yet, `completed` and
    `failed` are the numbers of the tasks that are over, in the order of the deals."""

    next_block: int
    completed: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
