"""The main job as a person would do it, with natron-iexec alone: a local network, an account, 24 frames in 6 tasks over
3 workers, bought in one transaction. Everything that it makes is below demo-output/."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "demo-output"
PROJECT = ROOT / "examples" / "orbit" / "orbit.ntp"
CHUNK, WORKERS = "4", "3"

#: What `submit --watch` and `watch` end with when frames failed.
FRAMES_MISSING = 9


def main() -> int:
    from NatronIExec import images
    from NatronIExec.devnet.install import modules_folder

    modules = modules_folder()
    shutil.rmtree(OUT, ignore_errors=True)
    state = OUT / ".state"
    state.mkdir(parents=True)
    password = state / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(16))
    environment = {**os.environ, "NATRON_IEXEC_HOME": str(state), "NATRON_IEXEC_DEVNET_MODULES": str(modules)}
    cli = Cli(environment, password)
    began = time.monotonic()
    try:
        say("Starting a local iExec (a real chain with the real contracts, worthless money)")
        cli.ask("devnet", "up", "--workers", WORKERS)
        up = time.monotonic()
        cli.ask("settings", "network=local", "poll_s=0.2")
        cli.ask("wallet", "import", "--devnet")
        cli.ask("wallet", "unlock")
        asked = [str(PROJECT), "--chunk", CHUNK, "--out", str(OUT / "frames")]
        say("The price, before anything is spent")
        cli.show("plan", *asked)
        say("Rendering")
        submitted = time.monotonic()
        row = cli.ask("submit", *asked, "--yes", "--watch", also=FRAMES_MISSING)
        done = time.monotonic()
        if row["frames_failed"]:
            cli.say_what_failed(row["id"])
            return 1
        sheet = cli.ask("show", row["id"])
        ledger = cli.ask("ledger")["entries"][0]
        renderer = "slate" if any("slate" in line for line in cli.ask("logs", row["id"], "0")["lines"]) else "Natron"
    finally:
        cli.ask("engine", "stop", "--force")
        cli.ask("devnet", "down")
        password.unlink()
    frames = sorted((OUT / "frames").glob("*.png"))
    contact_sheet = OUT / "contact-sheet.png"
    images.contact_sheet(frames, contact_sheet)
    report(row, sheet, ledger, {"local iExec": up - began, "submit to last frame": done - submitted})
    if renderer == "slate":
        say("No Natron was found: the stand-in renderer drew these frames. Set NATRON_RENDERER to use the real one.")
    say(f"{len(frames)} frames in {relative(OUT / 'frames')}, all of them in {relative(contact_sheet)}")
    return 0 if row["state"] == "done" and len(frames) == row["frames_total"] else 1


class Cli:
    """natron-iexec in an environment of its own."""

    def __init__(self, environment: dict[str, str], password: Path) -> None:
        self._environment = environment
        self._command = [sys.executable, "-m", "NatronIExec.cli", "--password-file", str(password)]

    def ask(self, *words: str, also: int = 0) -> Any:
        """The command's answer; it may end with 0 or with `also`."""
        done = subprocess.run([*self._command, "--json", *words], env=self._environment, capture_output=True, text=True)
        if done.returncode not in (0, also):
            sys.exit(f"natron-iexec {' '.join(words)} failed:\n{done.stderr}")
        return json.loads(done.stdout)

    def show(self, *words: str) -> None:
        subprocess.run([*self._command, *words], env=self._environment, check=True)

    def say_what_failed(self, job: str) -> None:
        """The reasons, as `watch` says them; it ends with FRAMES_MISSING."""
        subprocess.run([*self._command, "watch", job], env=self._environment, check=False)


def report(row: dict[str, Any], sheet: dict[str, Any], ledger: dict[str, Any], spent_s: dict[str, float]) -> None:
    from NatronIExec.wording import eth, rlc

    steps = [(step["step"], step["at_s"]) for step in sheet["steps"]]
    print()
    print(f"Price   {rlc(row['paid_nrlc'])} paid, {rlc(row['most_nrlc'])} was the most that could be spent")
    print(f"Gas     {eth(ledger['gas_wei'])}")
    transactions = {deal["transaction"] for deal in sheet["deals"]}
    print(f"Match   {row['tasks_total']} tasks, {len(transactions)} transaction ({', '.join(transactions)})")
    print(f"Workers {len({task['worker'] for task in sheet['tasks']})}")
    for name, seconds in spent_s.items():
        print(f"{seconds:6.2f} s  {name}")
    for (_, before), (name, at) in zip(steps, steps[1:]):
        print(f"{at - before:6.2f} s    {name}")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
