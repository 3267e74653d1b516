"""Background threads that wait for the engine. Verbs go down lanes, one thread and one connection each, so that a long
scan never holds up the queue, and a slow network never the wallet's lock. Natron's API is never touched from a lane."""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable, Dict, Optional

from NatronIExec.errors import Cancelled, EngineError, EngineGone, NatronIExecError
from NatronIExec.gui import faults

Done = Callable[[Any], None]
Failed = Callable[[NatronIExecError], None]
Progress = Callable[[int, int, str], None]

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


def _to_nobody(answer: Any) -> None:
    """Where answers go that nobody wants any more."""


class Request:
    """One question to the engine. `cancel` makes its answer unwanted at once, and tells the engine to stop."""

    def __init__(self, verb: str, args: Dict[str, Any], done: Done, failed: Failed, progress: Optional[Progress]):
        self.verb, self.args = verb, args
        self.done, self.failed, self.progress = done, failed, progress
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        self._stop: Optional[Callable[[], None]] = None

    def cancel(self) -> None:
        """Now, not at the next progress: between two of them a scan can be silent for long."""
        with self._lock:
            self.cancelled.set()
            stop, self._stop = self._stop, None
        self.release()
        if stop is not None:
            stop()

    def release(self) -> None:
        """Let go of who asked, on the GUI thread: a lane that held the last reference to a window would destroy it."""
        self.done, self.failed, self.progress = _to_nobody, _to_nobody, None

    def begun(self, client: Any, number: int) -> None:
        """Called on the lane's thread once the engine has the request."""

        def stop() -> None:
            try:
                client.cancel(number)
            except NatronIExecError as problem:  # the engine is gone, and the request with it
                faults.log(str(problem))

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
        faults.start_thread("iexec-" + name, self._run)

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
            faults.fault(problem)
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
            faults.guarded(client.close)()


def connected(new_client: Callable[[], Any]) -> Any:
    client = new_client()
    client.connect(start=True)
    return client


def unexpected(problem: Exception) -> NatronIExecError:
    return EngineError(
        f"The answer of the render engine could not be used ({type(problem).__name__}).",
        "Try again; if it happens again, see the log in the iExec settings.",
    )
