"""One HTTP server on the loopback for all services of the local network; each service answers its own paths."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import AbstractSet as Set
from typing import Any, BinaryIO, Callable, Mapping, Protocol, Sequence
from urllib.parse import parse_qsl, urlsplit

#: Between two bytes of a gateway that is slow.
SLOW_S = 5.0


@dataclass(frozen=True)
class Request:
    """`body` must be read to its end by whoever answers, unless `length` is 0."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    length: int
    body: BinaryIO

    def read(self) -> bytes:
        return self.body.read(self.length)

    def json(self) -> Any:
        return json.loads(self.read() or b"null")


@dataclass(frozen=True)
class Answer:
    """`file` is streamed when set, else `body`."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


class Service(Protocol):
    def answer(self, request: Request) -> Answer | None:
        """None when the path is not this service's."""


class WebServer:
    """Serves until `stop`. `faults` maps a path prefix to the status that is answered instead; `drills` says which of
    `drills.KINDS` there are now."""

    def __init__(self, services: Sequence[Service], port: int = 0, drills: Callable[[], Set[str]] = frozenset) -> None:
        self.faults: dict[str, int] = {}
        self._drills = drills
        owner = self

        class Handler(_Handler):
            server_owner = owner

        self.services = services
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="devnet-web", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Request) -> Answer:
        for prefix, status in list(self.faults.items()):
            if request.path.startswith(prefix):
                return answer_json({"ok": False, "error": "out of order"}, status)
        drilled = self._drilled(request)
        if drilled is not None:
            return drilled
        for service in self.services:
            found = service.answer(request)
            if found is not None:
                return found
        return answer_json({"ok": False, "error": "not found"}, 404)

    def _drilled(self, request: Request) -> Answer | None:
        drills = self._drills()
        orders = request.path.split("/")[1].endswith("orders")
        if "market-500" in drills and orders:
            return answer_json({"ok": False, "error": "Internal error"}, 500)
        if "pool-gone" in drills and request.path == "/workerpoolorders" and request.method == "GET":
            return answer_json({"ok": True, "count": 0, "orders": []})
        if "gateway-html" in drills and request.path.startswith("/ipfs/"):
            return Answer(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html")
        return None

    def pause_s(self, path: str) -> float:
        """Between two bytes of an answer."""
        return SLOW_S if path.startswith("/ipfs/") and "gateway-slow" in self._drills() else 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_owner: WebServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: object) -> None:
        """Quiet: a client's requests are its own business."""

    def _any(self) -> None:
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            length=int(self.headers.get("content-length") or 0),
            body=_Limited(self.rfile, int(self.headers.get("content-length") or 0)),  # type: ignore[arg-type]
        )
        try:
            found = self.server_owner.answer(request)
        except (ValueError, KeyError, TypeError) as problem:
            found = answer_json({"ok": False, "error": f"bad request: {problem}"}, 400)
        while request.body.read(1 << 20):
            pass  # what was not read would be taken for the next request
        self._send(found)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any

    def _send(self, found: Answer) -> None:
        size = found.file.stat().st_size if found.file else len(found.body)
        first, last = 0, size - 1
        status = found.status
        wanted = self.headers.get("range", "")
        if found.file and wanted.startswith("bytes=") and wanted.endswith("-"):
            first, status = int(wanted[6:-1]), 206
            if first >= size:
                status, first, last = 416, 0, -1
        self.send_response(status)
        self.send_header("content-type", found.kind)
        self.send_header("content-length", str(last - first + 1))
        if status in (206, 416):
            reach = f"{first}-{last}" if status == 206 else "*"
            self.send_header("content-range", f"bytes {reach}/{size}")
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD" or last < first:
            return
        if found.file is None:
            self.wfile.write(found.body)
            return
        with found.file.open("rb") as file:
            file.seek(first)
            while (pause_s := self.server_owner.pause_s(self.path)) and (byte := file.read(1)):
                self.wfile.write(byte)
                time.sleep(pause_s)
            while block := file.read(1 << 20):
                self.wfile.write(block)


class _Limited:
    """The request's body and nothing of the next request."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        block: bytes = self._stream.read(size) if size else b""
        self._left -= len(block)
        return block
