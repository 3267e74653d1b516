"""The market API with the published paths and shapes (iexec-market-api 7), its book in memory and in one file."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Mapping

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from NatronIExec.devnet.web import Answer, Request, answer_json
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.orders import KINDS, from_json, hash_order, to_json
from NatronIExec.iexec.records import ZERO_ADDRESS, Order

#: Which field of an order names what it sells, by kind; the same names filter the lists.
_ASSET = {"app": "app", "dataset": "dataset", "workerpool": "workerpool", "request": "requester"}
_PRICE = {
    "app": "appprice",
    "dataset": "datasetprice",
    "workerpool": "workerpoolprice",
    "request": "workerpoolmaxprice",
}
#: These fields are restrictions: an order is listed without the filter only when it is open to everybody.
_RESTRICTS = {
    "app": "apprestrict",
    "dataset": "datasetrestrict",
    "workerpool": "workerpoolrestrict",
    "requester": "requesterrestrict",
}


class MarketService:
    """Orders are checked like the real one does: registered asset, right signer, something remaining."""

    def __init__(self, hub: Hub, file: Path) -> None:
        self._hub = hub
        self._file = file
        self._lock = threading.Lock()
        self._challenges: dict[str, dict[str, Any]] = {}
        self._book: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    def answer(self, request: Request) -> Answer | None:
        head, _, order_hash = request.path.lstrip("/").partition("/")
        if request.path == "/challenge":
            return self._challenge(request)
        if request.path == "/version":
            return answer_json({"ok": True, "version": "7.1.2"})
        if not head.endswith("orders") or head.removesuffix("orders") not in KINDS:
            return None
        kind = head.removesuffix("orders")
        if request.method == "GET":
            return self._one(order_hash) if order_hash else self._list(kind, request.query)
        return self._write(kind, request)

    def publish(self, kind: str, order: Order) -> str:
        """Put a signed order on the book."""
        order_hash = hash_order(order, self._hub.domain)
        row = {
            "kind": kind,
            "orderHash": order_hash,
            "chainId": self._hub.network.chain_id,
            "order": to_json(order),
            "status": "open",
            "publicationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "signer": self._owner(kind, order),
        }
        with self._lock:
            self._book[order_hash] = row
            self._file.write_text(json.dumps(self._book))
        return order_hash

    def _list(self, kind: str, query: Mapping[str, str]) -> Answer:
        asset = _ASSET[kind]
        if kind in ("app", "dataset") and asset not in query and f"{asset}Owner" not in query:
            return answer_json({"ok": False, "error": f"{asset} or {asset}Owner is required"}, 400)
        rows = [row for row in list(self._book.values()) if row["kind"] == kind and row["status"] == "open"]
        rows = [row for row in rows if _visible(kind, row["order"], query)]
        remaining = self._remaining(rows)
        rows = [{**row, "remaining": remaining[row["orderHash"]]} for row in rows]
        rows = [row for row in rows if row["remaining"] >= max(1, int(query.get("minVolume", 1)))]
        rows.sort(key=lambda row: (row["order"][_PRICE[kind]], row["publicationTimestamp"], row["orderHash"]))
        size = min(1000, max(10, int(query.get("pageSize", 20))))
        first = int(query.get("pageIndex", query.get("page", 0))) * size
        page = rows[first : first + size]
        more = {"nextPage": first + size} if len(page) == size else {}
        return answer_json({"ok": True, "count": len(rows), "orders": page, **more})

    def _one(self, order_hash: str) -> Answer:
        row = self._book.get(order_hash)
        if row is None:
            return answer_json({"ok": False, "error": "order not found"}, 404)
        return answer_json({"ok": True, **row, "remaining": self._remaining([row])[order_hash]})

    def _remaining(self, rows: list[dict[str, Any]]) -> dict[str, int]:
        if not rows:
            return {}
        consumed = self._hub.consumed([row["orderHash"] for row in rows])
        return {row["orderHash"]: int(row["order"]["volume"]) - consumed[row["orderHash"]] for row in rows}

    def _challenge(self, request: Request) -> Answer:
        address = request.query["address"].lower()
        with self._lock:
            challenge = self._challenges.setdefault(address, _new_challenge(int(request.query["chainId"])))
        return answer_json({"ok": True, "data": challenge})

    def _write(self, kind: str, request: Request) -> Answer:
        body = request.json()
        writer = self._authorised(request.headers.get("authorization", ""))
        if writer is None:
            return answer_json({"ok": False, "error": "invalid authorization"}, 403)
        if request.method == "POST":
            order = from_json(kind, body["order"])
            owner = self._owner(kind, order)
            signer = Account._recover_hash(
                bytes.fromhex(hash_order(order, self._hub.domain)[2:]), signature=bytes.fromhex(order.sign[2:])
            )
            if writer.lower() != owner.lower() or signer.lower() != owner.lower():
                return answer_json({"ok": False, "error": "the order is not signed by its owner"}, 403)
            return answer_json({"ok": True, "published": {"orderHash": self.publish(kind, order)}})
        with self._lock:
            row = self._book.get(body.get("orderHash", ""))
            if row is None or row["signer"].lower() != writer.lower():
                return answer_json({"ok": False, "error": "no such order of yours"}, 404)
            row["status"] = "dead"
        return answer_json({"ok": True, "unpublished": [row["orderHash"]]})

    def _authorised(self, header: str) -> str | None:
        """The writer, if `hash_signature_address` answers the challenge that this address was given last."""
        parts = header.split("_")
        if len(parts) != 3:
            return None
        with self._lock:
            challenge = self._challenges.pop(parts[2].lower(), None)
        if challenge is None:
            return None
        signable = encode_typed_data(full_message=challenge)
        digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
        signer = Account.recover_message(signable, signature=parts[1])
        return parts[2] if parts[0] == "0x" + digest.hex() and signer.lower() == parts[2].lower() else None

    def _owner(self, kind: str, order: Order) -> str:
        asset = str(getattr(order, _ASSET[kind]))
        return asset if kind == "request" else self._hub.owners([asset])[0]


def _visible(kind: str, order: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    own = _ASSET[kind]
    if own in query and query[own] != "any" and order[own].lower() != query[own].lower():
        return False
    for name, field in _RESTRICTS.items():
        if field in order and not _open_to(order[field], query.get(name)):
            return False
    for name in ("category",):
        if name in query and int(order.get(name, -1)) != int(query[name]):
            return False
    tag = int(order["tag"], 16)
    lowest, highest = int(query.get("minTag", "0x0"), 16), int(query.get("maxTag", "0x" + "f" * 64), 16)
    if tag & lowest != lowest or tag & ~highest:
        return False
    return int(order.get("trust", 0)) >= int(query.get("minTrust", 0))


def _open_to(restrict: str, who: str | None) -> bool:
    if who == "any":
        return True
    allowed = {ZERO_ADDRESS} if who is None else {ZERO_ADDRESS, who.lower()}
    return restrict.lower() in allowed


def _new_challenge(chain_id: int) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "Challenge": [{"name": "challenge", "type": "string"}],
        },
        "primaryType": "Challenge",
        "domain": {"name": "iExec Gateway", "version": "1", "chainId": chain_id},
        "message": {"challenge": f"Sign this message to log into iExec Gateway: {os.urandom(16).hex()}"},
    }
