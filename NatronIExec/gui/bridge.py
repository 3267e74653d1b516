"""Between the windows and the engine: background threads that wait for the engine, and one signal that wakes the GUI.

Answers and events are put into an inbox; the GUI thread is woken once for a whole burst, joins the events that belong
together, and calls whoever asked.
"""

from __future__ import annotations

import collections
import threading
import time
import weakref
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from NatronIExec.errors import EngineError, EngineGone, NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.engine_threads import LANE_OF, Done, Failed, Lane, Progress, Request, connected, unexpected
from NatronIExec.gui.qt import QtCore, Signal

#: Waits between attempts to find the engine again, in seconds; the last one repeats.
RETRY_S = (1, 2, 5, 10, 30)


class Bridge(QtCore.QObject):
    """The GUI's only way to the engine; lives on the GUI thread, one per process.

    Signals: jobs_changed(rows, removed ids), frames_changed(job, rows), notice(event), wallet_changed(state),
    connection_changed(None or the EngineError that keeps us from the engine).
    """

    _arrived = Signal()
    jobs_changed = Signal(object, object)
    frames_changed = Signal(object, object)
    notice = Signal(object)
    wallet_changed = Signal(object)
    connection_changed = Signal(object)

    def __init__(self, new_client: Callable[[], Any], parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self._new_client = new_client
        self._lanes: Dict[str, Lane] = {}
        self._inbox: Deque[Tuple[Any, ...]] = collections.deque()
        self._lock = threading.RLock()
        self._woken = False
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._try_now = threading.Event()
        self._listening = False
        self._open: weakref.WeakSet[Request] = weakref.WeakSet()
        self.problem: Optional[NatronIExecError] = None
        self.connected = False
        #: When the engine was last heard of, in an event or in an answer.
        self.heard_s: Optional[float] = None
        self.jobs: Dict[str, Dict[str, Any]] = {}
        self.wallet: Optional[Dict[str, Any]] = None
        # A bound method of an object of the GUI thread: the call is queued when the signal comes from a lane.
        self._arrived.connect(self._deliver)

    def ask(
        self,
        verb: str,
        args: Dict[str, Any],
        done: Done,
        failed: Failed,
        progress: Optional[Progress] = None,
    ) -> Request:
        """Send a command; `done(result)` or `failed(error)` is called later on the GUI thread."""
        request = Request(verb, args, done, failed, progress)
        self._open.add(request)
        lane = LANE_OF.get(verb, "wallet")
        if lane not in self._lanes:
            self._lanes[lane] = Lane(lane, self._new_client, self._post)
        self._lanes[lane].put(request)
        return request

    def listen(self) -> None:
        """Start to follow the engine's events, and find it again whenever it is lost. Once is enough."""
        if not self._listening:
            self._listening = True
            faults.start_thread("iexec-events", self._follow)

    def reconnect(self) -> None:
        """Try now instead of at the next turn."""
        self._try_now.set()
        self._lost.set()

    def close(self) -> None:
        """Stop all threads; nothing is delivered from now on. The engine goes on with its jobs."""
        with self._lock:  # no lane is emitting now, nor will: who closed may be destroyed at any time
            self._closing.set()
            self._inbox.clear()
        for request in list(self._open):
            request.release()
        self.reconnect()
        for lane in self._lanes.values():
            lane.close()

    # On the background threads

    def _follow(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._lost.clear()
            self._try_now.clear()
            client = None
            try:
                client = connected(self._new_client)
                state = client.subscribe(faults.guarded(self._on_event))
                self._post("connected", state)
                failures = 0
                self._wait_until_lost(client)
                self._post("lost", EngineGone("The render engine stopped.", "It is started again by itself."))
            except EngineError as problem:
                self._post("lost", problem)
            except NatronIExecError as problem:
                self._post("lost", problem)
            except Exception as problem:
                faults.fault(problem)
                self._post("lost", unexpected(problem))
            finally:
                if client is not None:
                    faults.guarded(client.close)()
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

    def _post(self, *message: Any) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            self._inbox.append(message)
            if self._woken:
                return
            self._woken = True
            try:
                self._arrived.emit()
            except RuntimeError:  # Natron is quitting and Qt destroyed the bridge
                self._closing.set()

    # On the GUI thread

    def _deliver(self) -> None:
        with self._lock:
            messages, self._inbox = self._inbox, collections.deque()
            self._woken = False
        if not self._closing.is_set():
            faults.guarded(self._dispatch)(messages)

    def _dispatch(self, messages: Deque[Tuple[Any, ...]]) -> None:
        events: List[Dict[str, Any]] = []
        latest = {id(m[1]): m for m in messages if m[0] == "progress"}
        for message in messages:
            kind = message[0]
            if kind == "event":
                events.append(message[1])
            elif kind == "progress":
                if latest[id(message[1])] is message:
                    faults.guarded(self._on_answer)(*message)
            elif kind in ("answer", "failure"):
                faults.guarded(self._on_answer)(*message)
            elif kind == "connected":
                self._on_connected(message[1])
            elif kind == "alive":
                self.heard_s = time.time()
            else:
                self._on_lost(message[1])
        if events:
            self._on_events(events)

    def _on_answer(self, kind: str, request: Request, content: Any) -> None:
        if kind == "progress":
            if request.progress is not None:
                request.progress(*content)
            return
        answer = request.done if kind == "answer" else request.failed
        request.release()
        answer(content)

    def _on_connected(self, state: Dict[str, Any]) -> None:
        self.connected, self.problem, self.heard_s = True, None, time.time()
        rows = state["jobs"]
        removed = [job for job in self.jobs if job not in {row["id"] for row in rows}]
        self.jobs = {row["id"]: row for row in rows}
        self.wallet = state["wallet"]
        self.connection_changed.emit(None)
        self.jobs_changed.emit(rows, removed)
        self.wallet_changed.emit(self.wallet)

    def _on_lost(self, problem: NatronIExecError) -> None:
        self.connected, self.problem = False, problem
        self.connection_changed.emit(problem)

    def _on_events(self, events: List[Dict[str, Any]]) -> None:
        self.heard_s = time.time()
        rows: Dict[str, Dict[str, Any]] = {}
        removed: List[str] = []
        frames: Dict[str, Dict[Any, Dict[str, Any]]] = {}
        for event in events:
            if event["event"] == "jobs":
                rows.update((row["id"], row) for row in event["jobs"])
                removed.extend(event.get("removed") or [])
            elif event["event"] == "frames":
                of_job = frames.setdefault(event["job"], {})
                of_job.update(((row["writer"], row["view"], row["frame"]), row) for row in event["frames"])
            elif event["event"] == "wallet":
                self.wallet = event["wallet"]
                self.wallet_changed.emit(self.wallet)
            elif event["event"] == "notice":
                self.notice.emit(event)
        for job in removed:
            rows.pop(job, None)
            self.jobs.pop(job, None)
        self.jobs.update(rows)
        if rows or removed:
            self.jobs_changed.emit(list(rows.values()), removed)
        for job, changed in frames.items():
            self.frames_changed.emit(job, list(changed.values()))


class Asker:
    """One window's questions. A newer question of the same topic makes the older one's answer unwanted (a late answer
    must not overwrite what the artist chose meanwhile), and nothing arrives after `drop`."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._open: Dict[str, Request] = {}

    def ask(
        self,
        topic: str,
        verb: str,
        args: Dict[str, Any],
        done: Done,
        failed: Failed,
        progress: Optional[Progress] = None,
    ) -> None:
        self.cancel(topic)

        def once_done(result: Any) -> None:
            self._open.pop(topic, None)
            done(result)

        def once_failed(problem: NatronIExecError) -> None:
            self._open.pop(topic, None)
            failed(problem)

        self._open[topic] = self.bridge.ask(verb, args, once_done, once_failed, progress)

    def cancel(self, topic: str) -> None:
        request = self._open.pop(topic, None)
        if request is not None:
            request.cancel()

    def busy(self, topic: str) -> bool:
        return topic in self._open

    def drop(self) -> None:
        for topic in list(self._open):
            self.cancel(topic)
