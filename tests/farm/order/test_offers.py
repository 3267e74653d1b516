"""Which offers are taken on a market where anybody may sell anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from NatronIExec.devnet import stall
from NatronIExec.errors import OrderRefused
from NatronIExec.farm.order import offers
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.order.offers import Wanted
from NatronIExec.iexec.transport import Transport
from NatronIExec.paths import networks_file
from NatronIExec.settings import Settings


@pytest.fixture
def services(local: Any, known: Any) -> Any:
    known(local)
    return Services(networks_file(), Settings, Transport(tries=1)).of("local")


@pytest.fixture
def requester(local: Any) -> str:
    return str(local.people["requester"].address)


def _taken(services: Any, **wanted: Any) -> Any:
    return offers.choose(offers.offers(services, Wanted(2, **wanted)), 2)[0].order


@pytest.mark.parametrize("trust", [0, 1])
def test_an_order_of_trust_0_is_as_good_as_one_of_1(services: Any, requester: str, trust: int) -> None:
    found = offers.offers(services, Wanted(1, trust=trust, requester=requester))
    assert {offer.order.trust for offer in found if not offer.reason} == {0, 3}
    found = offers.offers(services, Wanted(1, trust=2, requester=requester))
    assert {offer.order.trust for offer in found if not offer.reason} == {3}


def test_strangers_are_cheaper_and_not_taken(services: Any, local: Any, requester: str) -> None:
    own, strangers = local.network.workerpool, local.chain.deployed.strangers_pool
    found = offers.offers(services, Wanted(2, requester=requester))
    assert min(offer.order.workerpoolprice for offer in found) == 0
    assert {offer.reason for offer in found if offer.order.workerpool == strangers} == {
        "not the network's own worker group"
    }
    assert _taken(services, requester=requester).workerpool == own
    assert _taken(services, requester=requester, workerpool=strangers).workerpool == strangers
    with pytest.raises(OrderRefused, match="secrets elsewhere"):
        _taken(services, requester=requester, workerpool=strangers, confidential=True)


def test_orders_for_others_are_not_taken(services: Any, requester: str, local: Any) -> None:
    """Of all that is on the book, however the market sorts it."""
    everything = services.market.workerpool_orders(app="any", requester="any", dataset="any", category=0)
    assert min(row.order.workerpoolprice for row in everything if row.order.workerpool == local.network.workerpool) == 1
    services.market = SimpleNamespace(workerpool_orders=lambda **filters: everything)
    found = offers.offers(services, Wanted(1, requester=requester))
    fits = {offer.order.requesterrestrict for offer in found if not offer.reason}
    assert fits == {"0x" + "00" * 20, stall.EVERYBODYS_GROUP}
    reasons = {offer.reason for offer in found}
    assert {"sells to others only", "renders another app only", "sells with a dataset only"} <= reasons


def test_another_app_is_not_bought(services: Any, requester: str) -> None:
    """The market answers with whatever it likes."""
    real = services.market
    for_single = real.app_orders(services.network.app_single)

    def swapped(app: str, **filters: Any) -> Any:
        return for_single

    services.market = SimpleNamespace(app_orders=swapped)
    with pytest.raises(OrderRefused):
        offers.app_order(services, Wanted(2, requester=requester))
    services.market = SimpleNamespace(app_orders=lambda app, **filters: for_single + real.app_orders(app))
    assert offers.app_order(services, Wanted(2, requester=requester)).app == services.network.app
