"""The market API with the published paths and shapes (iexec-market-api 7), its book in memory and in one file."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Mapping

from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector

from NatronIExec import paths
from NatronIExec.devnet.challenges import Challenges
from NatronIExec.devnet.market_history import page
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
    """Orders are checked like the real one does: registered asset, right signer, something remaining. `a_minute` is
    how many requests it answers in any minute, 100 on the real one; None is no limit."""

    def __init__(self, hub: Hub, file: Path) -> None:
        self._hub = hub
        self._file = file
        self._lock = threading.Lock()
        self._challenges = Challenges("iExec Gateway", "Sign this message to log into iExec Gateway: ", once=True)
        self.a_minute: int | None = None
        self._answered_s: list[float] = []
        self._book: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    def answer(self, request: Request) -> Answer | None:
        head, _, order_hash = request.path.lstrip("/").partition("/")
        kind = head.removesuffix("orders")
        ours = head.endswith("orders") and kind in KINDS
        if not ours and request.path not in ("/challenge", "/version"):
            return None
        if self._too_many():
            return answer_json({"ok": False, "error": "Rate limit exceeded"}, 429)
        if request.path == "/challenge":
            challenge = self._challenges.give(request.query["address"], int(request.query["chainId"]))
            return answer_json({"ok": True, "data": challenge})
        if request.path == "/version":
            return answer_json({"ok": True, "version": "7.1.2"})
        if request.method == "GET":
            return self._one(order_hash) if order_hash else self._list(kind, request.query)
        return self._write(kind, request)

    def _too_many(self) -> bool:
        now = time.monotonic()
        with self._lock:
            self._answered_s = [when for when in self._answered_s if now - when < 60]
            if self.a_minute is not None and len(self._answered_s) >= self.a_minute:
                return True
            self._answered_s.append(now)
            return False

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
            paths.write_atomic(self._file, json.dumps(self._book).encode())
        return order_hash

    def book(self) -> dict[str, Any]:
        """All orders by their hash, as they are now."""
        with self._lock:
            return {order_hash: dict(row) for order_hash, row in self._book.items()}

    def put_back(self, book: Mapping[str, Any]) -> None:
        """Make the book what `book()` gave once."""
        with self._lock:
            self._book = {order_hash: dict(row) for order_hash, row in book.items()}
            paths.write_atomic(self._file, json.dumps(self._book).encode())

    def _list(self, kind: str, query: Mapping[str, str]) -> Answer:
        asset = _ASSET[kind]
        if kind in ("app", "dataset") and asset not in query and f"{asset}Owner" not in query:
            return answer_json({"ok": False, "error": f"{asset} or {asset}Owner is required"}, 400)
        rows = [row for row in list(self._book.values()) if row["kind"] == kind and row["status"] == "open"]
        rows = [row for row in rows if _visible(kind, row["order"], query)]
        remaining = self._remaining(rows)
        rows = [{**row, "remaining": remaining[row["orderHash"]]} for row in rows]
        rows = [row for row in rows if row["remaining"] >= max(1, int(query.get("minVolume", 1)))]
        up = -1 if kind == "request" else 1  # who pays most comes first
        rows.sort(key=lambda row: (up * row["order"][_PRICE[kind]], row["publicationTimestamp"], row["orderHash"]))
        return answer_json(page("orders", rows, query))

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

    def _write(self, kind: str, request: Request) -> Answer:
        body = request.json()
        writer = self._challenges.who(request.headers.get("authorization", ""))
        if writer is None:
            return answer_json({"ok": False, "error": "invalid authorization"}, 403)
        if request.method == "POST":
            order = from_json(kind, body["order"])
            wrong = self._wrong(kind, order, writer)
            if wrong:
                return answer_json({"ok": False, "error": wrong}, 403)
            return answer_json({"ok": True, "published": {"orderHash": self.publish(kind, order)}})
        with self._lock:
            row = self._book.get(body.get("orderHash", ""))
            if row is None or row["signer"].lower() != writer.lower():
                return answer_json({"ok": False, "error": "no such order of yours"}, 404)
            row["status"] = "dead"
        return answer_json({"ok": True, "unpublished": [row["orderHash"]]})

    def _wrong(self, kind: str, order: Order, writer: str) -> str:
        """Why `writer` may not publish it; "" when nothing is wrong."""
        if kind != "request" and not self._registered(kind, str(getattr(order, _ASSET[kind]))):
            return f"{kind} not registered"
        owner, order_hash = self._owner(kind, order), hash_order(order, self._hub.domain)
        signer = Account._recover_hash(bytes.fromhex(order_hash[2:]), signature=bytes.fromhex(order.sign[2:]))
        if writer.lower() != owner.lower() or signer.lower() != owner.lower():
            return "the order is not signed by its owner"
        if order.volume <= self._hub.consumed([order_hash])[order_hash]:
            return "the order is fully consumed"
        return ""

    def _registered(self, kind: str, asset: str) -> bool:
        """Registries are tokens of which each asset is one (PoCo Registry.sol)."""
        registry = self._ask(self._hub.network.hub, f"{kind}registry()")[-40:]
        return int(self._ask("0x" + registry, "isRegistered(address)", asset[2:].lower().rjust(64, "0")), 16) == 1

    def _ask(self, to: str, signature: str, argument: str = "") -> str:
        data = "0x" + function_signature_to_4byte_selector(signature).hex() + argument
        return str(self._hub.batch([("eth_call", [{"to": to, "data": data}, "latest"])])[0])

    def _owner(self, kind: str, order: Order) -> str:
        asset = str(getattr(order, _ASSET[kind]))
        return asset if kind == "request" else self._hub.owners([asset])[0]


def _visible(kind: str, order: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    own = _ASSET[kind]
    if own in query and query[own] != "any" and order[own].lower() != query[own].lower():
        return False
    for name, field in _RESTRICTS.items():
        strict = query.get(f"is{name.capitalize()}Strict") == "true"
        if field in order and not _open_to(order[field], query.get(name), strict):
            return False
    if "category" in query and int(order.get("category", -1)) != int(query["category"]):
        return False
    tag = int(order["tag"], 16)
    lowest, highest = int(query.get("minTag", "0x0"), 16), int(query.get("maxTag", "0x" + "f" * 64), 16)
    if tag & lowest != lowest or tag & ~highest:
        return False
    return int(query.get("minTrust", 0)) <= int(order.get("trust", 0)) <= int(query.get("maxTrust", 2**53))


def _open_to(restrict: str, who: str | None, strict: bool) -> bool:
    if who == "any":
        return True
    if strict and who is not None:
        return restrict.lower() == who.lower()
    allowed = {ZERO_ADDRESS} if who is None else {ZERO_ADDRESS, who.lower()}
    return restrict.lower() in allowed
