"""Orders on the local market and chain: published once, replaced without a gap, ended for good."""

from __future__ import annotations

from typing import Any

import pytest

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.publish.app_orders import ABSURD_NRLC, AppOrders, Terms

TERMS = Terms(price_nrlc=5_000_000, volume=1000)


@pytest.fixture
def book(hub: Hub, market: Market) -> AppOrders:
    return AppOrders(hub, market)


def test_the_same_terms_are_published_once(book: AppOrders, fresh_app: str, publisher: Any) -> None:
    first, new = book.publish(fresh_app, "distributed", TERMS, publisher)
    again, newer = book.publish(fresh_app, "distributed", TERMS, publisher)
    assert (new, newer, again) == (True, False, first)
    assert [found.order_hash for found in book.open_orders(fresh_app)] == [first]


def test_restrictions_and_tag_are_in_the_order(book: AppOrders, fresh_app: str, publisher: Any, local: Any) -> None:
    buyer = local.people["buyer"].address
    terms = Terms(0, 3, "0x" + "00" * 31 + "09", requester=buyer, workerpool=local.network.workerpool)
    book.publish(fresh_app, "free", terms, publisher)
    (found,) = book.open_orders(fresh_app)
    assert terms.sells_like(found.order)  # type: ignore[arg-type]
    assert (found.remaining, found.order.requesterrestrict) == (3, buyer)  # type: ignore[union-attr]


def test_a_new_price_replaces_the_old_one(book: AppOrders, fresh_app: str, publisher: Any) -> None:
    old, _ = book.publish(fresh_app, "distributed", TERMS, publisher)
    changed = book.change_price(fresh_app, "distributed", Terms(7_000_000, 1000), publisher)
    assert changed["unpublished"] == [old]
    (found,) = book.open_orders(fresh_app)
    assert (found.order_hash, found.order.appprice) == (changed["published"], 7_000_000)  # type: ignore[union-attr]


def test_a_change_that_was_cut_off_is_finished_by_the_same_command(
    book: AppOrders, fresh_app: str, publisher: Any
) -> None:
    old, _ = book.publish(fresh_app, "distributed", TERMS, publisher)
    new = Terms(7_000_000, 1000)
    half, _ = book.publish(fresh_app, "distributed", new, publisher)  # killed here
    assert book.change_price(fresh_app, "distributed", new, publisher) == {"published": half, "unpublished": [old]}
    assert book.change_price(fresh_app, "distributed", new, publisher) == {"published": half, "unpublished": []}


def test_an_ended_order_cannot_be_bought_with_a_copy(book: AppOrders, hub: Hub, fresh_app: str, publisher: Any) -> None:
    order_hash, _ = book.publish(fresh_app, "distributed", TERMS, publisher)
    assert book.unpublish(fresh_app, None, publisher) == [order_hash]
    assert book.unpublish(fresh_app, None, publisher) == []
    assert book.open_orders(fresh_app) == []
    assert hub.consumed([order_hash])[order_hash] == TERMS.volume


def test_one_of_several_is_ended(book: AppOrders, fresh_app: str, publisher: Any) -> None:
    keep, _ = book.publish(fresh_app, "distributed", TERMS, publisher)
    end, _ = book.publish(fresh_app, "distributed", Terms(9, 9), publisher)
    assert book.unpublish(fresh_app, end, publisher) == [end]
    assert [found.order_hash for found in book.open_orders(fresh_app)] == [keep]


@pytest.mark.parametrize(
    ("edition", "terms", "said"),
    [
        ("distributed", Terms(-1, 1), "not possible"),
        ("distributed", Terms(ABSURD_NRLC + 1, 1), "not possible"),
        ("distributed", Terms(1, 0), "cannot be sold"),
        ("free", Terms(1, 1), "costs nothing"),
    ],
)
def test_terms_that_nobody_means(
    book: AppOrders, fresh_app: str, publisher: Any, edition: str, terms: Terms, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        book.publish(fresh_app, edition, terms, publisher)
    assert book.open_orders(fresh_app) == []


def test_another_account_cannot_sell_it(book: AppOrders, fresh_app: str, local: Any) -> None:
    with pytest.raises(Conflict, match="belongs to"):
        book.publish(fresh_app, "distributed", TERMS, local.signer("buyer"))
