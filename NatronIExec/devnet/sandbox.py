"""One task on one worker: the container program as a child process, then what post-compute makes of its output."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Mapping

from eth_utils.crypto import keccak

from NatronIExec.devnet import containers
from NatronIExec.devnet.processes import kill_session, start
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal
from NatronIExec.seal import encrypt_result

#: worker PostComputeService.java: longer base names fail the task.
MAX_NAME = 31
FAULTS = ("garbage", "bomb", "wrong-digest", "not-a-zip", "nothing", "never-initialized")


@dataclass
class Faults:
    """Which tasks misbehave: index → one of FAULTS; `every` for all the others."""

    by_index: dict[int, str] = field(default_factory=dict)
    every: str = ""

    def of(self, index: int) -> str:
        return self.by_index.get(index, self.every)


@dataclass(frozen=True)
class RunOutcome:
    """`digest` is None when the task left no computed.json: then it is never contributed."""

    status: str
    stdout: str
    stderr: str
    digest: bytes | None = None
    archive: Path | None = None


def run_task(
    deal: Deal,
    index: int,
    taskid: str,
    folder: Path,
    secrets: Mapping[str, str],
    time_limit_s: int,
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
    params = _deal_params(deal.params)
    environment = {**_environment(deal, index, taskid, came_in, out), **_inputs(params, came_in), **secrets}
    arguments = _tokens(params.get("iexec_args", ""))
    if image:
        stdout, stderr = _run_contained(image, arguments, environment, folder, time_limit_s, stopping)
    else:
        command = [sys.executable, "-m", "NatronIExec.container.entrypoint", *arguments]
        stdout, stderr = _run(command, environment, folder, time_limit_s, stopping)
    if fault:
        _misbehave(fault, out)
    outcome = _post_compute(out, folder, stdout, stderr, fault)
    return _encrypted(outcome, result_key) if params.get("iexec_result_encryption") else outcome


def _run(
    command: list[str], environment: Mapping[str, str], folder: Path, limit_s: int, stopping: threading.Event
) -> tuple[str, str]:
    """The program's output; it is ended, with all that it began, at the time limit of its category, or when the network
    stops."""
    with (folder / "stdout.log").open("w+b") as out, (folder / "stderr.log").open("w+b") as err:
        child = start(command, out, err, environment, folder, last_words=signal.SIGTERM)
        end = time.monotonic() + limit_s
        try:
            while child.poll() is None and time.monotonic() < end and not stopping.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(0.2)
        finally:
            kill_session(child.pid)
            child.wait()
        texts = []
        for log in (out, err):
            log.seek(0)
            texts.append(log.read()[-100_000:].decode("utf-8", "replace"))
    return texts[0], texts[1]


def _run_contained(
    image: str,
    arguments: list[str],
    environment: Mapping[str, str],
    folder: Path,
    limit_s: int,
    stopping: threading.Event,
) -> tuple[str, str]:
    name, given = f"natron-iexec-{folder.name}", containers.inside(environment)
    command = containers.command(image, name, arguments, list(given), folder)
    try:
        return _run(command, {**containers.client(), **given}, folder, limit_s, stopping)
    finally:
        containers.remove(name)


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


def _post_compute(out: Path, folder: Path, stdout: str, stderr: str, fault: str) -> RunOutcome:
    computed = out / "computed.json"
    too_long = [path.name for path in out.rglob("*") if len(path.name) > MAX_NAME]
    if not computed.is_file() or too_long:
        return RunOutcome("FAILED", stdout, stderr + "".join(f"\ntoo long: {name}" for name in too_long))
    target = Path(json.loads(computed.read_text())["deterministic-output-path"])
    if target.is_relative_to(containers.OUT):
        target = out / target.relative_to(containers.OUT)
    digest = _digest(target)
    for name, text in (("stdout.txt", stdout), ("stderr.txt", stderr)):
        if text:
            (out / name).write_text(text)
    archive = folder / "result.zip"
    if fault == "not-a-zip":
        archive.write_bytes(b"GIF89a" + os.urandom(200))
    else:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(out.rglob("*")):
                if path.is_file():
                    packed.write(path, path.relative_to(out).as_posix())
    if fault == "wrong-digest":
        digest = keccak(digest)
    return RunOutcome("COMPUTED", stdout, stderr, digest, archive)


def _encrypted(outcome: RunOutcome, key: str | None) -> RunOutcome:
    """post-compute encryption.rs: without the beneficiary's key there is no result."""
    if outcome.archive is None:
        return outcome
    if key is None:
        return RunOutcome("FAILED", outcome.stdout, outcome.stderr + "\nPOST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING")
    encrypted = outcome.archive.with_name("encrypted.zip")
    encrypt_result(outcome.archive, encrypted, key)
    return replace(outcome, archive=encrypted)


def _digest(target: Path) -> bytes:
    """common FileHashUtils.java: a file's SHA-256; for a folder keccak of its direct children's, sorted by path."""
    if target.is_file():
        return hashlib.sha256(target.read_bytes()).digest()
    children = sorted(path for path in target.iterdir() if path.is_file())
    return keccak(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in children))


def _misbehave(fault: str, out: Path) -> None:
    """What a hostile or broken worker could return instead."""
    frames = sorted((out / "frames").glob("*")) if (out / "frames").is_dir() else []
    if fault == "garbage":
        for frame in frames:
            frame.write_bytes(os.urandom(1000))
    elif fault == "bomb":
        for frame in frames[:1]:
            frame.write_bytes(bytes(200 * 1024 * 1024))
