"""The verbs about the engine itself, the networks and the settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from NatronIExec import __version__, paths, settings
from NatronIExec.engine.arguments import Arguments
from NatronIExec.engine.protocol import PROTOCOL
from NatronIExec.engine.request import Request
from NatronIExec.engine.server import Server
from NatronIExec.errors import BadInput, Conflict, EngineMismatch
from NatronIExec.storage.base import FORGETTING
from NatronIExec.wording import count

if TYPE_CHECKING:
    from NatronIExec.engine.farm_side import FarmSide

Verb = Callable[[Request, Arguments], Any]


class SystemVerbs:
    """`farm` waits until the farm is loaded; `stop` ends the engine after the answer is sent."""

    def __init__(
        self,
        server: Server,
        farm: Callable[[], FarmSide],
        wallet_state: Callable[[], dict[str, Any]],
        stop: Callable[[], None],
    ) -> None:
        self._server = server
        self._farm = farm
        self._wallet_state = wallet_state
        self._stop = stop
        self._started_s = time.time()

    def table(self) -> dict[str, Verb]:
        return {
            "hello": self.hello,
            "subscribe": self.subscribe,
            "stop": self.stop,
            "status": self.status,
            "networks": self.networks,
            "test_endpoint": self.test_endpoint,
            "settings.get": self.settings_get,
            "settings.set": self.settings_set,
        }

    def hello(self, request: Request, args: Arguments) -> Any:
        protocol, version = args.take("protocol", int), args.take("version", str)
        if protocol != PROTOCOL:
            raise EngineMismatch(
                f"The engine is version {__version__}, this is {version}.",
                "Update both to the same version, then run `natron-iexec engine stop`; jobs go on afterwards.",
            )
        return {**self._identity(), "protocol": PROTOCOL}

    def subscribe(self, request: Request, args: Arguments) -> Any:
        request.client.subscribed = True
        return {"jobs": self._farm().view.rows(), "wallet": self._wallet_state()}

    def status(self, request: Request, args: Arguments) -> Any:
        idle = time.monotonic() - self._server.idle_since_s if not self._server.clients else 0.0
        counts = {"clients": self._server.clients, "jobs_active": self._farm().view.active(), "idle_s": idle}
        return {**self._identity(), **counts, "requests": self._farm().services.transport.requests_sent}

    def stop(self, request: Request, args: Arguments) -> Any:
        active = self._farm().view.active()
        if active and not args.flag("force"):
            raise Conflict(
                f"The engine is busy with {count(active, 'job')}.",
                "Stop it all the same with --force; what is under way goes on at the next start.",
            )
        self._stop()
        return {}

    def networks(self, request: Request, args: Arguments) -> Any:
        forgets = settings.load().storage in FORGETTING
        return [
            {
                "name": network.name,
                "title": network.title,
                "chain_id": network.chain_id,
                "test": network.test,
                "endpoints": network.endpoints(),
                "available": bool(network.app),
                "faucet": network.faucet or None,
                "explorer": network.explorer or None,
                "confidential": network.in_enclave,
                "forgets": forgets,
            }
            for network in self._farm().services.networks().values()
        ]

    def test_endpoint(self, request: Request, args: Arguments) -> Any:
        services = self._farm().services.of(args.take("network", str))
        kind, url = args.take("kind", str), args.take("url", str).rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"{url!r} is not a web address.", "It begins with https://")
        began = time.monotonic()
        answer = self._ask(services.network.chain_id, kind, url)
        return {"ok": True, "answer": answer, "ms": round((time.monotonic() - began) * 1000)}

    def _ask(self, chain_id: int, kind: str, url: str) -> str:
        """Ask the service something that only the right kind of service can answer."""
        transport = self._farm().services.transport
        if kind == "rpc":
            found = int(transport.rpc(url, "eth_chainId", []), 16)
            if found != chain_id:
                raise BadInput(f"This endpoint serves chain {found}, not {chain_id}.", "Use one of the right chain.")
            return f"chain {found}"
        if kind == "market":
            return f"version {_word(transport.get_json(f'{url}/version'), 'version')}"
        if kind == "ipfs":
            found_version = transport.json("POST", f"{url}/api/v0/version", retry=True)
            return f"Kubo {_word(found_version, 'Version')}"
        if kind in ("sms", "gateway"):
            status = transport.request("GET", url, accept=(400, 401, 403, 404, 405)).status_code
            return f"answers ({status})"
        raise BadInput(f"There is no endpoint of kind {kind}.", "Kinds are rpc, market, sms, ipfs and gateway.")

    def settings_get(self, request: Request, args: Arguments) -> Any:
        return asdict(settings.load())

    def settings_set(self, request: Request, args: Arguments) -> Any:
        changes = args.rest().get("changes")
        if not isinstance(changes, Mapping):
            raise BadInput("settings.set needs changes.", "See docs/engine-protocol.md.")
        new = settings.changed(settings.load(), changes)
        networks = self._farm().services.networks()
        if new.network not in networks:
            raise BadInput(f"There is no network {new.network}.", f"Known are: {', '.join(sorted(networks))}.")
        for name in new.endpoints.keys() & networks.keys():
            networks[name].with_endpoints(**new.endpoints[name])  # raises BadInput for an unknown kind of endpoint
        settings.save(new)
        return asdict(new)

    def _identity(self) -> dict[str, Any]:
        return {"version": __version__, "pid": os.getpid(), "home": str(paths.home()), "started_s": self._started_s}


def _word(answer: Any, name: str) -> str:
    return str(answer.get(name, "?")) if isinstance(answer, dict) else "?"
