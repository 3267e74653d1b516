"""What the windows cost Natron's GUI thread, on whatever binding QT_API names (default: pyside6), without a screen.

    python benchmarks/gui.py [--jobs 200] [--frames 1000] [--seconds 10]

Three parts. "open" and "update": the queue panel with `--jobs` jobs, one of them with `--frames` frames on show, until
everything is painted. "stalls": a heartbeat of 10 ms on the GUI thread; each beat that comes late is a stall of as many
milliseconds. It beats while nothing happens (what this machine does by itself), while every frame of that job changes
ten times a second, and through a whole job of the example on a local iExec and a real engine, both in processes of
their own as an artist has them: dialog, scan, price, Submit, frames coming home. Events are decoded from JSON on the
client's thread, so its share of the GIL counts.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "gui")]

BEAT_MS = 10
GOALS_MS = {"open": 300, "update": 30, "stall p99": 50}
ROUNDS = 15
PATIENCE_S = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    from NatronIExec.devnet.install import modules_folder
    from NatronIExec.gui.qt import QtWidgets

    os.environ["NATRON_IEXEC_DEVNET_MODULES"] = str(modules_folder())
    folder = Path(tempfile.mkdtemp(prefix="natron-iexec-gui-"))
    os.environ["NATRON_IEXEC_HOME"] = str(folder / "state")
    application = QtWidgets.QApplication([])
    try:
        crowded = Crowded(application, options.jobs, options.frames)
        measured = {"open": crowded.opened(), "update": crowded.updated()}
        stalls = {"nothing happens": crowded.idle(options.seconds), "1000 frames change": crowded.busy(options.seconds)}
        crowded.close()
        stalls["a whole job"] = whole_job(application, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(measured, stalls)


def report(measured: dict[str, list[float]], stalls: dict[str, list[float]]) -> int:
    missed = False
    for name, times in measured.items():
        median = statistics.median(times)
        missed |= median > GOALS_MS[name]
        print(f"{name:20} median {median:6.1f} ms, worst {max(times):6.1f} ms   goal {GOALS_MS[name]} ms")
    for name, late in stalls.items():
        p99 = statistics.quantiles(late, n=100)[98]
        missed |= p99 > GOALS_MS["stall p99"]
        print(f"stalls, {name:20} p99 {p99:6.1f} ms, worst {max(late):6.1f} ms, {len(late)} beats   goal p99 50 ms")
    return int(missed)


class Heart:
    """Beats on the GUI thread; `late` is by how many milliseconds each beat missed its time."""

    def __init__(self) -> None:
        from NatronIExec.gui.qt import Qt, QtCore

        self.late: list[float] = []
        self.timer = QtCore.QTimer()
        self.timer.setTimerType(Qt.PreciseTimer)
        self.timer.setInterval(BEAT_MS)
        self.timer.timeout.connect(self.beat)
        self.last = time.perf_counter()
        self.timer.start()

    def beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self.last) * 1000 - BEAT_MS))
        self.last = now


def work(application: Any, until: Callable[[], Any]) -> None:
    """Qt's event loop until something holds."""
    from NatronIExec.gui.qt import QtCore

    give_up = time.monotonic() + PATIENCE_S
    while not until():
        application.processEvents(QtCore.QEventLoop.AllEvents, BEAT_MS)
        time.sleep(0.0005)
        if time.monotonic() > give_up:
            raise SystemExit("waited in vain")


