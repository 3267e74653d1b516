"""The order book: what apps and worker groups sell now. Paths and shapes: iexec-market-api 7 (api/openapi.yaml)."""

from __future__ import annotations

import threading
from typing import Any, Mapping

from NatronIExec.errors import BadInput, ServiceError
from NatronIExec.iexec.challenge import authorization
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.orders import KINDS, from_json, to_json
from NatronIExec.iexec.records import Order, PublishedOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transport import Transport, where_of

#: The name in the domain of its challenges (iexec-market-api controllers/auth.js).
SERVICE = "iExec Gateway"
PAGE_SIZE = 1000


class Market:
    """Reading needs no account. Each write signs a challenge that can be used once, so the writes of one client run one
    after the other."""

    def __init__(self, network: Network, transport: Transport) -> None:
        self._network = network
        self._transport = transport
        self._writing = threading.Lock()

    def app_orders(self, app: str, **filters: Any) -> list[PublishedOrder]:
        """Open orders of `app`, cheapest first. Filters: requester, workerpool, min_tag, max_tag, min_volume."""
        return self._orders("app", app=app, **filters)

    def workerpool_orders(self, **filters: Any) -> list[PublishedOrder]:
        """Open worker group orders, cheapest first. Filters: category, workerpool, app, requester, min_tag, max_tag,
        min_volume, min_trust. Without `app` or `requester` only orders open to everybody are listed."""
        return self._orders("workerpool", **filters)

    def dataset_orders(self, dataset: str, **filters: Any) -> list[PublishedOrder]:
        """Open orders of `dataset`, cheapest first. Filters: app, requester, workerpool, min_tag, max_tag,
        min_volume."""
        return self._orders("dataset", dataset=dataset, **filters)

    def request_orders(self, **filters: Any) -> list[PublishedOrder]:
        """Open request orders, the best paid first. Filters: requester, beneficiary, category, app, dataset,
        workerpool, min_tag, max_tag, max_trust, min_volume."""
        return self._orders("request", **filters)

    def deals_of_app(self, app: str) -> list[str]:
        """Ids of all deals of `app`, the newest first. The chain says what each of them is."""
        return [str(row["dealid"]) for row in self._pages(f"{self._network.market}/deals", "deals", {"app": app})]

    def order(self, kind: str, order_hash: str) -> PublishedOrder:
        found = self._transport.get_json(f"{self._url(kind)}/{order_hash}", {"chainId": self._network.chain_id})
        return self._published(kind, found)

    def publish(self, kind: str, order: Order, signer: Signer) -> str:
        """Offer a signed order; returns its hash. Presigned orders cannot be published."""
        answer = self._write("POST", kind, {"order": to_json(order)}, signer)
        published = answer.get("published") if isinstance(answer, dict) else None
        if not isinstance(published, dict) or "orderHash" not in published:
            raise self._strange("without the published order")
        return str(published["orderHash"])

    def unpublish(self, kind: str, order_hash: str, signer: Signer) -> None:
        """Take an order off the book. It stays valid on chain until it is closed there."""
        self._write("PUT", kind, {"target": "unpublish_orderHash", "orderHash": order_hash}, signer)

    def _orders(self, kind: str, **filters: Any) -> list[PublishedOrder]:
        query = {_camel(name): value for name, value in filters.items() if value is not None}
        return [self._published(kind, row) for row in self._pages(self._url(kind), "orders", query)]

    def _pages(self, url: str, name: str, filters: Mapping[str, Any]) -> list[Any]:
        query = {"chainId": self._network.chain_id, "pageSize": PAGE_SIZE, **filters}
        found: list[Any] = []
        for page in range(1000):  # `nextPage` is a record offset, so pages are counted here
            rows = self._rows(self._transport.get_json(url, {**query, "pageIndex": page}), name)
            found += rows
            if len(rows) < PAGE_SIZE:
                break
        return found

    def _write(self, method: str, kind: str, body: Mapping[str, Any], signer: Signer) -> Any:
        chain = {"chainId": self._network.chain_id}
        with self._writing:
            answer = self._transport.get_json(f"{self._network.market}/challenge", {**chain, "address": signer.address})
            challenge = answer.get("data") if isinstance(answer, dict) else None
            headers = {"authorization": authorization(challenge, SERVICE, self._network.chain_id, signer)}
            return self._transport.json(
                method, self._url(kind), params=chain, headers=headers, json_body=body, retry=False
            )

    def _rows(self, answer: Any, name: str) -> list[Any]:
        if isinstance(answer, dict) and isinstance(answer.get(name), list):
            return list(answer[name])
        raise self._strange(f"without {name}")

    def _published(self, kind: str, row: Any) -> PublishedOrder:
        try:
            return PublishedOrder(
                order=from_json(kind, row["order"]),
                order_hash=str(row["orderHash"]),
                remaining=int(row["remaining"]),
                status=str(row["status"]),
                signer=str(row.get("signer", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError, BadInput) as problem:
            raise self._strange("with something that is no order") from problem

    def _strange(self, how: str) -> ServiceError:
        where = where_of(self._network.market)
        return ServiceError(f"{where} answered {how}.", "Check the market's endpoint in the settings.")

    def _url(self, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(kind)
        return f"{self._network.market}/{kind}orders"


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
