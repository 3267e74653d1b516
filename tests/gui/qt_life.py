"""Which Qt objects there are, asked of the binding, and their end on this thread.

A window in a reference cycle that nobody destroyed is destroyed by Python's collector: at any allocation, as in the
middle of a walk over all windows, which then ends the process, and on any thread.
"""

import gc
import importlib
from contextlib import contextmanager

from NatronIExec.gui.qt import QtCore

#: QEvent.DeferredDelete, as the number that all bindings take.
DEFERRED_DELETE = 52


def _shiboken():
    name = QtCore.QObject.__module__.split(".")[0].replace("PySide", "shiboken")
    found = importlib.import_module(name)
    return found if hasattr(found, "isValid") else importlib.import_module(name + ".Shiboken")


shiboken = _shiboken()


@contextmanager
def no_collector():
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def objects():
    """Every QObject that has a Python side and that Qt has not destroyed."""
    with no_collector():
        return [found for found in shiboken.getAllValidWrappers() if isinstance(found, QtCore.QObject)]


def destroyed_later():
    """Let Qt destroy what was told to go."""
    QtCore.QCoreApplication.sendPostedEvents(None, DEFERRED_DELETE)


def destroy(things):
    """Now, on this thread."""
    for thing in things:
        if shiboken.isValid(thing):
            thing.deleteLater()
    destroyed_later()


def left_since(before):
    """What Python owns, and the collector would destroy, of what was not there `before`."""
    known = {id(thing) for thing in before}
    return [thing for thing in objects() if id(thing) not in known and shiboken.ownedByPython(thing)]
