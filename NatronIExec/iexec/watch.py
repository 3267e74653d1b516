"""Following a bag of tasks: one HTTP request a poll when nothing is new, whatever the number of tasks.

Task ids are derived, not asked for. Task events carry the task id in topic 1, so a small bag asks for its own ids and a
large one (whose filter a node would refuse) reads all task events of the hub and keeps its own. The first poll reads
from the block of the match, so nothing that happened before is missed. Digests come with the events too.

A public endpoint is many nodes: logs may be shown later than the block that they are in. So the last minute is read
again each time, and what is still open is looked up itself now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.errors import RpcError, ServiceError, Unreachable
from NatronIExec.iexec.decoding import block_of
from NatronIExec.iexec.hub import TASKS_A_BATCH, Hub
from NatronIExec.iexec.jsonrpc import Call
from NatronIExec.iexec.orders import task_id
from NatronIExec.iexec.records import BagState, Block, Deal, TaskStatus

#: Public nodes take about this many alternatives in one topic.
MAX_TOPIC_IDS = 400
#: Blocks that are read again each time: a minute on Arbitrum, which makes four a second, and more elsewhere.
OVERLAP_BLOCKS = 240
#: Open tasks are read directly this often (in seconds of the chain's clock), in case an event was lost for good.
RECONCILE_S = 300
#: Once a node refuses a range, it is asked for windows of this many blocks, halved until it takes them.
FIRST_WINDOW = 10_000
WINDOWS_A_BATCH = 50

_STATUS_BY_EVENT = {
    "TaskInitialize(bytes32,address)": TaskStatus.ACTIVE,
    "TaskContribute(bytes32,address,bytes32)": TaskStatus.ACTIVE,
    "TaskConsensus(bytes32,bytes32)": TaskStatus.REVEALING,
    "TaskReveal(bytes32,address,bytes32)": TaskStatus.REVEALING,
    "TaskReopen(bytes32)": TaskStatus.ACTIVE,
    "TaskFinalize(bytes32,bytes)": TaskStatus.COMPLETED,
    "TaskClaimed(bytes32)": TaskStatus.FAILED,
}
_TOPICS = {signature: "0x" + keccak(text=signature).hex() for signature in _STATUS_BY_EVENT}
_STATUS_BY_TOPIC = {_TOPICS[signature]: status for signature, status in _STATUS_BY_EVENT.items()}
_CONTRIBUTE = _TOPICS["TaskContribute(bytes32,address,bytes32)"]
_REVEAL = _TOPICS["TaskReveal(bytes32,address,bytes32)"]
_FINALIZE = _TOPICS["TaskFinalize(bytes32,bytes)"]
_OVER = (TaskStatus.COMPLETED, TaskStatus.FAILED)


@dataclass(frozen=True)
class TaskChange:
    """The newest status of a task. `worker` is the last one that contributed, "" if unknown; `results` and
    `result_digest` are set once the task is COMPLETED."""

    dealid: str
    index: int
    taskid: str
    status: TaskStatus
    worker: str = ""
    results: bytes = b""
    result_digest: str = ""


class BagWatch:
    """All tasks of some deals. Not thread-safe: one watcher polls it.

    `from_block` is the block of the first match; `state` is what `state()` gave earlier, to go on after a restart.
    """

    def __init__(self, hub: Hub, deals: Sequence[Deal], from_block: int, state: BagState | None = None) -> None:
        self._hub = hub
        self._tasks = {task_id(deal.dealid, index): (deal.dealid, index) for deal in deals for index in deal.indexes}
        self._status: dict[str, int] = {}
        self._worker: dict[str, str] = {}
        self._digest: dict[str, str] = {}
        self._next_block = from_block
        self._window = 0
        self._to_check: list[str] = []
        self._checked_s = 0
        if state:
            self._resume(state)
        self.block: Block | None = None

    def state(self) -> BagState:
        """To resume from."""
        return BagState(self._next_block, self._numbers(TaskStatus.COMPLETED), self._numbers(TaskStatus.FAILED))

    def _numbers(self, status: TaskStatus) -> tuple[int, ...]:
        return tuple(number for number, taskid in enumerate(self._tasks) if self._status.get(taskid) == status)

    @property
    def open(self) -> int:
        """How many tasks may still change."""
        return len(self._tasks) - sum(1 for status in self._status.values() if status in _OVER)

    def poll(self) -> list[TaskChange]:
        """What changed since the last poll, a task once, with its newest status.

        One HTTP request when nothing is new; a second for digests that no event told, a third now and then for tasks
        that are still open; more only to catch up behind a provider that limits the range. Raises Unreachable or
        ServiceError and leaves the state as it was; what was caught up before is given first.
        """
        head, logs, reached = self._read()
        changes = self._with_digests(self._news(logs))
        changes += self._reconciled(head, {change.taskid for change in changes})
        self.block = head
        self._next_block = max(self._next_block, min(reached, head.number - OVERLAP_BLOCKS) + 1)
        for change in changes:
            self._status[change.taskid] = int(change.status)
            if change.status in _OVER:
                self._digest.pop(change.taskid, None)
        return changes

    def _resume(self, state: BagState) -> None:
        self._next_block = state.next_block
        taskids = list(self._tasks)
        for status, numbers in ((TaskStatus.COMPLETED, state.completed), (TaskStatus.FAILED, state.failed)):
            self._status.update({taskids[number]: status for number in numbers if number < len(taskids)})

    def _is_over(self, taskid: str) -> bool:
        return self._status.get(taskid) in _OVER

    def _read(self) -> tuple[Block, list[Mapping[str, Any]], int]:
        """The newest block, logs, and the block up to which these are complete; in one request if the node allows."""
        behind = self.block.number - self._next_block if self.block else 0
        calls: list[Call] = [("eth_getBlockByNumber", ["latest", False])]
        if not self._window or behind < self._window:
            calls.append(self._logs_call(self._next_block, None))
        first, *logs = self._hub.transport.rpc_batch_raw(self._hub.network.rpc, calls)
        if isinstance(first, RpcError):
            raise first
        head = block_of(first)
        if logs and not isinstance(logs[0], RpcError):
            return head, logs[0], head.number
        return head, *self._read_in_windows(head.number)

    def _read_in_windows(self, last: int) -> tuple[list[Mapping[str, Any]], int]:
        """(logs, the last block of them). A failure on the way ends it early; one at the beginning is raised."""
        logs: list[Mapping[str, Any]] = []
        first = self._next_block
        size = self._window or FIRST_WINDOW
        while first <= last:
            starts = range(first, last + 1, size)[:WINDOWS_A_BATCH]
            calls = [self._logs_call(start, min(last, start + size - 1)) for start in starts]
            problem: Unreachable | ServiceError | None = None
            try:
                answers = self._hub.transport.rpc_batch_raw(self._hub.network.rpc, calls)
            except (Unreachable, ServiceError) as away:
                answers, problem, size = [], away, 1
            for start, answer in zip(starts, answers):
                if isinstance(answer, RpcError):
                    problem = answer
                    break
                logs += answer
                first = min(last, start + size - 1) + 1
            if problem and size == 1:
                if first > self._next_block:
                    break
                raise problem
            if problem:
                size = self._window = size // 2
        return logs, first - 1

    def _logs_call(self, first: int, last: int | None) -> Call:
        topics: list[Any] = [list(_STATUS_BY_TOPIC)]
        if len(self._tasks) <= MAX_TOPIC_IDS:
            topics.append(list(self._tasks))
        window = {"fromBlock": hex(first), "toBlock": "latest" if last is None else hex(last)}
        return "eth_getLogs", [{"address": self._hub.network.hub, "topics": topics, **window}]

    def _news(self, logs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[TaskStatus, bytes]]:
        """The changes that are not known yet, by task. A finished task stays finished even if an old log is read
        again."""
        news: dict[str, tuple[TaskStatus, bytes]] = {}
        for log in logs:
            event, taskid, *more = log["topics"] if len(log["topics"]) > 1 else ("", "")
            if taskid not in self._tasks or event not in _STATUS_BY_TOPIC or self._is_over(taskid):
                continue
            if event == _CONTRIBUTE and more:
                self._worker[taskid] = to_checksum_address("0x" + more[0][-40:])
            if event == _REVEAL:
                self._digest[taskid] = log["data"][:66]
            if taskid in news and news[taskid][0] in _OVER:
                continue
            results = _bytes_argument(log["data"]) if event == _FINALIZE else b""
            news[taskid] = (_STATUS_BY_TOPIC[event], results)
        return {taskid: new for taskid, new in news.items() if self._status.get(taskid) != new[0]}

    def _with_digests(self, news: Mapping[str, tuple[TaskStatus, bytes]]) -> list[TaskChange]:
        done = {taskid for taskid, (status, _) in news.items() if status is TaskStatus.COMPLETED}
        untold = [self._tasks[taskid] for taskid in news if taskid in done and taskid not in self._digest]
        self._digest.update({task.taskid: task.result_digest for task in self._hub.tasks(untold)})
        return [
            self._change(taskid, status, results, self._digest[taskid] if taskid in done else "")
            for taskid, (status, results) in news.items()
        ]

    def _reconciled(self, head: Block, but: set[str]) -> list[TaskChange]:
        """Tasks that the chain reports as finished although no event said so; at most one request."""
        if not self._checked_s:
            self._checked_s = head.timestamp_s
        if not self._to_check and head.timestamp_s - self._checked_s >= RECONCILE_S:
            self._to_check = [taskid for taskid in self._tasks if not self._is_over(taskid)]
            self._checked_s = head.timestamp_s
        part = [taskid for taskid in self._to_check[:TASKS_A_BATCH] if taskid not in but]
        tasks = self._hub.tasks([self._tasks[taskid] for taskid in part])
        del self._to_check[:TASKS_A_BATCH]
        return [
            self._change(task.taskid, task.status, task.results, task.result_digest)
            for task in tasks
            if task.status in _OVER and not self._is_over(task.taskid)
        ]

    def _change(self, taskid: str, status: TaskStatus, results: bytes, digest: str) -> TaskChange:
        dealid, index = self._tasks[taskid]
        worker = self._worker.get(taskid, "")
        return TaskChange(dealid, index, taskid, status, worker, results, digest)


def _bytes_argument(data: str) -> bytes:
    """The single `bytes` in a log's data: offset, length, content."""
    raw = bytes.fromhex(data[2:])
    size = int.from_bytes(raw[32:64], "big")
    return raw[64 : 64 + size]
