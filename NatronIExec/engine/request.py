"""A request on its way through the engine: what was asked, by whom, and whether it is still wanted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = dict[str, Any]
#: At most one progress message per request in this time; the last one is always sent.
PROGRESS_EVERY_S = 0.05


class Client(Protocol):
    """The connection that a request came by."""

    gone: bool
    subscribed: bool

    def send(self, message: Message) -> None: ...


@dataclass
class Request:
    """One verb that a client asked for. Long work calls `progress` as often as it likes and looks at `cancelled`."""

    verb: str
    args: Message
    client: Client
    number: Any
    _cancel: threading.Event = field(default_factory=threading.Event)
    _told_s: float = 0.0

    def cancelled(self) -> bool:
        return self._cancel.is_set() or self.client.gone

    def cancel(self) -> None:
        self._cancel.set()

    def progress(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self._told_s >= PROGRESS_EVERY_S or done >= total:
            self._told_s = now
            self.client.send({"id": self.number, "progress": {"done": done, "total": total, "what": what}})