class Crowded:
    """The panel beside an engine with very many jobs, which is a client in this process that knows its answers."""

    def __init__(self, application: Any, jobs: int, frames: int) -> None:
        from shapes import frame_row, job_row, wallet_state

        from NatronIExec.gui.bridge import Bridge

        self.application, self.frame_row = application, frame_row
        self.count = frames
        self.rows = [job_row(f"job-{number}", created_s=1.6e9 + number, frames_total=frames) for number in range(jobs)]
        self.frames = [frame_row(number) for number in range(1, frames + 1)]
        self.state = {"jobs": self.rows, "wallet": wallet_state()}
        self.callback: Callable[[Any], None] = lambda event: None
        self.bridge = Bridge(lambda: self)
        self.bridge.listen()
        work(application, lambda: self.bridge.connected)
        self.panel: Any = None

    # the engine client's side

    connected = True

    def connect(self, start: bool = True) -> None:
        pass

    def call(self, verb: str, args: Any, progress: Any = None, timeout_s: Any = None, on_id: Any = None) -> Any:
        return json.loads(json.dumps({"frames": self.frames, "status": {}}.get(verb)))

    def subscribe(self, callback: Callable[[Any], None]) -> Any:
        self.callback = callback
        return json.loads(json.dumps(self.state))

    def close(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.bridge.close()

    # measures

    def opened(self) -> list[float]:
        from NatronIExec.gui.render_queue.queue_panel import QueuePanel

        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            panel = QueuePanel(self.bridge, lambda files, writer: None)
            panel.resize(1180, 620)
            panel.show()
            panel.grab()
            times.append((time.perf_counter() - began) * 1000)
            if self.panel is not None:
                self.panel.close()
            self.panel = panel
        self.panel.select(self.rows[-1]["id"])
        work(self.application, lambda: len(self.panel.frames.rows) == self.count)
        return times

    def updated(self) -> list[float]:
        times = []
        for number in range(ROUNDS):
            event = self.event(number)
            began = time.perf_counter()
            self.bridge._on_events([event])
            self.application.processEvents()  # paints what changed
            times.append((time.perf_counter() - began) * 1000)
        return times

    def event(self, number: int) -> Any:
        states = ("waiting", "rendering", "imported", "failed")
        rows = [self.frame_row(frame, states[(frame + number) % 4]) for frame in range(1, self.count + 1)]
        return {"event": "frames", "job": self.rows[-1]["id"], "frames": rows}

    def idle(self, seconds: float) -> list[float]:
        heart, end = Heart(), time.monotonic() + seconds
        work(self.application, lambda: time.monotonic() > end)
        heart.timer.stop()
        return heart.late

    def busy(self, seconds: float) -> list[float]:
        wires = [json.dumps(self.event(number)) for number in range(4)]
        jobs = json.dumps({"event": "jobs", "jobs": self.rows, "removed": []})
        stop = threading.Event()

        def engine() -> None:
            number = 0
            while not stop.wait(0.1):
                self.callback(json.loads(wires[number % 4]))
                self.callback(json.loads(jobs))
                number += 1

        thread = threading.Thread(target=engine)
        thread.start()
        late = self.idle(seconds)
        stop.set()
        thread.join()
        return late


def whole_job(application: Any, folder: Path) -> list[float]:
    """Lateness of every beat from opening the dialog until all frames of the example are in its folder."""
    from NatronIExec.engine.client import EngineClient
    from NatronIExec.gui.bridge import Bridge
    from NatronIExec.gui.render_queue.queue_panel import QueuePanel
    from NatronIExec.gui.submit.remembered_choices import Choices
    from NatronIExec.gui.submit.submit_dialog import SubmitDialog
    from NatronIExec.host.project import Snapshot

    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(12))

    def ask(*words: str) -> None:
        command = [sys.executable, "-m", "NatronIExec.cli", "--json", "--password-file", str(password), *words]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)

    project = folder / "orbit" / "orbit.ntp"
    shutil.copytree(ROOT / "examples" / "orbit", project.parent, ignore=shutil.ignore_patterns("renders"))
    try:
        for words in (("devnet", "up"), ("settings", "network=local", "poll_s=0.5"), ("wallet", "import", "--devnet")):
            ask(*words)
        ask("wallet", "unlock")
        bridge = Bridge(EngineClient)
        panel = QueuePanel(bridge, lambda files, writer: None)
        panel.resize(1180, 620)
        panel.show()
        work(application, lambda: bridge.connected)
        heart = Heart()
        shot = Snapshot(project, project, "orbit", ("Write1",), (), (1, 24), "")
        dialog = SubmitDialog(bridge, lambda: shot, Choices(folder / "choices"), lambda: True, lambda _: None)
        dialog.show()
        work(application, dialog.submit.isEnabled)
        dialog.submit.click()
        work(application, lambda: any(job["state"] == "done" for job in bridge.jobs.values()))
        heart.timer.stop()
        dialog.close()
        bridge.close()
        return heart.late
    finally:
        ask("engine", "stop", "--force")
        ask("devnet", "down")


if __name__ == "__main__":
    raise SystemExit(main())
