"""The client of the engine, before servers that are no engine, or a bad one."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.engine.client import EngineClient
from NatronIExec.engine.protocol import HOST, Address, decode, encode
from NatronIExec.errors import EngineGone, EngineMismatch, Unreachable

KEY = b"k" * 32


@pytest.fixture
def written(home: Path) -> Callable[[int], None]:
    """Says where the engine is, as a crash may have left it."""
    home.mkdir(exist_ok=True)
    return lambda port: Address(port, KEY, os.getpid()).write(home / "engine.json")


@pytest.fixture
def answering(written: Callable[[int], None]) -> Iterator[Callable[..., queue.Queue[Any]]]:
    """A server that knows the key. `answer(message)` makes what it says; what ends is told through the queue."""
    opened: list[Listener] = []

    def start(answer: Callable[[dict[str, Any]], bytes]) -> queue.Queue[Any]:
        listener, ended = Listener((HOST, 0), authkey=KEY), queue.Queue[Any]()
        opened.append(listener)
        written(listener.address[1])

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=(listener.accept(),), daemon=True).start()

        def talk(connection: Connection) -> None:
            try:
                while True:
                    connection.send_bytes(answer(decode(connection.recv_bytes())))
            except (OSError, EOFError):
                ended.put(connection)

        threading.Thread(target=serve, daemon=True).start()
        return ended

    yield start
    for listener in opened:
        listener.close()


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "engine-client"}


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x00\x00\x05hello"])
def test_another_program_on_the_port_of_a_dead_engine(home: Path, written: Callable[[int], None], said: bytes) -> None:
    with socket.create_server((HOST, 0)) as other:
        written(other.getsockname()[1])
        accepted: list[socket.socket] = []

        def accept() -> None:
            accepted.append(other.accept()[0])
            accepted[0].sendall(said)

        thread = threading.Thread(target=accept)
        thread.start()
        began = time.monotonic()
        with pytest.raises(EngineGone, match="No engine runs"):
            EngineClient().connect(start=False, timeout_s=0.5)
        assert time.monotonic() - began < 5
        thread.join()
        accepted[0].settimeout(20)
        with contextlib.suppress(ConnectionError):
            while accepted[0].recv(4096):
                pass  # its end shows that we hung up
        accepted[0].close()


def test_nothing_stays_open_when_the_engine_does_not_fit(answering: Callable[..., queue.Queue[Any]]) -> None:
    before = threads()
    error = {"code": "engine-mismatch", "title": "Another version.", "remedy": "Update it.", "details": {}}
    ended = answering(lambda message: encode({"id": message["id"], "error": error}))
    for _ in range(3):
        client = EngineClient()
        with pytest.raises(EngineMismatch):
            client.connect(start=False)
        assert not client.connected
        ended.get(timeout=20)
    for thread in threads() - before:
        thread.join(20)
        assert not thread.is_alive()


def test_an_engine_that_says_nothing_after_the_handshake(answering: Callable[..., queue.Queue[Any]]) -> None:
    ended = answering(lambda message: encode({"id": -1, "result": None}))
    with pytest.raises(Unreachable):
        EngineClient().connect(start=False, timeout_s=0.2)
    ended.get(timeout=20)


@pytest.mark.parametrize("nonsense", [b'{"id": [], "result": 1}', b"[1]", b"\xff", b'{"event": "jobs"}'])
def test_what_cannot_be_understood_ends_the_connection(
    answering: Callable[..., queue.Queue[Any]], nonsense: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is no error of the thread: Natron takes what that prints for a failure of its own next script."""
    printed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    ended = answering(lambda m: encode({"id": m["id"], "result": {}}) if m["verb"] == "hello" else nonsense)
    client = EngineClient()
    client.connect(start=False)
    reader = client._reader
    assert reader is not None

    def listen(event: dict[str, Any]) -> None:
        if event["event"] != "gone":
            raise KeyError("jobs")

    with pytest.raises(EngineGone):
        client.subscribe(listen)
    ended.get(timeout=20)
    reader.join(20)
    assert printed == []
