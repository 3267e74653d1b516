"""Background threads that wait for the engine. Verbs go down lanes, one thread and one connection each, so that a long
scan never holds up the queue, and a slow network never the wallet's lock.

Natron's API is never touched from here, and nothing of Qt can be reached but the one call that wakes the GUI thread,
which the inbox forgets when it is closed: whoever held the last reference to a window would destroy it on its thread.
"""

from __future__ import annotations

import collections
import queue
import threading
from typing import Any, Callable, Deque, Dict, Optional, Tuple

from NatronIExec.errors import Cancelled, EngineError, EngineGone, NatronIExecError
from NatronIExec.gui import guard

Done = Callable[[Any], None]
Failed = Callable[[NatronIExecError], None]
Progress = Callable[[int, int, str], None]

#: Waits between attempts to find the engine again, in seconds; the last one repeats.
RETRY_S = (1, 2, 5, 10, 30)

LANE_OF = {
    "scan": "work",
    "plan": "price",
    "submit": "submit",
    "retry": "submit",
    "import": "submit",
    "claim": "submit",
    "bundle": "export",
    "thumbnail": "pictures",
    "jobs": "queue",
    "show": "queue",
    "frames": "queue",
    "logs": "logs",
    "cancel": "queue",
    "remove": "queue",
    "networks": "settings",
    "settings.get": "settings",
    "settings.set": "settings",
    "test_endpoint": "test",
    "workerpools": "market",
    "wallet.lock": "lock",
}
#: Verbs that change nothing, however often they are asked.
_ASKS_ONLY = frozenset(
    {"scan", "plan", "jobs", "show", "frames", "logs", "thumbnail", "networks", "workerpools", "settings.get",
     "wallet.state", "ledger"}
)  # fmt: skip


#: What a thread says: a kind, then what belongs to it.
Message = Tuple[Any, ...]


class Inbox:
    """What the threads said and the GUI thread has not read yet. `wake` is called once for a whole burst."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake: Optional[Callable[[], None]] = wake
        self._messages: Deque[Message] = collections.deque()
        self._lock = threading.RLock()
        self._woken = False

    def post(self, *message: Any) -> None:
        """From any thread. Nothing happens once the inbox is closed."""
        with self._lock:
            if self._wake is None:
                return
            self._messages.append(message)
            if self._woken:
                return
            self._woken = True
            try:
                self._wake()
            except RuntimeError:  # Natron is quitting and Qt destroyed who was to be woken
                self.close()

    def take(self) -> Deque[Message]:
        """All that is there. The next message wakes again."""
        with self._lock:
            messages, self._messages = self._messages, collections.deque()
            self._woken = False
        return messages

    def close(self) -> None:
        """When this returns no thread is waking anybody, nor will: who is woken may be destroyed at any time."""
        with self._lock:
            self._wake = None
            self._messages.clear()


class Request:
    """One question to the engine, as a lane knows it: who asked is known to the bridge only."""

    def __init__(self, verb: str, args: Dict[str, Any]) -> None:
        self.verb, self.args = verb, args
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._stop: Optional[Callable[[], None]] = None

    def cancel(self) -> None:
        """Now, not at the next progress: between two of them a scan can be silent for long."""
        with self._lock:
            self.cancelled.set()
            stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    def begun(self, client: Any, number: int) -> None:
        """Called on the lane's thread once the engine has the request."""

        def stop() -> None:
            try:
                client.cancel(number)
            except NatronIExecError as problem:  # the engine is gone, and the request with it
                guard.log(str(problem))

        with self._lock:
            if not self.cancelled.is_set():
                self._stop = stop
                return
        stop()

    def ended(self) -> None:
        """Called on the lane's thread. A password may be among the arguments."""
        with self._lock:
            self._stop = None
        self.args = {}

    def on_progress(self, done: int, total: int, what: str) -> None:
        """Called by the engine client on the lane's thread; raising Cancelled makes it cancel the request."""
        if self.cancelled.is_set():
            raise Cancelled("Cancelled.")


