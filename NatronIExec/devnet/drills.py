"""What can go wrong on demand: `devnet fault KIND` writes it into a file, which the network reads at every task and
request. Only who may write into its folder can break it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from NatronIExec import paths
from NatronIExec.errors import BadInput

FILE = "faults.json"
#: Kind → what it does. Those of tasks are the sandbox's, those of services the web server's.
KINDS: Mapping[str, str] = {
    "task-fails": "a worker renders nothing and says so; the chain says nothing until the deadline",
    "task-stalls": "a worker takes the task and does nothing until its time is over",
    "task-never-starts": "the scheduler never initializes the task",
    "result-missing": "the task is completed, and no gateway has its result",
    "result-wrong": "the result is not the one whose hash is on chain",
    "result-garbage": "the frames are not the pictures that the list says",
    "gateway-slow": "the gateway sends a byte every 5 s",
    "gateway-html": "the gateway answers with an error page",
    "market-500": "the market is out of order",
    "pool-gone": "the worker group sells nothing any more",
}
_OF_TASKS: Mapping[str, str] = {
    "task-fails": "nothing",
    "task-stalls": "stalls",
    "task-never-starts": "never-initialized",
    "result-missing": "no-content",
    "result-wrong": "wrong-digest",
    "result-garbage": "garbage",
}


@dataclass(frozen=True)
class Drill:
    """`task` is an index, None for all; it ends at `until_s` (Unix time), never when that is None."""

    kind: str
    task: int | None = None
    until_s: float | None = None


def begin(folder: Path, kind: str, task: int | None = None, for_s: float | None = None) -> Drill:
    """Raises BadInput for a kind that is none, or a service's with a task."""
    if kind not in KINDS:
        raise BadInput(f"There is no fault {kind}.", f"There are {', '.join(KINDS)}.")
    if task is not None and kind not in _OF_TASKS:
        raise BadInput(f"{kind} is not a task's.", "Leave --task out.")
    drill = Drill(kind, task, None if for_s is None else time.time() + for_s)
    _write(folder, [*[one for one in drills(folder) if (one.kind, one.task) != (kind, task)], drill])
    return drill


def end(folder: Path) -> None:
    """All of them."""
    _write(folder, [])


def drills(folder: Path) -> list[Drill]:
    """Those that are not over."""
    try:
        found = [Drill(**one) for one in json.loads((folder / FILE).read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    return [one for one in found if one.until_s is None or one.until_s > time.time()]


def of_task(folder: Path, index: int) -> str:
    """The sandbox's word for what this task shall suffer, "" for nothing."""
    fitting = [one for one in drills(folder) if one.kind in _OF_TASKS and one.task in (None, index)]
    return _OF_TASKS[fitting[-1].kind] if fitting else ""


def of_services(folder: Path) -> set[str]:
    return {one.kind for one in drills(folder) if one.kind not in _OF_TASKS}


def _write(folder: Path, found: list[Drill]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    paths.write_atomic(folder / FILE, json.dumps([asdict(one) for one in found]).encode())
