"""HTTP against a server that misbehaves."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import Cancelled, NatronIExecError, ResultRefused, ServiceError, Unreachable
from NatronIExec.iexec.transport import Transport


def say(handler: Any, status: int, body: bytes, **headers: str) -> None:
    handler.say(status, body, **headers)


def test_reads_are_repeated_with_growing_waits(serve: Any, transport: Transport, waits: list[float]) -> None:
    url = serve(lambda handler, number: say(handler, 503 if number < 3 else 200, b'{"ok": 1}'))
    assert transport.get_json(url) == {"ok": 1}
    assert waits == [1.0, 2.0]


def test_a_service_says_how_long_to_wait(serve: Any, transport: Transport, waits: list[float]) -> None:
    said = ["7", "3600", "soon"]
    url = serve(lambda handler, number: say(handler, 429, b"", Retry_After=said[number - 1]))
    with pytest.raises(Unreachable, match="not ready"):
        transport.get_json(url)
    assert waits == [7.0, 60.0]


def test_what_a_busy_service_did_not_look_at_is_sent_again(serve: Any, transport: Transport) -> None:
    url = serve(lambda handler, number: say(handler, 429 if number == 1 else 200, handler.body))
    assert transport.post_json(url, {"an": "order"}) == {"an": "order"}


def test_a_transaction_is_sent_once(serve: Any, transport: Transport, waits: list[float]) -> None:
    url = serve(lambda handler, number: say(handler, 429, b""))
    with pytest.raises(Unreachable, match="not ready"):
        transport.rpc(url, "eth_sendRawTransaction", ["0x"], retry=False)
    assert waits == []


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
            handler.connection.shutdown(socket.SHUT_RDWR)

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


def test_a_slow_download_is_cancelled_at_once(serve: Any, transport: Transport, tmp_path: Path) -> None:
    """The next byte never comes."""
    over = threading.Event()

    def script(handler: Any, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(bytes(4096))
        handler.wfile.flush()
        over.wait(30)

    asked = itertools.count()
    with pytest.raises(Cancelled):
        transport.stream(serve(script), tmp_path / "a", 10**7, cancel=lambda: next(asked) > 0)
    over.set()
    assert transport.requests_sent == 1


def test_a_download_is_asked_for_as_it_is(serve: Any, transport: Transport, tmp_path: Path) -> None:
    url = serve(lambda handler, number: say(handler, 200, handler.headers["Accept-Encoding"].encode()))
    transport.stream(url, tmp_path / "a", 1000)
    assert (tmp_path / "a").read_bytes() == b"identity"


def test_an_answer_that_never_ends_is_given_up(serve: Any, tmp_path: Path) -> None:
    """Each byte comes in time; all of them never do. The clock goes on with each piece."""

    def script(handler: Any, number: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" ")
        except OSError:
            handler.close_connection = True

    seconds = itertools.count(0, 5)
    slow = Transport(timeout_s=5, tries=1, clock=lambda: next(seconds))
    with pytest.raises(Unreachable, match="does not answer"):
        slow.get_json(serve(script))


def test_connections_are_kept(serve: Any, transport: Transport) -> None:
    ports = []

    def script(handler: Any, number: int) -> None:
        ports.append(handler.client_address[1])
        say(handler, 200, b"[]")

    url = serve(script)
    for _ in range(3):
        transport.get_json(url)
    assert len(set(ports)) == 1


def test_the_proxy_is_for_what_is_far(serve: Any, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this thread asked first."""
    proxy = serve(lambda handler, number: say(handler, 200, json.dumps({"through": handler.path}).encode()))
    near = serve(lambda handler, number: say(handler, 200, b'"near"'))
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for _ in range(2):
        assert transport.get_json(near) == "near"
        assert transport.get_json("http://far.example/x") == {"through": "http://far.example/x"}
        assert transport.get_json(near.replace("127.0.0.1", "localhost")) == "near"


@pytest.mark.parametrize("status", [200, 404, 503])
def test_keys_in_an_address_are_shown_nowhere(serve: Any, transport: Transport, status: int) -> None:
    """Providers put them into the path, the query or the user's name."""
    url = serve(lambda handler, number: say(handler, status, b"<html>"))
    secret = url.replace("://", "://user:hunter2@") + "/v2/hunter2?key=hunter2"
    for ask in (lambda: transport.get_json(secret), lambda: transport.rpc(secret, "eth_chainId", [])):
        with pytest.raises(NatronIExecError) as raised:
            ask()
        shown = "".join(traceback.format_exception(raised.value)) + json.dumps(raised.value.to_wire())
        assert url in shown
        assert "hunter2" not in shown


def test_nobody_there(transport: Transport) -> None:
    secret = "hunter" + "2"
    with pytest.raises(Unreachable, match="does not answer") as raised:
        transport.get_json(f"http://127.0.0.1:9/v2/{secret}")
    assert secret not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("url", ["nonsense", "http://[", "", "ftp://127.0.0.1:9"])
def test_what_is_no_address(transport: Transport, url: str) -> None:
    with pytest.raises(Unreachable):
        transport.get_json(url)