class Lane:
    """One thread that owns one EngineClient, blocks on one queue and stops on a sentinel."""

    def __init__(self, name: str, new_client: Callable[[], Any], post: Callable[..., None]) -> None:
        self._new_client, self._post = new_client, post
        self._client: Any = None
        self._wishes: queue.Queue[Optional[Request]] = queue.Queue()
        self._closing = threading.Event()
        guard.start_thread("iexec-" + name, self._run)

    def put(self, request: Request) -> None:
        self._wishes.put(request)

    def close(self) -> None:
        """What is still asked, or waits for its turn, starts no engine for a Natron that has ended."""
        self._closing.set()
        self._wishes.put(None)

    def _run(self) -> None:
        while True:
            request = self._wishes.get()
            if request is None:
                break
            if not request.cancelled.is_set() and not self._closing.is_set():
                self._answer(request)
        self._drop_client()

    def _answer(self, request: Request) -> None:
        try:
            self._post("answer", request, self._result(request))
        except NatronIExecError as problem:
            if isinstance(problem, EngineError):
                self._drop_client()
            self._post("failure", request, problem)
        except Exception as problem:
            self._drop_client()
            guard.fault(problem)
            self._post("failure", request, unexpected(problem))
        finally:
            request.ended()

    def _result(self, request: Request) -> Any:
        """A question that was put to an engine which was restarted meanwhile is put again, if it only asks."""
        is_old = self._client is not None
        try:
            return self._call(request)
        except EngineGone:
            if not is_old or request.verb not in _ASKS_ONLY:
                raise
            self._drop_client()
            return self._call(request)

    def _call(self, request: Request) -> Any:
        if self._client is not None and not self._client.connected:
            self._drop_client()
        if self._client is None:
            if self._closing.is_set():
                raise Cancelled("Natron ends.")
            self._client = connected(self._new_client)
        client = self._client
        return client.call(
            request.verb,
            request.args,
            progress=self._progress_of(request),
            on_id=lambda number: request.begun(client, number),
        )

    def _progress_of(self, request: Request) -> Progress:
        def report(done: int, total: int, what: str) -> None:
            request.on_progress(done, total, what)
            self._post("progress", request, (done, total, what))

        return report

    def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            guard.guarded(client.close)()


class Follower:
    """Follows the engine's events on a thread of its own, and finds the engine again whenever it is lost.

    Posts: connected(state), event(event), alive(), lost(error).
    """

    def __init__(self, new_client: Callable[[], Any], post: Callable[..., None]) -> None:
        self._new_client, self._post = new_client, post
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._try_now = threading.Event()
        self._started = False

    def start(self) -> None:
        """Once is enough."""
        if not self._started:
            self._started = True
            guard.start_thread("iexec-events", self._follow)

    def reconnect(self) -> None:
        """Try now instead of at the next turn."""
        self._try_now.set()
        self._lost.set()

    def close(self) -> None:
        self._closing.set()
        self.reconnect()

    def _follow(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._lost.clear()
            self._try_now.clear()
            client = None
            try:
                client = connected(self._new_client)
                self._post("connected", client.subscribe(guard.guarded(self._on_event)))
                failures = 0
                self._wait_until_lost(client)
                self._post("lost", EngineGone("The render engine stopped.", "It is started again by itself."))
            except NatronIExecError as problem:
                self._post("lost", problem)
            except Exception as problem:
                guard.fault(problem)
                self._post("lost", unexpected(problem))
            finally:
                if client is not None:
                    guard.guarded(client.close)()
            self._try_now.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    def _wait_until_lost(self, client: Any) -> None:
        """Until the connection breaks (the client reports it, or a question stays without an answer) or we close."""
        while not self._lost.wait(10):
            client.call("status", {}, timeout_s=30)
            self._post("alive")

    def _on_event(self, event: Dict[str, Any]) -> None:
        """An event of the engine; the last one says that it is gone."""
        if event.get("event") == "gone":
            self._lost.set()
        else:
            self._post("event", event)


def connected(new_client: Callable[[], Any]) -> Any:
    client = new_client()
    client.connect(start=True)
    return client


def unexpected(problem: Exception) -> NatronIExecError:
    return EngineError(
        f"The answer of the render engine could not be used ({type(problem).__name__}).",
        "Try again; if it happens again, see the log in the iExec settings.",
    )
