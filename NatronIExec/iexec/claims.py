"""Refunds for tasks past their final deadline. Nobody claims them for the requester, and one task that cannot be
claimed reverts its whole batch."""

from __future__ import annotations

from typing import Sequence

from NatronIExec.errors import OrderRefused
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.records import Deal, Task, TaskStatus
from NatronIExec.iexec.transactions import Transaction

#: Well below 30 M gas: 38 k gas a claim, 197 k with the initialisation (measured on the contracts).
CLAIMS_A_BATCH = 200
INITIALIZE_AND_CLAIMS_A_BATCH = 100


def claimable(hub: Hub, deals: Sequence[Deal], now_s: int, timeref_s: int) -> list[Task]:
    """The unfinished tasks of `deals` that are past their final deadline at the chain's time `now_s`. `timeref_s` is
    the time reference of the deals' category, in seconds."""
    late = [deal for deal in deals if now_s >= deal.final_deadline_s(timeref_s)]
    tasks = hub.tasks([(deal.dealid, index) for deal in late for index in deal.indexes])
    return [task for task in tasks if task.status not in (TaskStatus.COMPLETED, TaskStatus.FAILED)]


def build_claims(hub: Hub, tasks: Sequence[Task], sender: str) -> list[Transaction]:
    """Transactions, with estimated gas, that claim `tasks` for `sender`. Tasks that were never initialised are
    initialised first, with the index that they have in the request order (the second deal of an order does not start at
    0). A batch that the chain refuses is split in two."""
    begun = [task for task in tasks if task.status is not TaskStatus.UNSET]
    unset = [task for task in tasks if task.status is TaskStatus.UNSET]
    batches = [begun[at : at + CLAIMS_A_BATCH] for at in range(0, len(begun), CLAIMS_A_BATCH)]
    batches += [
        unset[at : at + INITIALIZE_AND_CLAIMS_A_BATCH] for at in range(0, len(unset), INITIALIZE_AND_CLAIMS_A_BATCH)
    ]
    transactions: list[Transaction] = []
    for batch in batches:
        transactions += _claim(hub, batch, sender)
    nonce = transactions[0].nonce if transactions else 0
    return [_with_nonce(transaction, nonce + number) for number, transaction in enumerate(transactions)]


def _claim(hub: Hub, batch: Sequence[Task], sender: str) -> list[Transaction]:
    if batch[0].status is TaskStatus.UNSET:
        ids = [bytes.fromhex(task.dealid[2:]) for task in batch]
        data = hub.encode("initializeAndClaimArray", ids, [task.index for task in batch])
    else:
        data = hub.encode("claimArray", [bytes.fromhex(task.taskid[2:]) for task in batch])
    try:
        return [hub.transaction(sender, hub.network.hub, data, f"claim {len(batch)} tasks")]
    except OrderRefused:
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        return _claim(hub, batch[:half], sender) + _claim(hub, batch[half:], sender)


def _with_nonce(transaction: Transaction, nonce: int) -> Transaction:
    from dataclasses import replace

    return replace(transaction, nonce=nonce)
