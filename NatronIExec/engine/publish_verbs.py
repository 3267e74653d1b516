"""The publisher's verbs: deploying apps, selling them, counting what they earned. They sign, so they are the engine's.

Building and pushing an image needs no account and is done by the command line itself (`cli/app_commands.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from NatronIExec import paths
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.request import Request
from NatronIExec.errors import BadInput
from NatronIExec.farm.order.network_services import NetworkServices, Services
from NatronIExec.iexec.network import NO_TAG, TDX_TAG
from NatronIExec.iexec.records import AppOrder
from NatronIExec.iexec.signer import Signer
from NatronIExec.publish import network_file
from NatronIExec.publish.app_orders import AppOrders, Terms
from NatronIExec.publish.app_registry import AppDetails, AppRegistry, checksum_of
from NatronIExec.publish.image_build import EDITIONS
from NatronIExec.publish.revenue import revenue
from NatronIExec.wallet.session import Session

if TYPE_CHECKING:
    from NatronIExec.iexec.records import PublishedOrder

Verb = Callable[[Request, Arguments], Any]
#: Seconds that somebody waits for a transaction; the same command later finds out what became of it.
PATIENCE_S = 180.0


class PublishVerbs:
    def __init__(self, services: Services, wallet: Session) -> None:
        self._services, self._wallet = services, wallet

    def table(self) -> dict[str, Verb]:
        return {
            "app.deploy": self.deploy,
            "app.publish": self.publish,
            "app.price": self.price,
            "app.unpublish": self.unpublish,
            "app.show": self.show,
            "app.orders": self.orders,
            "app.revenue": self.revenue,
            "app.network_file": self.network_file,
            "networks.add": self.add_network,
        }

    def deploy(self, request: Request, args: Arguments) -> Any:
        """{app, new}: the app of an image in a registry, made known on this machine as its edition's."""
        net, signer = self._signing(args)
        edition = _edition(args)
        details = AppDetails(
            signer.address, args.take("name", str), args.take("image", str), checksum_of(args.take("digest", str))
        )
        args.done()
        registry = AppRegistry(net.hub)
        new = not registry.is_registered(registry.predicted(details))
        with net.sending():
            app = registry.deploy(details, signer, _patience())
        self._make_known(net, {edition: app}, signer)
        return {"app": app, "new": new, "edition": edition, **_sheet(details)}

    def publish(self, request: Request, args: Arguments) -> Any:
        net, signer = self._signing(args)
        edition = _edition(args)
        app, terms = _app(net, edition, args), _terms(net, args)
        order_hash, new = AppOrders(net.hub, net.market).publish(app, edition, terms, signer)
        return {"app": app, "edition": edition, "order": order_hash, "new": new}

    def price(self, request: Request, args: Arguments) -> Any:
        net, signer = self._signing(args)
        edition = _edition(args)
        app, terms = _app(net, edition, args), _terms(net, args)
        with net.sending():
            return AppOrders(net.hub, net.market).change_price(app, edition, terms, signer)

    def unpublish(self, request: Request, args: Arguments) -> Any:
        net, signer = self._signing(args)
        app, order = _app(net, _edition(args), args), args.maybe("order", str)
        args.done()
        with net.sending():
            return {"unpublished": AppOrders(net.hub, net.market).unpublish(app, order, signer)}

    def show(self, request: Request, args: Arguments) -> Any:
        """Of each edition that the network names: its app, as it is on chain, and whether its contents are known."""
        net = self._services.of(args.take("network", str))
        args.done()
        registry, rows = AppRegistry(net.hub), []
        for edition, app in _apps(net).items():
            details = registry.details(app)
            known = (paths.images() / f"{details.checksum}.json").is_file()
            rows.append({"edition": edition, "app": app, "contents_known": known, **_sheet(details)})
        return rows

    def orders(self, request: Request, args: Arguments) -> Any:
        net = self._services.of(args.take("network", str))
        args.done()
        book = AppOrders(net.hub, net.market)
        rows = [(edition, found) for edition, app in _apps(net).items() for found in book.open_orders(app)]
        return [{"edition": edition, **_row(found)} for edition, found in rows]

    def revenue(self, request: Request, args: Arguments) -> Any:
        net = self._services.of(args.take("network", str))
        args.done()
        return revenue(net.hub, net.market, _apps(net))

    def network_file(self, request: Request, args: Arguments) -> Any:
        """The signed file's text, for the publisher to hand out. `images` are contents by checksum."""
        net, signer = self._signing(args)
        images = args.maybe("images", dict) or {}
        args.done()
        made = network_file.NetworkFile(
            net.network.name, net.network.chain_id, _apps(net), images, signer.address
        ).signed_by(signer)
        network_file.check(made, net.network, AppRegistry(net.hub))
        return {"text": made.to_bytes().decode()}

    def add_network(self, request: Request, args: Arguments) -> Any:
        file = network_file.read(args.take("content", str).encode())
        args.done()
        net = self._services.of(file.network)
        network_file.check(file, net.network, AppRegistry(net.hub))
        return network_file.add(file, paths.networks_file(), paths.images())

    def _signing(self, args: Arguments) -> tuple[NetworkServices, Signer]:
        password, network = args.maybe("password", str), args.take("network", str)
        net, signer = self._services.of(network), self._wallet.signer(password)
        net.check()
        return net, signer

    def _make_known(self, net: NetworkServices, apps: dict[str, str], signer: Signer) -> None:
        mine = network_file.NetworkFile(net.network.name, net.network.chain_id, apps, {}, signer.address)
        network_file.add(mine, paths.networks_file(), paths.images())


def _edition(args: Arguments) -> str:
    edition = args.take("edition", str)
    if edition not in EDITIONS:
        raise BadInput(f"There is no edition {edition}.", f"Choose one of {', '.join(EDITIONS)}.")
    return edition


def _apps(net: NetworkServices) -> dict[str, str]:
    """Editions and their apps, of those that are deployed. Raises BadInput when none is."""
    named = {edition: getattr(net.network, field) for edition, field in network_file.FIELDS.items()}
    apps = {edition: app for edition, app in named.items() if app}
    if not apps:
        raise BadInput(f"No app is known on {net.network.title}.", "Deploy one with `natron-iexec app deploy`.")
    return apps


def _app(net: NetworkServices, edition: str, args: Arguments) -> str:
    app = args.maybe("app", str) or _apps(net).get(edition)
    if not app:
        raise BadInput(
            f"No {edition} app is known on {net.network.title}.", "Deploy one with `natron-iexec app deploy`."
        )
    return app


def _terms(net: NetworkServices, args: Arguments) -> Terms:
    terms = Terms(
        args.take("price_nrlc", int),
        args.take("volume", int),
        TDX_TAG if args.flag("confidential") else net.network.tag or NO_TAG,
        args.maybe("requester", str) or "",
        args.maybe("workerpool", str) or "",
    )
    args.done()
    return terms


def _sheet(details: AppDetails) -> dict[str, Any]:
    return {**asdict(details), "mrenclave": "0x" + details.mrenclave.hex()}


def _row(found: PublishedOrder) -> dict[str, Any]:
    assert isinstance(found.order, AppOrder)
    return {
        "app": found.order.app,
        "order": found.order_hash,
        "price_nrlc": found.order.appprice,
        "volume": found.order.volume,
        "remaining": found.remaining,
        "tag": found.order.tag,
        "requester": found.order.requesterrestrict,
        "workerpool": found.order.workerpoolrestrict,
    }


def _patience() -> Callable[[], bool]:
    end = time.monotonic() + PATIENCE_S
    return lambda: time.monotonic() > end
