"""One task on one worker: the container program as a child process, then what post-compute makes of its output."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

from NatronIExec.container.rights import VARIABLE as RENDER_UID
from NatronIExec.devnet import containers, drills
from NatronIExec.devnet.post_compute import RunOutcome, post_compute
from NatronIExec.devnet.processes import kill_session, session_rss_bytes, start
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal

#: The image's, where the program that real workers run is described.
CONTAINERFILE = Path(__file__).parents[1] / "container" / "Containerfile"
#: Whom a renderer runs as that gives up root's rights (container/rights.py).
OTHER_UID = 1000
#: How often a program's time and memory are looked at.
LOOK_S = 0.2
FAULTS = ("garbage", "bomb", "wrong-digest", "not-a-zip", "nothing", "never-initialized", "stalls", "no-content")


@dataclass
class Faults:
    """Which tasks misbehave: index → one of FAULTS; `every` for all the others, else what a drill in `folder` says."""

    by_index: dict[int, str] = field(default_factory=dict)
    every: str = ""
    folder: Path | None = None

    def of(self, index: int) -> str:
        known = self.by_index.get(index, self.every)
        return known if known or self.folder is None else drills.of_task(self.folder, index)


@dataclass(frozen=True)
class Terms:
    """What a task is given: the time of its category, and of memory and result what the network gives (0: any)."""

    time_limit_s: float
    memory_limit_bytes: int = 0
    result_limit_bytes: int = 0


def run_task(
    deal: Deal,
    index: int,
    taskid: str,
    folder: Path,
    secrets: Mapping[str, str],
    terms: Terms,
    fault: str,
    stopping: threading.Event,
    image: str = "",
    result_key: str | None = None,
) -> RunOutcome:
    """Run the container program for one task, as the container `image` where one is named, and pack what it left in
    IEXEC_OUT; for the holder of `result_key` where the deal asks for that."""
    came_in, out = folder / "iexec_in", folder / "iexec_out"
    for made in (came_in, out, folder / "tmp"):
        made.mkdir(parents=True)
    if fault == "nothing":
        return RunOutcome("FAILED", "", "this worker does nothing")
    if fault == "stalls":
        stopping.wait(terms.time_limit_s)
        return RunOutcome("FAILED", "", "this worker did nothing until its time was over")
    params = _deal_params(deal.params)
    environment = {**_environment(deal, index, taskid, came_in, out), **_inputs(params, came_in), **secrets}
    arguments = _tokens(params.get("iexec_args", ""))
    _lock(came_in)
    if image:
        said = _run_contained(image, arguments, environment, folder, terms, stopping)
    else:
        said = _run_as_child(arguments, environment, folder, terms, stopping)
    if fault:
        _misbehave(fault, out)
    key = (result_key or "") if params.get("iexec_result_encryption") else None
    return post_compute(out, folder, said, terms.result_limit_bytes, key, fault)


def _lock(came_in: Path) -> None:
    """It is mounted read-only; root may still write there, where a mount would not let it."""
    for path in (*came_in.iterdir(), came_in):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _run_as_child(
    arguments: list[str], environment: Mapping[str, str], folder: Path, terms: Terms, stopping: threading.Event
) -> RunOutcome:
    """As whom the image says, where we may (as root); else as ourselves, and an image that says whom cannot write the
    results: on a real worker their folder is root's, mode 0755."""
    command = [sys.executable, "-m", "NatronIExec.container.entrypoint", *arguments]
    user = containers.user_of(CONTAINERFILE.read_text(encoding="utf-8"))
    if user:
        (folder / "iexec_out").chmod(0o555)
    if os.getuid() == 0 and not user and containers.open_to_all(folder / "tmp", *_programs(environment)):
        environment = {**environment, RENDER_UID: str(OTHER_UID)}
    return _run(command, environment, folder, terms, stopping, OTHER_UID if user and os.getuid() == 0 else None)


def _programs(environment: Mapping[str, str]) -> list[Path]:
    renderer = environment.get("NATRON_RENDERER") or shutil.which("NatronRenderer") or sys.executable
    return [Path(renderer).resolve()]


def _run(
    command: list[str],
    environment: Mapping[str, str],
    folder: Path,
    terms: Terms,
    stopping: threading.Event,
    user: int | None = None,
) -> RunOutcome:
    """The program's output; it is ended, with all that it began, at the time limit of its category, when it takes more
    memory than there is, or when the network stops."""
    why = ""
    with (folder / "stdout.log").open("w+b") as out, (folder / "stderr.log").open("w+b") as err:
        child = start(command, out, err, environment, folder, last_words=signal.SIGTERM, user=user)
        end = time.monotonic() + terms.time_limit_s
        try:
            while child.poll() is None and time.monotonic() < end and not stopping.is_set():
                if terms.memory_limit_bytes and session_rss_bytes(child.pid) > terms.memory_limit_bytes:
                    why = f"\nKilled: it took more than {terms.memory_limit_bytes >> 20} MiB of memory (137)"
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(LOOK_S)
        finally:
            kill_session(child.pid)
            child.wait()
        texts = []
        for log in (out, err):
            log.seek(0)
            texts.append(log.read()[-100_000:].decode("utf-8", "replace"))
    return RunOutcome("RAN", texts[0], texts[1] + why)


