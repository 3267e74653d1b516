"""JSON-RPC 2.0: the shape of every answer is checked before it is used.

A node can refuse in four ways, each handled differently: it is busy (`busy`: retried), the batch is too large
(`too_large`: split), a contract reverted (`reverted`: explained by `reverts`), or the request is wrong (raised as it
is).
"""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, Sequence

from NatronIExec.errors import RpcError

Call = tuple[str, Sequence[Any]]

#: -32005 is "limit exceeded" (EIP-1474), 429 what some providers repeat of HTTP.
_BUSY_CODES = (-32005, 429)
_BUSY = re.compile(
    r"too many requests|rate.?limit|limit exceeded|exceeded .{0,30}(limit|capacity)|throttl|header not found|"
    r"temporarily unavailable|try again"
)
#: What is said of a wide eth_getLogs, also with a busy one's code: asking for the same again would not help.
_TOO_WIDE = re.compile(r"\brange|\bresults?\b|\blogs\b|response size|\bblocks\b")
_TOO_LARGE = re.compile(
    r"batch.*(large|limit|size|many|exceed)|(large|limit|many|exceed).*batch|^response (is )?too large"
)
#: Said of a call that a contract refused, or that took all gas on the way: geth, Nitro, Nethermind, anvil.
_REVERTED = re.compile(r"revert|out of gas|gas required exceeds|exceeds block gas limit|outofgas|invalid opcode")
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def words_of(problem: RpcError) -> str:
    """The node's own."""
    return str(problem.details.get("message") or "")


def data_of(problem: RpcError) -> str:
    """Return data of a refused call, 0x… or "". Nodes put it at different depths."""
    found = problem.details.get("data")
    if isinstance(found, Mapping):
        found = found.get("data") or found.get("result")
    text = found.removeprefix("Reverted ") if isinstance(found, str) else ""
    return text if _DATA.fullmatch(text) else ""


def is_reverted(problem: RpcError) -> bool:
    """A contract refused the call."""
    return len(data_of(problem)) > 2 or bool(_REVERTED.search(words_of(problem).lower()))


def is_busy(problem: RpcError) -> bool:
    """The node would answer the same call later."""
    words = words_of(problem).lower()
    if is_reverted(problem) or is_too_large(problem) or _TOO_WIDE.search(words):
        return False
    return problem.details.get("rpc_code") in _BUSY_CODES or bool(_BUSY.search(words))


def is_too_large(problem: RpcError) -> bool:
    """The node takes fewer calls at once."""
    return bool(_TOO_LARGE.search(words_of(problem).lower()))


def body_of(calls: Sequence[Call]) -> Any:
    """What is posted: a single call alone, since some nodes take no batch."""
    body = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
        for number, (method, params) in enumerate(calls)
    ]
    return body[0] if len(body) == 1 else body


def answers_of(answer: Any, calls: Sequence[Call], where: str) -> list[Any]:
    """The results in the order of the calls. A call that the node refused, or answered in a wrong shape, has an
    RpcError in its place. If the node answers the whole batch with one error, every call has that error."""
    rows = answer if isinstance(answer, list) else [answer]
    if len(rows) == 1 and len(calls) > 1 and isinstance(rows[0], dict) and "error" in rows[0]:
        return [_refusal(rows[0]["error"])] * len(calls)
    by_id = {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)}
    return [_result(by_id.get(number), method, where) for number, (method, _) in enumerate(calls)]


def _result(row: Mapping[str, Any] | None, method: str, where: str) -> Any:
    if row is not None and row.get("error") is not None:
        return _refusal(row["error"])
    if row is None or "result" not in row:
        return RpcError(f"{where} answered without a result.", "Check the RPC endpoint in the settings.")
    if not _SHAPES.get(method, lambda _: True)(row["result"]):
        return RpcError(
            f"{where} answered {method} with something else.", "Check the RPC endpoint in the settings, or try again."
        )
    return row["result"]


def _refusal(error: Any) -> RpcError:
    known = error if isinstance(error, dict) else {"message": str(error)}
    words = str(known.get("message") or "")[:2000]
    return RpcError(
        f"The chain refused the call: {words[:300]}",
        "See the details.",
        rpc_code=known.get("code"),
        message=words,
        data=known.get("data"),
    )


def _quantity(value: Any) -> bool:
    return isinstance(value, str) and _QUANTITY.fullmatch(value) is not None


def _data(value: Any) -> bool:
    return isinstance(value, str) and _DATA.fullmatch(value) is not None


def _block(value: Any) -> bool:
    """A block that exists, with the fields that `hub.block_of` and `fees_of` read."""
    if not isinstance(value, dict) or not all(map(_quantity, (value.get("number"), value.get("timestamp")))):
        return False
    return value.get("baseFeePerGas") is None or _quantity(value["baseFeePerGas"])


def _log(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("topics"), list) or not _data(value.get("data")):
        return False
    return all(_data(topic) and len(topic) == 66 for topic in value["topics"])


def _logs(value: Any) -> bool:
    return isinstance(value, list) and all(map(_log, value))


def _receipt(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not _data(value.get("transactionHash")) or not _logs(value.get("logs")):
        return False
    price = value.get("effectiveGasPrice")
    return all(map(_quantity, map(value.get, ("gasUsed", "status", "blockNumber")))) and (
        price is None or _quantity(price)
    )


#: The shape of each method's answer. Methods that are not listed are checked by their callers.
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "eth_chainId": _quantity,
    "eth_gasPrice": _quantity,
    "eth_estimateGas": _quantity,
    "eth_getBalance": _quantity,
    "eth_getTransactionCount": _quantity,
    "eth_call": _data,
    "eth_sendRawTransaction": _data,
    "eth_getBlockByNumber": _block,
    "eth_getLogs": _logs,
    "eth_getTransactionReceipt": _receipt,
}
