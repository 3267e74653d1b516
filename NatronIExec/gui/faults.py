"""Slots that cannot raise into Qt, nor keep a window that is over. What is not of Qt is in `guard`."""

from __future__ import annotations

import inspect
import weakref
from typing import Any, Callable, Optional

from NatronIExec.gui.guard import fault, guarded, log, show, show_with, start_thread
from NatronIExec.gui.qt import QtCore, alive

__all__ = ["connect", "connect_while_open", "fault", "guarded", "log", "show", "show_with", "start_thread"]


def connect(signal: Any, slot: Callable[..., Any]) -> Callable[..., None]:
    """Connect a slot so that it cannot raise into Qt, with only as many arguments as it takes. Returns what was
    connected, to be disconnected. A signal that outlives the window of its slot does not keep that window."""
    count = _positional(slot)
    safe = guarded(_of_the_living(slot))

    def receive(*args: Any) -> None:
        safe(*args[:count])

    signal.connect(receive)
    return receive


def connect_while_open(dialog: Any, signal: Any, slot: Callable[..., Any]) -> None:
    """Connect a slot of a dialog to what outlives it: once it is closed it hears nothing more, and can be let go of."""
    heard = [connect(signal, slot)]

    def leave() -> None:
        while heard:  # a dialog that is opened again is closed again
            signal.disconnect(heard.pop())

    connect(dialog.finished, leave)


def _of_the_living(slot: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a Qt object, without a reference to it, that does nothing once Qt has destroyed it; anything else
    as it is."""
    owner = getattr(slot, "__self__", None)
    if not inspect.ismethod(slot) or not isinstance(owner, QtCore.QObject):
        return slot
    method = weakref.WeakMethod(slot)
    del owner, slot

    def call(*args: Any) -> Any:
        found = method()
        return found(*args) if found is not None and alive(found.__self__) else None

    return call


def _positional(slot: Callable[..., Any]) -> Optional[int]:
    if getattr(slot, "__name__", "") == "emit":
        return 0  # signals that are passed on carry nothing; PySide2 says that their emit takes anything
    try:
        parameters = inspect.signature(slot).parameters.values()
    except (TypeError, ValueError):
        return 0
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
