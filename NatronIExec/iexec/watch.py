"""Following a bag of tasks: one HTTP request a poll when nothing is new, whatever the number of tasks.

Task ids are derived, not asked for. Task events carry the task id in topic 1, so a small bag asks for its own ids and a
large one (whose filter a node would refuse) reads all task events of the hub and keeps its own. The first poll reads
from the block of the match, so nothing that happened before is missed and viewTask is needed only for result digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.iexec.hub import Hub, block_of
from NatronIExec.iexec.jsonrpc import Call, RpcError
from NatronIExec.iexec.orders import task_id
from NatronIExec.iexec.records import Block, Deal, TaskStatus

#: Public nodes take about this many alternatives in one topic.
MAX_TOPIC_IDS = 400
#: Blocks that are read again each time, since a node may swap its newest ones.
REORG_DEPTH = 2
#: Logs are asked for in windows of this many blocks once a provider refuses a wider one.
WINDOW_BLOCKS = 10_000

_STATUS_BY_TOPIC = {
    "0x" + keccak(text=signature).hex(): status
    for signature, status in (
        ("TaskInitialize(bytes32,address)", TaskStatus.ACTIVE),
        ("TaskContribute(bytes32,address,bytes32)", TaskStatus.ACTIVE),
        ("TaskConsensus(bytes32,bytes32)", TaskStatus.REVEALING),
        ("TaskReopen(bytes32)", TaskStatus.ACTIVE),
        ("TaskFinalize(bytes32,bytes)", TaskStatus.COMPLETED),
        ("TaskClaimed(bytes32)", TaskStatus.FAILED),
    )
}
_CONTRIBUTE = "0x" + keccak(text="TaskContribute(bytes32,address,bytes32)").hex()
_FINALIZE = "0x" + keccak(text="TaskFinalize(bytes32,bytes)").hex()


@dataclass(frozen=True)
class TaskChange:
    """What is new of a task. `worker` is the last one that contributed, "" when unknown; `results` and `result_digest`
    are there once it is COMPLETED."""

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

    def __init__(
        self, hub: Hub, deals: Sequence[Deal], from_block: int, state: Mapping[str, Any] | None = None
    ) -> None:
        self._hub = hub
        self._tasks = {task_id(deal.dealid, index): (deal.dealid, index) for deal in deals for index in deal.indexes}
        self._status: dict[str, int] = {}
        self._worker: dict[str, str] = {}
        self._next_block = from_block
        if state:
            self._status.update(state["status"])
            self._next_block = int(state["next_block"])
        self.block: Block | None = None

    def state(self) -> dict[str, Any]:
        """JSON values to resume from."""
        return {"status": dict(self._status), "next_block": self._next_block}

    @property
    def open(self) -> int:
        """How many tasks may still change."""
        over = (TaskStatus.COMPLETED, TaskStatus.FAILED)
        return len(self._tasks) - sum(1 for status in self._status.values() if status in over)

    def poll(self) -> list[TaskChange]:
        """What changed since the last poll, a task once, with its newest status.

        One HTTP request when nothing is new, two when tasks were completed, more only to catch up behind a provider
        that limits the range. Raises Unreachable and leaves the state as it was.
        """
        head, logs = self._read()
        news = self._news(logs)
        changes = self._with_digests(news)
        self.block = head
        self._next_block = max(self._next_block, head.number + 1 - REORG_DEPTH)
        for change in changes:
            self._status[change.taskid] = int(change.status)
        return changes

    def _read(self) -> tuple[Block, list[Mapping[str, Any]]]:
        """The newest block, and the logs up to it, in one request if the node allows it."""
        answers = self._hub.transport.rpc_batch_raw(
            self._hub.network.rpc,
            [("eth_getBlockByNumber", ["latest", False]), self._logs_call(self._next_block, None)],
        )
        if isinstance(answers[0], RpcError):
            raise answers[0]
        head = block_of(answers[0])
        if not isinstance(answers[1], RpcError):
            return head, answers[1]
        if self._next_block > head.number:
            return head, []  # some nodes refuse a range that begins after their head
        return head, self._read_in_windows(head.number)

    def _read_in_windows(self, last: int) -> list[Mapping[str, Any]]:
        logs: list[Mapping[str, Any]] = []
        for first in range(self._next_block, last + 1, WINDOW_BLOCKS):
            logs += self._hub.batch([self._logs_call(first, min(last, first + WINDOW_BLOCKS - 1))])[0]
        return logs

    def _logs_call(self, first: int, last: int | None) -> Call:
        topics: list[Any] = [list(_STATUS_BY_TOPIC)]
        if len(self._tasks) <= MAX_TOPIC_IDS:
            topics.append(list(self._tasks))
        window = {"fromBlock": hex(first), "toBlock": "latest" if last is None else hex(last)}
        return "eth_getLogs", [{"address": self._hub.network.hub, "topics": topics, **window}]

    def _news(self, logs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[TaskStatus, bytes]]:
        news: dict[str, tuple[TaskStatus, bytes]] = {}
        for log in logs:
            event, taskid = log["topics"][0], log["topics"][1]
            if taskid not in self._tasks:
                continue
            if event == _CONTRIBUTE:
                self._worker[taskid] = to_checksum_address("0x" + log["topics"][2][-40:])
            results = _bytes_argument(log["data"]) if event == _FINALIZE else b""
            news[taskid] = (_STATUS_BY_TOPIC[event], results)
        return {taskid: new for taskid, new in news.items() if self._status.get(taskid) != new[0]}

    def _with_digests(self, news: Mapping[str, tuple[TaskStatus, bytes]]) -> list[TaskChange]:
        done = [self._tasks[taskid] for taskid, (status, _) in news.items() if status == TaskStatus.COMPLETED]
        digests = {task.taskid: task.result_digest for task in self._hub.tasks(done)}
        return [
            TaskChange(
                dealid=self._tasks[taskid][0],
                index=self._tasks[taskid][1],
                taskid=taskid,
                status=status,
                worker=self._worker.get(taskid, ""),
                results=results,
                result_digest=digests.get(taskid, ""),
            )
            for taskid, (status, results) in news.items()
        ]


def _bytes_argument(data: str) -> bytes:
    """The single `bytes` in a log's data: offset, length, content."""
    raw = bytes.fromhex(data[2:])
    size = int.from_bytes(raw[32:64], "big")
    return raw[64 : 64 + size]
