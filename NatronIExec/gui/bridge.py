"""Between the windows and the engine: background threads that wait for the engine, and one signal that wakes the GUI.

Answers and events are put into an inbox; the GUI thread is woken once for a whole burst, joins the events that belong
together, and calls whoever asked.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

from NatronIExec.errors import NatronIExecError
from NatronIExec.gui import faults
from NatronIExec.gui.engine_threads import LANE_OF, Done, Failed, Follower, Inbox, Lane, Message, Progress, Request
from NatronIExec.gui.qt import QtCore, Signal
from NatronIExec.shapes import Event, FrameRow, JobRow, WalletState
from NatronIExec.verb_table import Subscription


class Caller(NamedTuple):
    """Who hears of a request's end, and of its progress."""

    done: Done
    failed: Failed
    progress: Optional[Progress]


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
        self._inbox = Inbox(self._arrived.emit)
        self._follower = Follower(new_client, self._inbox.post)
        #: Open requests. Windows are reached from here and from no thread.
        self._callers: Dict[Request, Caller] = {}
        self.problem: Optional[NatronIExecError] = None
        self.connected = False
        #: When the engine was last heard of, in an event or in an answer.
        self.heard_s: Optional[float] = None
        self.jobs: Dict[str, JobRow] = {}
        self.wallet: Optional[WalletState] = None
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
        request = Request(verb, args)
        self._callers[request] = Caller(done, failed, progress)
        lane = LANE_OF.get(verb, "wallet")
        if lane not in self._lanes:
            self._lanes[lane] = Lane(lane, self._new_client, self._inbox.post)
        self._lanes[lane].put(request)
        return request

    def cancel(self, request: Request) -> None:
        """Its answer is unwanted from now on, and the engine is told to stop."""
        self._callers.pop(request, None)
        request.cancel()

    def listen(self) -> None:
        """Start to follow the engine's events. Once is enough."""
        self._follower.start()

    def reconnect(self) -> None:
        """Look for the engine now instead of at the next turn."""
        self._follower.reconnect()

    def close(self) -> None:
        """Stop all threads; nothing is delivered from now on. The engine goes on with its jobs."""
        self._inbox.close()
        self._callers.clear()
        self._follower.close()
        for lane in self._lanes.values():
            lane.close()

    def _deliver(self) -> None:
        faults.guarded(self._dispatch)(self._inbox.take())

    def _dispatch(self, messages: Deque[Message]) -> None:
        events: List[Event] = []
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
            caller = self._callers.get(request)
            if caller is not None and caller.progress is not None:
                caller.progress(*content)
            return
        caller = self._callers.pop(request, None)
        if caller is not None:
            (caller.done if kind == "answer" else caller.failed)(content)

    def _on_connected(self, state: Subscription) -> None:
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

    def _on_events(self, events: List[Event]) -> None:
        self.heard_s = time.time()
        rows: Dict[str, JobRow] = {}
        removed: List[str] = []
        frames: Dict[str, Dict[Any, FrameRow]] = {}
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
            self.bridge.cancel(request)

    def busy(self, topic: str) -> bool:
        return topic in self._open

    def drop(self) -> None:
        for topic in list(self._open):
            self.cancel(topic)