def _run_contained(
    image: str,
    arguments: list[str],
    environment: Mapping[str, str],
    folder: Path,
    terms: Terms,
    stopping: threading.Event,
) -> RunOutcome:
    name, given = f"natron-iexec-{folder.name}", containers.inside(environment)
    command = containers.command(image, name, arguments, list(given), folder, terms.memory_limit_bytes)
    (folder / "iexec_out").chmod(0o555)  # root's: of the container's users only root can write there
    try:
        return _run(command, {**containers.client(), **given}, folder, Terms(terms.time_limit_s), stopping)
    finally:
        containers.remove(name)
        containers.reclaim(image, folder)
        (folder / "iexec_out").chmod(0o755)


def _environment(deal: Deal, index: int, taskid: str, came_in: Path, out: Path) -> dict[str, str]:
    """What a container gets (common IexecEnvUtils.java) and the few variables that a child process needs besides."""
    keep = (
        "PATH",
        "PYTHONPATH",
        "NATRON_RENDERER",
        "NATRON_IEXEC_SLATE",
        "NATRON_IEXEC_FOLDERS",
        "OPENBLAS_CORETYPE",
        "LD_LIBRARY_PATH",
        "LANG",
        # what the artist's own renderer finds its plug-ins, colours and fonts by
        "OFX_PLUGIN_PATH",
        "NATRON_PLUGIN_PATH",
        "OCIO",
        "FONTCONFIG_FILE",
        "FONTCONFIG_PATH",
        "FONTCONFIG_SYSROOT",
    )
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")))
        ),
        "HOME": str(out.parent / "tmp"),
        "TMPDIR": str(out.parent / "tmp"),
        "IEXEC_DEAL_ID": deal.dealid,
        "IEXEC_TASK_ID": taskid,
        "IEXEC_TASK_INDEX": str(index),
        "IEXEC_IN": str(came_in),
        "IEXEC_OUT": str(out),
        "IEXEC_BOT_SIZE": str(deal.bot_size),
        "IEXEC_BOT_FIRST_INDEX": str(deal.bot_first),
        "IEXEC_BOT_TASK_INDEX": str(index),
        "IEXEC_DATASET_ADDRESS": ZERO_ADDRESS,
    }


def _inputs(params: Mapping[str, object], came_in: Path) -> dict[str, str]:
    """Download the input files, as worker and pre-compute do: named by the hash of their URL, once, no retry."""
    urls = params.get("iexec_input_files") or []
    urls = urls.split(",") if isinstance(urls, str) else urls
    names = {}
    assert isinstance(urls, list)
    for number, url in enumerate(urls, 1):
        name = "0x" + hashlib.sha256(url.encode()).hexdigest()
        with urllib.request.urlopen(url, timeout=30) as answer:
            (came_in / name).write_bytes(answer.read())
        names[f"IEXEC_INPUT_FILE_NAME_{number}"] = name
    folder = {"IEXEC_INPUT_FILES_FOLDER": str(came_in)} if urls else {}
    return {"IEXEC_INPUT_FILES_NUMBER": str(len(urls)), **folder, **names}


def _deal_params(text: str) -> dict[str, str]:
    """cpoco DealParams.java: what is no JSON object of known keys is the arguments as a whole."""
    known = {
        *("iexec_args", "iexec_input_files", "iexec_result_storage_provider", "iexec_secrets"),
        "iexec_result_encryption",
    }
    try:
        found = json.loads(text)
    except ValueError:
        return {"iexec_args": text}
    return found if isinstance(found, dict) and set(found) <= known else {"iexec_args": text}


def _tokens(args: str) -> list[str]:
    """cont ArgsUtils.java: spaces separate, quotes join, there is no escaping, an open quote gives no arguments."""
    tokens: list[str] = []
    current, quote, started = "", "", False
    for char in args:
        if quote:
            quote = "" if char == quote else quote
            current += "" if not quote else char
        elif char in "'\"":
            quote, started = char, True
        elif char == " ":
            if started:
                tokens.append(current)
            current, started = "", False
        else:
            current, started = current + char, True
    if quote:
        return []
    return [*tokens, current] if started else tokens


def _misbehave(fault: str, out: Path) -> None:
    """What a hostile or broken worker could return instead."""
    frames = sorted((out / "frames").glob("*")) if (out / "frames").is_dir() else []
    if fault == "garbage":
        for frame in frames:
            frame.write_bytes(os.urandom(1000))
    elif fault == "bomb":
        for frame in frames[:1]:
            frame.write_bytes(bytes(200 * 1024 * 1024))
