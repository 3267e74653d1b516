"""The engine's server: one connection per client, one thread per request, answers in any order."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from typing import Any

from NatronIExec import disk_errors, log
from NatronIExec.engine.protocol import HOST, MAX_REQUEST, Address, decode, encode, hang_up
from NatronIExec.engine.request import Message, Request
from NatronIExec.errors import BadInput, NatronIExecError

#: Messages that may wait for a client. One that does not read them is disconnected.
MAX_WAITING = 20_000
REQUEST_THREADS = 16
#: Connections that may wait to be accepted: a window opens several at once, and a refused one is retried only after 1
#: s.
WAITING_AT_THE_DOOR = 64

Handle = Callable[[Request], Any]


class Server:
    """`handle` answers a request or raises; each request runs on a thread of a pool."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._key = os.urandom(32)
        self._listener = Listener((HOST, 0), backlog=WAITING_AT_THE_DOOR)
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(REQUEST_THREADS, thread_name_prefix="request")
        self._stopping = False
        self.idle_since_s = time.monotonic()
        self._log = log.get_logger("engine")

    @property
    def address(self) -> Address:
        return Address(self._listener.address[1], self._key, os.getpid())

    def start(self) -> None:
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.address.port), 1).close()  # wakes the thread that waits in `accept`
        self._listener.close()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def clients(self) -> int:
        with self._lock:
            return len(self._clients)

    def broadcast(self, message: Message) -> None:
        """Send a message to all clients that subscribed."""
        with self._lock:
            listening = [client for client in self._clients if client.subscribed]
        for client in listening:
            client.send(message)

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                return  # closed by `stop`
            if self._stopping:
                connection.close()
                return
            threading.Thread(target=self._serve, args=(connection,), name="client", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        """One client's thread. The handshake is here too, so that a silent client does not keep others waiting."""
        try:
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
        except (OSError, EOFError, multiprocessing.AuthenticationError):
            connection.close()
            return
        client = _Client(connection)
        with self._lock:
            self._clients.add(client)
        try:
            while True:
                self._take(client, decode(connection.recv_bytes(MAX_REQUEST)))
        except (OSError, EOFError, BadInput):
            pass  # the client is gone, or sent nonsense
        finally:
            with self._lock:
                self._clients.discard(client)
                self.idle_since_s = time.monotonic()
            client.close()
            client.wait()
            connection.close()

    def _take(self, client: _Client, message: Message) -> None:
        args = message.get("args")
        request = Request(str(message.get("verb")), args if isinstance(args, dict) else {}, client, message.get("id"))
        if request.verb == "cancel_request":
            client.cancel(request.args.get("id"))
            return
        client.begin(request)
        with contextlib.suppress(RuntimeError):  # stopping
            self._threads.submit(self._answer, client, request)

    def _answer(self, client: _Client, request: Request) -> None:
        try:
            answer: Message = {"result": self._handle(request)}
        except NatronIExecError as problem:
            answer = {"error": problem.to_wire()}
        except disk_errors.TROUBLE as problem:
            self._log.exception("verb %s", request.verb)
            answer = {"error": disk_errors.said(problem).to_wire()}
        except Exception as problem:  # the outermost frame of a request: a bug must not end the engine
            self._log.exception("verb %s", request.verb)
            what = f"Something unforeseen happened ({type(problem).__name__})."
            answer = {"error": NatronIExecError(what, "The engine's log has the details; please report it.").to_wire()}
        client.end(request)
        client.send({"id": request.number, **answer})


class _Client:
    """One connection. `send` never waits: a thread of its own writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._out: queue.Queue[bytes | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write, name="client-out", daemon=True)
        self._requests: dict[Any, Request] = {}
        self._lock = threading.Lock()
        self.subscribed = False
        self.gone = False
        self._writer.start()

    def send(self, message: Message) -> None:
        if self.gone:
            return
        if self._out.qsize() > MAX_WAITING:
            self.gone = True
            hang_up(self._connection)  # the client does not read; this ends the writer's waiting
        self._out.put(encode(message))

    def close(self) -> None:
        """Close after sending the messages that were queued before."""
        self.gone = True
        self._out.put(None)

    def wait(self) -> None:
        """Wait until the writer thread has ended and no longer uses the connection."""
        self._writer.join()

    def begin(self, request: Request) -> None:
        with self._lock:
            self._requests[request.number] = request

    def end(self, request: Request) -> None:
        with self._lock:
            self._requests.pop(request.number, None)

    def cancel(self, number: Any) -> None:
        with self._lock:
            request = self._requests.get(number)
        if request is not None:
            request.cancel()

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (content := self._out.get()) is not None:
                self._connection.send_bytes(content)
        self.gone = True
        hang_up(self._connection)
