"""A person's clicks in the real Natron, for scripts/try-in-natron. Each step is reported; the first failure ends it.

Natron is driven from outside, by mouse and keyboard, on a screen of its own; what happened is read from the engine and
from the disk.
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
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "natron-trial"
PATIENCE_S = 60


def main() -> int:
    from NatronIExec.devnet.install import modules_folder

    modules = modules_folder()
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "home").mkdir(parents=True)
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
        self.screen: subprocess.Popen[bytes] | None = None
        self.natron: subprocess.Popen[bytes] | None = None
        self.project = OUT / "orbit" / "orbit.ntp"
        self.before = self.project.read_bytes()

    def run(self) -> None:
        self.ask("devnet", "up")
        self.ask("settings", "network=local", "poll_s=0.5")
        self.ask("wallet", "import", "--devnet")
        self.ask("wallet", "unlock")
        self.start_natron()
        self.step("Natron is there", lambda: self.windows("orbit"))
        time.sleep(6)  # Natron loads the project and may ask about updates
        self.do("key", "Escape")
        time.sleep(3)
        self.do("mousemove", "234", "11", "click", "1")
        time.sleep(1.5)
        self.picture("menu")
        self.do("mousemove", "280", "62", "click", "1")
        self.step("the dialog opens from the entry after Render All Writers", lambda: self.windows("^Render on iExec"))
        time.sleep(6)
        self.picture("dialog")
        self.click_submit()
        self.step("Submit makes a job", lambda: self.ask("jobs"))
        self.step("all frames come home", lambda: self.ask("jobs")[0]["state"] == "done")
        renders = sorted(path.name for path in (OUT / "orbit" / "renders").iterdir())
        self.step("24 frames are in the writer's folder", lambda: len(renders) == 24)
        time.sleep(2)
        self.picture("queue")
        self.step("the project file is as it was", lambda: self.project.read_bytes() == self.before)
        log = OUT / ".state" / "logs" / "plugin.log"
        self.step("nothing went wrong in the plug-in", lambda: not log.exists() or not log.read_text())
        self.stop_natron()
        self.step("Natron quits and the job is still known", lambda: self.ask("jobs")[0]["frames_done"] == 24)

    def start_natron(self) -> None:
        number = next(n for n in range(90, 200) if not Path(f"/tmp/.X{n}-lock").exists())
        self.screen = subprocess.Popen(
            ["Xvfb", f":{number}", "-screen", "0", "1600x1000x24"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        os.environ["DISPLAY"] = f":{number}"
        environment = {**os.environ, "HOME": str(OUT / "home"), "NATRON_PLUGIN_PATH": str(ROOT)}
        with (OUT / "natron.log").open("wb") as log:
            time.sleep(1)
            command = [os.environ["NATRON"], str(self.project)]
            self.natron = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def click_submit(self) -> None:
        window = self.windows("^Render on iExec")[-1]
        found = subprocess.run(["xdotool", "getwindowgeometry", "--shell", window], capture_output=True, text=True)
        place = dict(line.split("=") for line in found.stdout.split())
        x, y = int(place["X"]) + int(place["WIDTH"]) - 50, int(place["Y"]) + int(place["HEIGHT"]) - 22
        self.do("mousemove", str(x), str(y), "click", "1")

    def windows(self, title: str) -> list[str]:
        found = subprocess.run(["xdotool", "search", "--name", title], capture_output=True, text=True)
        return found.stdout.split()

    def do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True)

    def picture(self, name: str) -> None:
        subprocess.run(["import", "-window", "root", str(OUT / f"{name}.png")], check=True)

    def step(self, what: str, holds: Callable[[], Any]) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < give_up, what
            time.sleep(0.3)
        print(f"ok      {what}", flush=True)

    def ask(self, *words: str) -> Any:
        command = [sys.executable, "-m", "NatronIExec.cli", "--json", "--password-file", str(self.password)]
        done = subprocess.run([*command, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stop_natron(self) -> None:
        if self.natron is not None and self.natron.poll() is None:
            self.natron.send_signal(signal.SIGTERM)
            self.natron.wait(30)

    def end(self) -> None:
        self.stop_natron()
        if self.screen is not None:
            self.screen.terminate()
            self.screen.wait(10)
        for words in (("engine", "stop", "--force"), ("devnet", "down")):
            self.ask(*words)


if __name__ == "__main__":
    sys.exit(main())
