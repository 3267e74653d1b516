"""A requester of the local iExec, and matches that it could buy; servers and nodes that misbehave."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG
from NatronIExec.iexec.orders import NULL_DATASET, RequestParams, hash_order, new_salt, sign_order, task_id
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import ZERO_ADDRESS, Match, RequestOrder
from NatronIExec.iexec.transport import Transport


@pytest.fixture
def hub(local: Any) -> Hub:
    return Hub(local.network, Transport())


@pytest.fixture
def market(hub: Hub) -> Market:
    return Market(hub.network, hub.transport)


@pytest.fixture
def requester(local: Any) -> Any:
    return local.signer("requester")


@pytest.fixture
def make_match(local: Any, hub: Hub, market: Market, requester: Any) -> Callable[..., Match]:
    """A match of `volume` tasks that the chain takes; `changes` to the request order break it."""

    def make(volume: int = 1, category: int = 0, signer: Any = requester, **changes: Any) -> Match:
        app = next(row.order for row in market.app_orders(local.network.app) if row.order.tag == NO_TAG)
        pool = market.workerpool_orders(workerpool=local.network.workerpool, category=category, min_trust=1)[0].order
        request = RequestOrder(
            app=app.app,
            appmaxprice=app.appprice,
            dataset=ZERO_ADDRESS,
            datasetmaxprice=0,
            workerpool=ZERO_ADDRESS,
            workerpoolmaxprice=pool.workerpoolprice,
            requester=signer.address,
            volume=volume,
            tag=NO_TAG,
            category=category,
            trust=1,
            beneficiary=signer.address,
            callback=ZERO_ADDRESS,
            params=RequestParams("--nothing").to_json(),
            salt=new_salt(),
        )
        request = sign_order(replace(request, **changes), hub.domain, signer)
        return Match(app, NULL_DATASET, pool, request)

    return make


@pytest.fixture
def buy(hub: Hub, requester: Any) -> Callable[..., list[Any]]:
    """Send a match with the deposit that it needs, or another one, and return its deals."""

    def send(match: Match, deposit_nrlc: int | None = None, signer: Any = requester) -> list[Any]:
        if deposit_nrlc is None:
            deposit_nrlc = preflight(hub, match).deposit_nrlc
        transactions = hub.build_match(match, deposit_nrlc)
        signed = [transaction.signed_by(signer) for transaction in transactions]
        for one in signed:
            hub.send(one)
        for one in signed:
            hub.wait(one.hash)
        return hub.deals_of_request(hash_order(match.request, hub.domain), match.request.volume)

    return send


@pytest.fixture
def finish(local: Any, hub: Hub) -> Callable[..., bytes]:
    """Do a task of a deal (that no worker was given) on chain, and give its digest."""
    worker, owner = local.people["worker0"], local.people["pool_owner"]

    def do(deal: Any, index: int) -> bytes:
        task = bytes.fromhex(task_id(deal.dealid, index)[2:])
        digest = keccak(text=f"result {index}")
        send = local.chain.chain.send
        send(owner.address, hub.network.hub, hub.encode("initialize", deal.dealid, index))
        said = keccak(bytes.fromhex(worker.address[2:]) + task + bytes(20))
        allowed = bytes(Account.sign_message(encode_defunct(said), owner.key).signature)
        results = b'{"storage": "ipfs", "location": "/ipfs/%d"}' % index
        call = hub.encode("contributeAndFinalize", task, digest, results, b"", ZERO_ADDRESS, b"", allowed)
        send(worker.address, hub.network.hub, call, gas=3_000_000)
        return digest

    return do


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Run a server that answers by a script: (handler, number of the request)."""
    servers: list[ThreadingHTTPServer] = []

    def start(script: Callable[[Any, int], None]) -> str:
        count = [0]

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                count[0] += 1
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script(self, count[0])

            do_GET = do_POST = do_HEAD = do_PUT = _answer

            def say(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return None

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Clients that hang up are what some tests are about."""

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def transport(waits: list[float]) -> Transport:
    """Waits are recorded, not waited."""
    return Transport(timeout_s=5, tries=3, wait_s=1, sleep=waits.append, jitter=lambda: 0.5)


@pytest.fixture
def node(serve: Callable[..., str], hub: Hub) -> Callable[..., str]:
    """Run a node before the real chain, with habits of its own: `habit(method, params)` gives the answer's members
    (`{"error": …}` or `{"result": …}`), or None for what the chain says. `batch(calls)` may give a whole answer."""
    real = Transport()

    def start(
        habit: Callable[[str, Any], Any] = lambda method, params: None,
        batch: Callable[[list[Any]], Any] = lambda calls: None,
    ) -> str:
        def row(call: Any) -> Any:
            assert (call["jsonrpc"], set(call)) == ("2.0", {"jsonrpc", "id", "method", "params"})
            said = habit(call["method"], call["params"])
            if said is None:
                said = real.post_json(hub.network.rpc, call)
            return {**said, "jsonrpc": "2.0", "id": call["id"]}

        def script(handler: Any, number: int) -> None:
            asked = json.loads(handler.body)
            whole = batch(asked) if isinstance(asked, list) else None
            rows = whole or ([row(call) for call in asked] if isinstance(asked, list) else row(asked))
            handler.say(200, json.dumps(rows).encode())

        return serve(script)

    return start
