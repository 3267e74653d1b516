"""What the hub's views answer, as records."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from eth_utils.address import to_checksum_address

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.records import ZERO_ADDRESS, Block, Deal, Task, TaskStatus


def deal_of(dealid: str, values: Sequence[Any]) -> Deal | None:
    """The outputs of viewDeal; None if the deal does not exist."""
    app, dataset, workerpool, *rest = values
    trust, category, tag, requester, beneficiary, callback, params, start, first, size, _, _, _ = rest
    if not size:
        return None
    return Deal(
        dealid=dealid,
        app=to_checksum_address(app[0]),
        app_price_nrlc=app[2],
        dataset=to_checksum_address(dataset[0]),
        dataset_price_nrlc=dataset[2],
        workerpool=to_checksum_address(workerpool[0]),
        workerpool_owner=to_checksum_address(workerpool[1]),
        workerpool_price_nrlc=workerpool[2],
        trust=trust,
        category=category,
        tag="0x" + tag.hex(),
        requester=to_checksum_address(requester),
        beneficiary=to_checksum_address(beneficiary),
        callback=to_checksum_address(callback),
        params=params,
        start_s=start,
        bot_first=first,
        bot_size=size,
    )


def task_of(taskid: str, dealid: str, index: int, values: Sequence[Any]) -> Task:
    """The outputs of viewTask."""
    return Task(
        taskid=taskid,
        dealid=dealid,
        index=index,
        status=_status(values[0]),
        final_deadline_s=values[6],
        result_digest="0x" + values[11].hex(),
        results=values[12],
        contributors=tuple(to_checksum_address(worker) for worker in values[10]),
    )


def _status(number: int) -> TaskStatus:
    try:
        return TaskStatus(number)
    except ValueError:
        raise ServiceError(f"The chain knows a task status {number}.", "Update the plugin.") from None


def address_of(answer: str) -> str:
    return to_checksum_address("0x" + answer[-40:]) if len(answer) >= 42 else ZERO_ADDRESS


def block_of(answer: Mapping[str, Any]) -> Block:
    return Block(int(answer["number"], 16), int(answer["timestamp"], 16))
