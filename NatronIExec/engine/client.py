"""The client of the engine, used by GUI, command line and tests. Standard library only and Python 3.8 syntax, because
it runs inside Natron."""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import socket
import threading
import time
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from NatronIExec import __version__, paths
from NatronIExec.engine.launch import start_engine
from NatronIExec.engine.protocol import HOST, PROTOCOL, decode, encode, hang_up, read_address
from NatronIExec.errors import Cancelled, EngineGone, NatronIExecError, Unreachable, from_wire

START_S = 30.0
#: A running engine answers the handshake at once. If there is no answer for this long, another program has the port
#: that a crashed engine left in the address file.
HANDSHAKE_S = 3.0
Progress = Callable[[int, int, str], None]
Event = Dict[str, Any]


class EngineClient:
    """Thread-safe: several threads may call at once. `home` is the state folder, `command` the command line that starts
    an engine."""

    def __init__(self, home: Optional[Path] = None, command: Optional[List[str]] = None) -> None:
        self._address_file = (home / "engine.json") if home else paths.engine_address_file()
        self._command = command
        self._connection: Optional[Connection] = None
        self._ids = itertools.count(1)
        self._waiting: Dict[int, queue.Queue[Dict[str, Any]]] = {}
        self._listeners: List[Callable[[Event], None]] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._reader: Optional[threading.Thread] = None

    def connect(self, start: bool = True, timeout_s: float = START_S) -> Dict[str, Any]:
        """Find the engine, starting it if asked to. Raises EngineGone when none runs, EngineNotFound when none is
        installed, EngineMismatch for another version; then nothing stays open. Returns the answer to `hello`."""
        give_up = time.monotonic() + timeout_s
        self._connection = self._dial(give_up) or self._start(start, give_up)
        self._reader = threading.Thread(target=self._read, args=(self._connection,), name="engine-client", daemon=True)
        self._reader.start()
        try:
            said = {"protocol": PROTOCOL, "version": __version__}
            hello: Dict[str, Any] = self.call("hello", said, timeout_s=max(1.0, give_up - time.monotonic()))
            return hello
        except NatronIExecError:
            self.close()
            raise

    def _start(self, wanted: bool, give_up: float) -> Connection:
        if not wanted:
            raise EngineGone("No engine runs.", "Start it: natron-iexec engine start")
        child = start_engine(self._command)
        while True:
            if child.poll() not in (None, 0) or time.monotonic() > give_up:
                raise EngineGone("The engine did not start.", f"See {paths.logs() / 'engine.log'}.")
            time.sleep(0.02)
            connection = self._dial(give_up)
            if connection is not None:
                return connection

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def call(
        self,
        verb: str,
        args: Optional[Dict[str, Any]] = None,
        progress: Optional[Progress] = None,
        timeout_s: Optional[float] = None,
        on_id: Optional[Callable[[int], None]] = None,
    ) -> Any:
        """The engine's answer. Raises its error, EngineGone when it ends meanwhile, Unreachable when nothing is heard
        for `timeout_s`. `progress` is called on the caller's thread; when it raises Cancelled, the engine is told to
        stop and Cancelled goes on. `on_id` is told the request's number, which `cancel` takes from another thread."""
        number = next(self._ids)
        answers: queue.Queue[Dict[str, Any]] = queue.Queue()
        with self._lock:
            if self._connection is None:
                raise _gone()
            self._waiting[number] = answers
        try:
            self._send({"id": number, "verb": verb, "args": args or {}})
            if on_id is not None:
                on_id(number)  # only now: a `cancel` that arrives before its request would be lost
            return self._result(answers, verb, progress, timeout_s)
        except Cancelled:
            self.cancel(number)
            raise
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def _result(
        self, answers: queue.Queue[Dict[str, Any]], verb: str, progress: Optional[Progress], timeout_s: Optional[float]
    ) -> Any:
        while True:
            try:
                message = answers.get(timeout=timeout_s)
            except queue.Empty:
                raise Unreachable("The engine does not answer.", "Look at its log, or restart it.", verb=verb) from None
            if "error" in message:
                raise from_wire(message["error"])
            if "progress" not in message:
                return message.get("result")
            if progress is not None:
                step = message["progress"]
                progress(int(step["done"]), int(step["total"]), str(step["what"]))

    def cancel(self, number: int) -> None:
        """Ask the engine to end a running request; `call` then raises Cancelled in its thread."""
        self._send({"id": next(self._ids), "verb": "cancel_request", "args": {"id": number}})

    def subscribe(self, listener: Callable[[Event], None]) -> Any:
        """From now on `listener` gets each event, on the reader's thread; `{"event": "gone"}` is the last one. Returns
        the answer to `subscribe`."""
        self._listeners.append(listener)
        return self.call("subscribe", {})

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            self._listeners = []
            if connection is not None:
                hang_up(connection)  # under the lock, so that the reader thread cannot close it meanwhile

    def _dial(self, give_up: float) -> Optional[Connection]:
        """A connection to the running engine; None if there is none, or if another program has the port that a crashed
        engine left."""
        address = read_address(self._address_file)
        patience_s = min(HANDSHAKE_S, give_up - time.monotonic())
        if address is None or patience_s <= 0:
            return None
        try:
            line = socket.create_connection((HOST, address.port), patience_s)
        except OSError:
            return None
        line.setblocking(True)
        return _shake_hands(Connection(line.detach()), address.key, patience_s)

    def _send(self, message: Dict[str, Any]) -> None:
        connection = self._connection
        if connection is None:
            raise _gone()
        try:
            with self._sending:
                connection.send_bytes(encode(message))
        except (OSError, ValueError) as problem:
            raise _gone() from problem

    def _read(self, connection: Connection) -> None:
        try:
            while True:
                self._take(decode(connection.recv_bytes()))
        except Exception:
            pass  # the engine is gone, or sent nonsense; a traceback on stderr would disturb Natron
        try:
            self._end()
        finally:
            with self._sending:
                connection.close()

    def _take(self, message: Dict[str, Any]) -> None:
        if "event" in message:
            for listener in list(self._listeners):
                listener(message)
            return
        answers = self._waiting.get(message.get("id", 0))
        if answers is not None:
            answers.put(message)

    def _end(self) -> None:
        with self._lock:
            self._connection = None
            waiting, self._waiting = list(self._waiting.values()), {}
            listeners = list(self._listeners)
        for answers in waiting:
            answers.put({"error": _gone().to_wire()})
        for listener in listeners:
            listener({"event": "gone"})


def _shake_hands(connection: Connection, key: bytes, patience_s: float) -> Optional[Connection]:
    """Handshake with a time limit: a timer closes the connection of a partner that stays silent, which ends the
    waiting."""
    timer = threading.Timer(patience_s, hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
        known = True
    except (OSError, EOFError, AssertionError, ValueError, multiprocessing.AuthenticationError):
        known = False
    timer.cancel()
    timer.join()  # it may be hanging up just now: closed before, its number could be another file's
    if known:
        return connection
    connection.close()
    return None


def _gone() -> EngineGone:
    return EngineGone("The engine ended.", "It is started again by the next command; nothing is lost.")
