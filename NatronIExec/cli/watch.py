"""Following one job from the terminal: the engine pushes events, nothing is polled."""

from __future__ import annotations

import queue
import sys
from typing import Any, Mapping

import click

from NatronIExec.cli.connection import Session
from NatronIExec.errors import EngineGone
from NatronIExec.frames import format_frames
from NatronIExec.states import FRAMES_LOST, is_at_rest
from NatronIExec.wording import count

Row = Mapping[str, Any]


def follow(session: Session, job: str) -> Row:
    """Show `job` until only a person can change it, or no more frames come, and return its last JobRow. Ctrl-C leaves
    the job running.

    Raises Conflict for an unknown job and EngineGone when the engine ends meanwhile.
    """
    events: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    session.client.subscribe(events.put)
    row: Row = session.call("show", job=job)
    with _display(session) as display:
        display.update(row)
        while not is_at_rest(row["state"]) and not nothing_more_comes(row):
            event = events.get()
            if event.get("event") == "gone":
                raise EngineGone(
                    "The engine stopped.", "The job goes on when it is started again: natron-iexec engine start"
                )
            for changed in event.get("jobs", ()):
                if changed["id"] == job:
                    row = changed
                    display.update(row)
    return row


def nothing_more_comes(row: Row) -> bool:
    """Whether all frames that are not here have failed: the job stays open only until its refund."""
    return bool(row["frames_failed"]) and row["frames_done"] + row["frames_failed"] >= row["frames_total"]


def print_end(session: Session, job: str, row: Row) -> None:
    """How it ended; of frames that failed a line a reason, and what can be done about them."""
    click.echo(f"{row['state_text'] or row['state']} {row['out'] or ''}")
    if not row["frames_failed"]:
        return
    found: dict[str, list[int]] = {}
    for frame in session.call("frames", job=job):
        if frame["state"] in FRAMES_LOST:
            found.setdefault(frame["log"] or "not delivered in time", []).append(frame["frame"])
    for reason, frames in found.items():
        click.echo(f"Frames {format_frames(sorted(set(frames)))}: {reason}")
    if nothing_more_comes(row) and not row["ended_s"]:
        click.echo(f"Render them again now with `natron-iexec retry {job}`; what failed is refunded by itself.")


def _display(session: Session) -> _Silent:
    if session.as_json:
        return _Silent()
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Silent:
    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, row: Row) -> None:
        return None


class _Lines(_Silent):
    """Progress for a log file: a new line when the state or the count changes."""

    def __init__(self) -> None:
        self._last = ""

    def update(self, row: Row) -> None:
        text = f"{row['state_text'] or row['state']} ({row['frames_done']}/{count(row['frames_total'], 'frame')})"
        if text != self._last:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
            self._last = text


class _Bar(_Silent):
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True))
        self._row = self._progress.add_task("", total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, row: Row) -> None:
        self._progress.update(
            self._row,
            completed=row["frames_done"],
            total=row["frames_total"] or None,
            description=row["state_text"] or row["state"],
        )
