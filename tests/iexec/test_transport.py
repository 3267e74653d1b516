"""HTTP against a server that misbehaves."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec.errors import Cancelled, ResultRefused, ServiceError, Unreachable
from NatronIExec.iexec.transport import RpcError, Transport

Script = Callable[[BaseHTTPRequestHandler, int], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Script], str]]:
    """Run a server that answers by a script: (handler, number of the request)."""
    servers: list[ThreadingHTTPServer] = []

    def start(script: Script) -> str:
        count = [0]

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                count[0] += 1
                length = int(self.headers.get("Content-Length", 0))
                self.body = self.rfile.read(length)
                script(self, count[0])

            do_GET = do_POST = do_HEAD = _answer

            def log_message(self, *_: Any) -> None:
                return None

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
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


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def test_reads_are_repeated_with_growing_waits(serve: Any, transport: Transport, waits: list[float]) -> None:
    url = serve(lambda handler, number: say(handler, 503 if number < 3 else 200, b'{"ok": 1}'))
    assert transport.get_json(url) == {"ok": 1}
    assert waits == [1.0, 2.0]


def test_writes_are_sent_once(serve: Any, transport: Transport, waits: list[float]) -> None:
    url = serve(lambda handler, number: say(handler, 503, b""))
    with pytest.raises(Unreachable, match="not ready"):
        transport.post_json(url, {})
    assert waits == []


def test_a_busy_market_is_waited_for(serve: Any, transport: Transport, waits: list[float]) -> None:
    url = serve(lambda handler, number: say(handler, 429 if number == 1 else 200, b"[]"))
    assert transport.get_json(url) == []
    assert len(waits) == 1


def test_a_refusal_quotes_the_service(serve: Any, transport: Transport) -> None:
    url = serve(lambda handler, number: say(handler, 400, b"no such order"))
    with pytest.raises(ServiceError, match="no such order"):
        transport.get_json(url)


def test_what_is_not_json_is_said(serve: Any, transport: Transport) -> None:
    for body in (b"<html>", b"[" * 100_000):
        url = serve(lambda handler, number, body=body: say(handler, 200, body))
        with pytest.raises(ServiceError, match="not JSON"):
            transport.get_json(url)


def test_rpc_answers_come_in_the_order_of_the_calls(serve: Any, transport: Transport) -> None:
    def script(handler: Any, number: int) -> None:
        asked = json.loads(handler.body)
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": call["method"]} for call in asked]
        answers[1] = {"jsonrpc": "2.0", "id": asked[1]["id"], "error": {"code": 3, "message": "reverted", "data": "0x"}}
        say(handler, 200, json.dumps(answers[::-1]).encode())

    url = serve(script)
    calls: list[Any] = [("a", []), ("b", []), ("c", [])]
    first, second, third = transport.rpc_batch_raw(url, calls)
    assert (first, third) == ("a", "c")
    assert isinstance(second, RpcError)
    with pytest.raises(RpcError, match="reverted"):
        transport.rpc_batch(url, calls)


def test_a_node_that_leaves_answers_out(serve: Any, transport: Transport) -> None:
    url = serve(lambda handler, number: say(handler, 200, b"[]"))
    with pytest.raises(RpcError, match="without a result"):
        transport.rpc(url, "eth_chainId", [])


def test_a_download_goes_on_where_it_broke_off(serve: Any, transport: Transport, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    ranges = []

    def script(handler: Any, number: int) -> None:
        ranges.append(handler.headers.get("Range"))
        begin = int(ranges[-1][6:-1]) if ranges[-1] else 0
        part = content[begin:]
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(part)))
        handler.end_headers()
        handler.wfile.write(part[: 400_000 if number == 1 else len(part)])
        if number == 1:
            handler.connection.close()

    target = tmp_path / "file"
    assert transport.stream(serve(script), target, 10**7) == len(content)
    assert target.read_bytes() == content
    assert ranges[0] is None
    assert ranges[1].startswith("bytes=")


def test_a_download_has_a_limit_and_can_be_cancelled(serve: Any, transport: Transport, tmp_path: Path) -> None:
    url = serve(lambda handler, number: say(handler, 200, bytes(10**6)))
    with pytest.raises(ResultRefused, match="larger"):
        transport.stream(url, tmp_path / "a", 1000)
    with pytest.raises(Cancelled):
        transport.stream(url, tmp_path / "b", 10**7, cancel=lambda: True)
    assert not (tmp_path / "a").exists()


def test_a_part_that_no_longer_fits_is_begun_anew(serve: Any, transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"old and longer")
    url = serve(
        lambda handler, number: say(handler, 416 if handler.headers.get("Range") else 200, b"new"),
    )
    assert transport.stream(url, tmp_path / "file", 1000) == 3


def test_nobody_there(transport: Transport) -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        transport.get_json("http://127.0.0.1:9")
