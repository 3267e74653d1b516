"""Plays an artist's steps in the real Natron, for scripts/try-in-natron, and reports each. The first failure ends it.

Natron runs on a screen of its own with a home folder of its own; the steps (natron_trial/trial_steps.py) run inside it.
Natron is started twice: the first time it is quit in the middle of a render, the second time everything must be there.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "natron-trial"
STEPS = ROOT / "scripts" / "natron_trial"
PATIENCE_S = 300


def main() -> int:
    from NatronIExec.devnet.install import modules_folder

    modules = modules_folder()
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "home" / ".Natron").mkdir(parents=True)
    shutil.copy(STEPS / "start.py", OUT / "home" / ".Natron" / "initGui.py")
    shutil.copytree(ROOT / "examples" / "orbit", OUT / "orbit", ignore=shutil.ignore_patterns("renders"))
    os.environ.update(NATRON_IEXEC_HOME=str(OUT / ".state"), NATRON_IEXEC_DEVNET_MODULES=str(modules))
    trial = Trial()
    try:
        trial.run()
    except AssertionError as problem:
        print(f"FAILED  {problem}")
        return 1
    finally:
        trial.end()
    return 0


class Trial:
    def __init__(self) -> None:
        self.password = OUT / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(secrets.token_hex(12))
        self.project = OUT / "orbit" / "orbit.ntp"
        self.before = self.project.read_bytes()
        self.display = next(number for number in range(90, 200) if not Path(f"/tmp/.X{number}-lock").exists())
        self.screen = subprocess.Popen(
            ["Xvfb", f":{self.display}", "-screen", "0", "1600x1000x24"],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def run(self) -> None:
        self.ask("devnet", "up")
        self.ask("settings", "network=local", "poll_s=0.5")
        self.ask("wallet", "import", "--devnet")
        self.ask("wallet", "unlock")
        self.plugin = self.ask("install")["plugin"]
        self.natron("first", self.project)
        self.check("the project file is as it was", self.project.read_bytes() == self.before)
        # The second job goes on: what it is about to bring lies there under a hidden name until it is whole.
        renders = {path.name for path in (OUT / "orbit" / "renders").glob("orbit_*.png")}
        frames = {f"orbit_{frame:04d}.png" for frame in range(1, 25)}
        self.check("the 24 frames are in the writer's folder", frames == renders)
        self.natron("again", OUT / "orbit" / "with_queue.ntp")
        jobs = self.ask("jobs")
        self.check("two jobs were bought, and no third", [job["frames_done"] for job in jobs] == [24, 24])
        log = OUT / ".state" / "logs" / "plugin.log"
        self.check("nothing went wrong in the plug-in", not log.exists() or not log.read_text())

    def natron(self, phase: str, project: Path) -> None:
        """One session of Natron, from its start to its end; a line for each step as it happens."""
        environment = {
            **os.environ,
            "HOME": str(OUT / "home"),
            "DISPLAY": f":{self.display}",
            "NATRON_PLUGIN_PATH": self.plugin,
            "NATRON_TRIAL_STEPS": str(STEPS),
            "NATRON_TRIAL_PHASE": phase,
            "NATRON_TRIAL_OUT": str(OUT),
        }
        with (OUT / f"natron-{phase}.log").open("wb") as log:
            running = subprocess.Popen([os.environ["NATRON"], str(project)], stdout=log, stderr=log, env=environment)
        report, told, give_up = OUT / "report.txt", 0, time.monotonic() + PATIENCE_S
        report.write_text("")
        try:
            while running.poll() is None and time.monotonic() < give_up:
                time.sleep(0.2)
                told = self.tell(report, told)
            self.tell(report, told)
            how = " (aborting as NatronRenderer does too)" if self.aborted(running, phase) else " and well"
            self.check(f"Natron ends by itself{how} ({phase})", running.poll() == 0 or self.aborted(running, phase))
        finally:
            if running.poll() is None:
                running.terminate()
                running.wait(30)

    def aborted(self, running: subprocess.Popen[bytes], phase: str) -> bool:
        """Natron 2.6's own race at its exit, seen in NatronRenderer without any plug-in: all is saved by then."""
        last = (OUT / f"natron-{phase}.log").read_bytes().rstrip().rsplit(b"\n", 1)[-1]
        return running.poll() == -signal.SIGABRT and last == b"QThread: Destroyed while thread is still running"

    def tell(self, report: Path, told: int) -> int:
        lines = report.read_text("utf-8").splitlines()
        for line in lines[told:]:
            state, what = line.split("\t", 1)
            assert state == "ok", what
            print(f"ok      {what}", flush=True)
        return len(lines)

    def check(self, what: str, holds: bool) -> None:
        assert holds, what
        print(f"ok      {what}", flush=True)

    def ask(self, *words: str) -> Any:
        command = [sys.executable, "-m", "NatronIExec.cli", "--json", "--password-file", str(self.password)]
        done = subprocess.run([*command, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def end(self) -> None:
        self.screen.terminate()
        self.screen.wait(10)
        for words in (("engine", "stop", "--force"), ("devnet", "down")):
            self.ask(*words)


if __name__ == "__main__":
    sys.exit(main())
