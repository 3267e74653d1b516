"""What iExec runs: one task of a job. Reads the manifest, renders one chunk, leaves proven frames or nothing.

iExec completes a task that left computed.json, whatever its exit code, so that file is written last and only when every
frame of the chunk is proven. The last line of the output says which frame failed and why.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Mapping, Sequence

from NatronIExec import __version__
from NatronIExec.container.chunk_render import ChunkRender, Rendered
from NatronIExec.container.inputs import Inputs, localised
from NatronIExec.container.memory import available_bytes, machine_bytes, natron_preferences, write_preferences
from NatronIExec.container.renderer import find_renderer, version_of
from NatronIExec.container.results import REPORT, deliver, finish, hand_over
from NatronIExec.container.rights import prove_writable, renderers
from NatronIExec.container.task import Task, read_task, renderer_environment
from NatronIExec.container.voice import Voice
from NatronIExec.errors import NatronIExecError, ProjectError
from NatronIExec.manifest import canonical

LOG_BYTES = 65_536
#: Of the time limit, and in seconds: what is kept back to say which frame failed before the worker ends the program.
MARGIN_SHARE, MAX_MARGIN_S = 0.1, 30


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """0 with computed.json written, else 1 without it. Whatever was fetched or half made is removed either way."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="natron-iexec-"))
    voice = Voice()
    try:
        task = read_task(arguments, environ)
        voice.follow(task.manifest)
        _render(task, environ, folder, _end(began, task.manifest.limit_s), voice)
        return 0
    except NatronIExecError as problem:
        voice.failed(str(problem))
        return 1
    except OSError as problem:
        voice.failed(f"{problem.strerror or problem} ({problem.filename}).")
        return 1
    except Exception as problem:  # a traceback names files and frames
        if not voice.quiet:
            raise
        voice.failed(f"{type(problem).__name__}: {problem}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(began: float, limit_s: int) -> float:
    return began + limit_s - min(MAX_MARGIN_S, MARGIN_SHARE * limit_s) if limit_s else math.inf


def _render(task: Task, environ: Mapping[str, str], folder: Path, ends_at: float, voice: Voice) -> None:
    prove_writable(task.out)
    rights = renderers(environ)
    # A name without symbolic links: the renderer reports inputs by their real names.
    folder = folder.resolve()
    job, out, home = folder / "job", folder / "out", folder / "home"
    for made in (job, out, home):
        made.mkdir()
    available = available_bytes(task.manifest.memory_limit)
    write_preferences(home, natron_preferences(available, machine_bytes(), os.cpu_count() or 1))
    rights.give(folder)
    times: Dict[str, float] = {}
    began = time.monotonic()
    inputs = Inputs(task.manifest, job, task.key)
    inputs.fetch({task.manifest.project, *task.chunk.files})
    times["inputs"] = time.monotonic() - began
    command, kind = find_renderer(environ)
    environment = renderer_environment(environ, home, _extra(task, job, kind, voice))
    about = {"renderer": kind, "renderer_version": version_of(command, environment, rights)}
    voice.say(f"Rendering chunk {task.chunk.index}: {len(task.chunk.frames)} frames")
    began = time.monotonic()
    render = ChunkRender(task.manifest, task.chunk, inputs, command, environment, job, out, voice.say, ends_at, rights)
    done = render.render()
    times["render"] = time.monotonic() - began
    if done.failed:
        _report(task, done, about, times, folder)
        frame, why = min(done.failed.items())
        raise ProjectError(f"Frame {frame}: {why}", f"{len(done.failed)} of {len(task.chunk.frames)} frames failed.")
    deliver(task, done, voice.say)
    _report(task, done, about, times, folder)
    finish(task)
    voice.say(f"Done: {len(done.files)} files")


def _extra(task: Task, job: Path, kind: str, voice: Voice) -> Dict[str, str]:
    """Variables of the manifest, and what the stand-in needs to be found."""
    extra = {name: localised(value, job) for name, value in task.manifest.environment.items()}
    if kind == "slate":
        voice.say("No Natron here: the slate renderer draws stand-in frames.")
        extra["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return extra


def _report(task: Task, done: Rendered, about: Mapping[str, str], times: Mapping[str, float], folder: Path) -> None:
    """For people: nothing of it is trusted or hashed."""
    tail = "\n".join(done.log).encode()[-LOG_BYTES:].decode("utf-8", "replace")
    report = {
        "version": __version__,
        **about,
        "seconds": {name: round(spent, 3) for name, spent in times.items()},
        "frame_seconds": {str(frame): round(spent, 3) for frame, spent in done.times.items()},
        "peak_rss_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        "warnings": done.warnings[:100],
        "failed": {str(frame): why for frame, why in done.failed.items()},
        "log": tail,
    }
    plain = folder / "report.json"
    plain.write_bytes(canonical(report))
    hand_over(task, plain, task.out / REPORT)


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        from NatronIExec.container.self_test import self_test

        sys.exit(self_test(main, os.environ))
    sys.exit(main(sys.argv[1:], os.environ))
