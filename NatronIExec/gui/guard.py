"""Nothing that goes wrong in our code may reach stderr: here without Qt, for threads too.

Natron takes stderr text, even from another plugin's earlier slot, for the failure of its own next script, and can
break tabs and viewers over it. So every slot, timer and thread body runs guarded: a cancelled wish is silent, one
of our errors goes to whoever shows it, and a bug is written to `logs/plugin.log` and shown once.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Optional

from NatronIExec import paths
from NatronIExec.errors import Cancelled, NatronIExecError
from NatronIExec.log_file import LogFile
from NatronIExec.redaction import Redactor

#: Knows no secrets; what looks like one is hidden.
_redactor = Redactor()
_log_lock = threading.Lock()
_reporter: Optional[Callable[[str, str, str], None]] = None


def show_with(reporter: Optional[Callable[[str, str, str], None]]) -> None:
    """Where errors are shown: `reporter(title, remedy, details)`, called on the thread where the error happened only
    when that is the GUI thread. None: errors are only logged."""
    global _reporter
    _reporter = reporter


def log(text: str) -> None:
    """A line in the plugin's own log. A log that cannot be written is given up silently: there is nowhere to say it."""
    with contextlib.suppress(OSError), _log_lock:
        LogFile(log_path(), _redactor.redact).write("{} {}".format(time.strftime("%Y-%m-%d %H:%M:%S"), text))


def log_path() -> Path:
    return paths.logs() / "plugin.log"


def fault(problem: BaseException) -> None:
    """Log a bug with its traceback (without the values of variables: a password may be among them), and show it."""
    frames = "".join(traceback.format_tb(problem.__traceback__))
    log(f"{type(problem).__name__}: {problem}\n{frames}")
    show(
        "Something went wrong in the iExec plugin.",
        f"Your project is untouched. Details are in {log_path()}.",
        f"{type(problem).__name__}: {problem}",
    )


def show(title: str, remedy: str = "", details: str = "") -> None:
    if _reporter is not None and threading.current_thread() is threading.main_thread():
        _reporter(title, remedy, details)


def guarded(body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` that never raises (but for what ends the process); it returns None when it failed."""

    @functools.wraps(body)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return body(*args, **kwargs)
        except Cancelled:
            return None
        except NatronIExecError as problem:
            log(str(problem))
            show(problem.title, problem.remedy)
        except RuntimeError as problem:
            # A late signal for a window that Qt destroyed meanwhile is no fault.
            if "already deleted" not in str(problem):
                fault(problem)
        except Exception as problem:
            fault(problem)
        return None

    return run


def start_thread(name: str, body: Callable[[], None]) -> threading.Thread:
    """A daemon thread (others hang Natron's exit) whose body is guarded."""
    thread = threading.Thread(target=guarded(body), name=name, daemon=True)
    thread.start()
    return thread
