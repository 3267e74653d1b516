"""What the market API tells of the past, read from the chain: categories and deals."""

from __future__ import annotations

import time
from typing import Any, Mapping

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.devnet.web import Answer, Request, answer_json
from NatronIExec.iexec.hub import Hub

_ORDERS_MATCHED = "0x" + keccak(text="OrdersMatched(bytes32,bytes32,bytes32,bytes32,bytes32,uint256)").hex()
#: Where a filter's value is found in a deal.
_FILTERS = {
    "category": ("category",),
    "requester": ("requester",),
    "beneficiary": ("beneficiary",),
    **{asset: (asset, "pointer") for asset in ("app", "dataset", "workerpool")},
    **{f"{asset}Owner": (asset, "owner") for asset in ("app", "dataset", "workerpool")},
    **{f"{kind}orderHash": (f"{kind}Hash",) for kind in ("app", "dataset", "workerpool", "request")},
}


class MarketHistory:
    """Answers `/categories` and `/deals` with the shapes of iexec-market-api 7."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def answer(self, request: Request) -> Answer | None:
        head, _, wanted = request.path.lstrip("/").partition("/")
        if head == "categories":
            return self._categories(wanted, request.query)
        if head == "deals":
            return self._deals(wanted, request.query)
        return None

    def _categories(self, wanted: str, query: Mapping[str, str]) -> Answer:
        rows: list[dict[str, Any]] = [
            {"catid": one.id, "name": one.name, "description": one.description, "workClockTimeRef": one.timeref_s}
            for one in self._hub.categories()
        ]
        if wanted:
            found = next((row for row in rows if str(row["catid"]) == wanted), None)
            return answer_json({"ok": True, **found}) if found else _unknown("category")
        shortest = int(query.get("minWorkClockTimeRef", 0))
        longest = int(query.get("maxWorkClockTimeRef", 2**53))
        rows = [row for row in rows if shortest <= row["workClockTimeRef"] <= longest]
        return answer_json(page("categories", rows, query))

    def _deals(self, wanted: str, query: Mapping[str, str]) -> Answer:
        rows = self._all_deals()
        if wanted:
            found = next((row for row in rows if row["dealid"] == wanted.lower()), None)
            return answer_json({"ok": True, **found}) if found else _unknown("deal")
        for name, way in _FILTERS.items():
            if name in query:
                rows = [row for row in rows if _at(row, way).lower() == query[name].lower()]
        return answer_json(page("deals", rows, query))

    def _all_deals(self) -> list[dict[str, Any]]:
        """Newest block first."""
        wanted = {
            "address": self._hub.network.hub,
            "topics": [_ORDERS_MATCHED],
            "fromBlock": "0x0",
            "toBlock": "latest",
        }
        logs = self._hub.transport.rpc(self._hub.network.rpc, "eth_getLogs", [wanted])
        if not logs:
            return []
        words = [[log["data"][at : at + 64] for at in range(2, len(log["data"]), 64)] for log in logs]
        views = self._hub.batch([self._hub.view("viewDeal", "0x" + found[0]) for found in words])
        deals = [self._deal(*one) for one in zip(logs, words, views)]
        return sorted(deals, key=lambda deal: -int(deal["blockNumber"]))

    def _deal(self, log: Mapping[str, Any], words: list[str], view: str) -> dict[str, Any]:
        app, dataset, workerpool, *rest = self._hub.decode("viewDeal", view)
        trust, category, tag, requester, beneficiary, callback, params, start_s, first, size, stake, ratio, _ = rest
        hashes = dict(zip(("appHash", "datasetHash", "workerpoolHash", "requestHash"), ("0x" + w for w in words[1:5])))
        return {
            "dealid": "0x" + words[0],
            "chainId": self._hub.network.chain_id,
            **{name: _asset(*found) for name, found in zip(_ASSETS, (app, dataset, workerpool))},
            "requester": to_checksum_address(requester),
            "beneficiary": to_checksum_address(beneficiary),
            "callback": to_checksum_address(callback),
            **hashes,
            "params": params,
            "volume": int(words[5], 16),
            "category": category,
            "tag": "0x" + tag.hex(),
            "trust": trust,
            "startTime": start_s,
            "botFirst": first,
            "botSize": size,
            "schedulerRewardRatio": ratio,
            "workerStake": stake,
            "blockNumber": int(log["blockNumber"], 16),
            "blockTimestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(start_s)),
            "transactionHash": log["transactionHash"],
        }


_ASSETS = ("app", "dataset", "workerpool")


def page(name: str, rows: list[Any], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of `rows`; `nextPage` is the offset of a record, and there when the page is full."""
    size = min(1000, max(10, int(query.get("pageSize", 20))))
    first = int(query.get("pageIndex", query.get("page", 0))) * size
    shown = rows[first : first + size]
    more = {"nextPage": first + size} if len(shown) == size else {}
    return {"ok": True, "count": len(rows), name: shown, **more}


def _asset(pointer: str, owner: str, price: int) -> dict[str, Any]:
    return {"pointer": to_checksum_address(pointer), "owner": to_checksum_address(owner), "price": price}


def _at(row: Any, way: tuple[str, ...]) -> str:
    for name in way:
        row = row[name]
    return str(row)


def _unknown(what: str) -> Answer:
    return answer_json({"ok": False, "error": f"{what} not found"}, 404)
