"""Selling an app: its orders on the market, one after the other without a gap, and none twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from NatronIExec.errors import BadInput, Conflict, ServiceError
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import CLOSE, new_salt, sign_order
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, PublishedOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.iexec.transactions import require_gas

#: A price above this a task, in nRLC, is a slip of the keyboard: 1000 RLC.
ABSURD_NRLC = 1000 * 10**9
#: An order sells at most this many tasks; the hub counts in 256 bits, people in fewer (2**53 - 1: what JSON keeps).
MOST_TASKS = 2**53 - 1


@dataclass(frozen=True)
class Terms:
    """What is sold: `price_nrlc` a task, `volume` tasks, to whom ("" is everybody), on which worker group, with which
    tag (0x… 32 bytes)."""

    price_nrlc: int
    volume: int
    tag: str = NO_TAG
    requester: str = ""
    workerpool: str = ""

    def checked(self, edition: str) -> Terms:
        """Raises BadInput for terms that nobody means."""
        if self.price_nrlc < 0 or self.price_nrlc > ABSURD_NRLC:
            raise BadInput(
                f"A price of {self.price_nrlc} nRLC a task is not possible.",
                f"Give 0 to {ABSURD_NRLC // 10**9} RLC (1 RLC is 1 000 000 000 nRLC).",
            )
        if edition == "free" and self.price_nrlc:
            raise BadInput("The free edition costs nothing.", "Publish it without --price, or the distributed one.")
        if not 1 <= self.volume <= MOST_TASKS:
            raise BadInput(f"An order of {self.volume} tasks cannot be sold.", "Give a volume of 1 or more.")
        return self

    def sells_like(self, order: AppOrder) -> bool:
        """Whether an order offers just this; how many tasks are left is another matter."""
        return (
            order.appprice == self.price_nrlc
            and int(order.tag, 16) == int(self.tag, 16)
            and order.requesterrestrict.lower() == (self.requester or ZERO_ADDRESS).lower()
            and order.workerpoolrestrict.lower() == (self.workerpool or ZERO_ADDRESS).lower()
            and order.datasetrestrict == ZERO_ADDRESS
        )


class AppOrders:
    """The orders of one network's apps."""

    def __init__(self, hub: Hub, market: Market) -> None:
        self._hub, self._market = hub, market

    def open_orders(self, app: str) -> list[PublishedOrder]:
        """On the market now, for anybody."""
        return self._market.app_orders(app, requester="any", workerpool="any")

    def publish(self, app: str, edition: str, terms: Terms, signer: Signer) -> tuple[str, bool]:
        """(hash of the order that sells on these terms, whether it is new). Published once, however often asked."""
        terms.checked(edition)
        self._require_owner(app, signer)
        for found in self.open_orders(app):
            if isinstance(found.order, AppOrder) and terms.sells_like(found.order) and found.remaining:
                return found.order_hash, False
        nobody = ZERO_ADDRESS
        order = AppOrder(
            app=app,
            appprice=terms.price_nrlc,
            volume=terms.volume,
            tag=terms.tag,
            datasetrestrict=nobody,
            workerpoolrestrict=terms.workerpool or nobody,
            requesterrestrict=terms.requester or nobody,
            salt=new_salt(),
        )
        return self._market.publish("app", sign_order(order, self._hub.domain, signer), signer), True

    def change_price(self, app: str, edition: str, terms: Terms, signer: Signer) -> dict[str, Any]:
        """Offer the new price first, then take the others of the same tag and restrictions off the market, so that the
        app is for sale all the time. Returns {published, unpublished}."""
        order_hash, _ = self.publish(app, edition, terms, signer)
        old = [
            found
            for found in self.open_orders(app)
            if found.order_hash != order_hash
            and isinstance(found.order, AppOrder)
            and Terms(found.order.appprice, 1, terms.tag, terms.requester, terms.workerpool).sells_like(found.order)
        ]
        for found in old:
            self.end(found, signer)
        return {"published": order_hash, "unpublished": [found.order_hash for found in old]}

    def unpublish(self, app: str, order_hash: str | None, signer: Signer) -> list[str]:
        """End one order, or all of the app; hashes of those that were open. Ended ones stay ended: asking again does
        nothing."""
        self._require_owner(app, signer)
        wanted = [found for found in self.open_orders(app) if order_hash in (None, found.order_hash)]
        for found in wanted:
            self.end(found, signer)
        return [found.order_hash for found in wanted]

    def end(self, found: PublishedOrder, signer: Signer, give_up: Callable[[], bool] = lambda: False) -> None:
        """On chain first: an order that is only off the market can still be matched by whoever kept it."""
        transaction = self._hub.build_operation(found.order, CLOSE, signer.address)
        require_gas([transaction], self._hub.balances(signer.address).eth_wei)
        signed = transaction.signed_by(signer)
        self._hub.send(signed)
        if self._hub.wait(signed.hash, give_up) is None:
            raise ServiceError("The chain has not closed the order yet.", "Run the same command again later.")
        if found.order_hash in {left.order_hash for left in self.open_orders(found.order.app)}:  # type: ignore[union-attr]
            self._market.unpublish("app", found.order_hash, signer)

    def _require_owner(self, app: str, signer: Signer) -> None:
        self._hub.forget_owners()
        (owner,) = self._hub.owners([app])
        if owner.lower() != signer.address.lower():
            raise Conflict(f"The app {app} belongs to {owner}.", "Unlock the account that deployed it.")
