"""What iExec runs: one task of a job. Reads the manifest, renders one chunk, leaves proven frames or nothing.

iExec completes a task that left computed.json, whatever its exit code, so that file is written last and only when every
frame of the chunk is proven. The last line of the output says which frame failed and why.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

from NatronIExec import __version__, images
from NatronIExec.container.chunk_render import MOVIE, ChunkRender, Rendered
from NatronIExec.container.inputs import Inputs, localised
from NatronIExec.container.renderer import find_renderer, version_of
from NatronIExec.container.task import Task, read_task, renderer_environment
from NatronIExec.errors import NatronIExecError, ProjectError
from NatronIExec.manifest import Frame, FrameList, ManifestWriter, canonical, sha256_of_file

LOG_BYTES = 65_536
#: Of the time limit, and in seconds: what is kept back to say which frame failed before the worker ends the program.
MARGIN_SHARE, MAX_MARGIN_S = 0.1, 30


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """0 with computed.json written, else 1 without it. Whatever was fetched or half made is removed either way."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="natron-iexec-"))
    try:
        task = read_task(arguments, environ)
        _render(task, environ, folder, _end(began, task.manifest.limit_s))
        return 0
    except NatronIExecError as problem:
        print(f"FAILED: {problem}", flush=True)
        return 1
    except OSError as problem:
        print(f"FAILED: {problem.strerror or problem} ({problem.filename}).", flush=True)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(began: float, limit_s: int) -> float:
    return began + limit_s - min(MAX_MARGIN_S, MARGIN_SHARE * limit_s) if limit_s else math.inf


def _render(task: Task, environ: Mapping[str, str], folder: Path, ends_at: float) -> None:
    # A name without symbolic links: the renderer reports inputs by their real names.
    folder = folder.resolve()
    job, out, home = folder / "job", folder / "out", folder / "home"
    for made in (job, out, home):
        made.mkdir()
    times: Dict[str, float] = {}
    began = time.monotonic()
    inputs = Inputs(task.manifest, job, task.key)
    inputs.fetch({task.manifest.project, *task.chunk.files})
    times["inputs"] = time.monotonic() - began
    command, kind = find_renderer(environ)
    environment = renderer_environment(environ, home, _extra(task, job, kind))
    about = {"renderer": kind, "renderer_version": version_of(command, environment)}
    print(f"Rendering chunk {task.chunk.index}: {len(task.chunk.frames)} frames", flush=True)
    began = time.monotonic()
    render = ChunkRender(task.manifest, task.chunk, inputs, command, environment, job, out, _say, ends_at)
    done = render.render()
    times["render"] = time.monotonic() - began
    if done.failed:
        _report(task, done, about, times, folder)
        frame, why = min(done.failed.items())
        raise ProjectError(f"Frame {frame}: {why}", f"{len(done.failed)} of {len(task.chunk.frames)} frames failed.")
    _deliver(task, done)
    _report(task, done, about, times, folder)
    computed = {"deterministic-output-path": str(task.out / "frames.json")}
    (task.out / "computed.json").write_text(json.dumps(computed))
    print(f"Done: {len(done.files)} files", flush=True)


def _extra(task: Task, job: Path, kind: str) -> Dict[str, str]:
    """Variables of the manifest, and what the stand-in needs to be found."""
    extra = {name: localised(value, job) for name, value in task.manifest.environment.items()}
    if kind == "slate":
        print("No Natron here: the slate renderer draws stand-in frames.", flush=True)
        extra["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return extra


def _deliver(task: Task, done: Rendered) -> None:
    """Frames under short names, and the list of them that the chain will hold the hash of."""
    writer = task.manifest.writers[task.chunk.writer]
    frames: List[Frame] = []
    for (number, view), path in sorted(done.files.items()):
        name = _result_name(number, view, path.suffix, writer)
        to = task.out / "frames" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            _hand_over(task, path, to)
        if task.manifest.hashes == "pixels":
            frames.append(Frame(number, view, f"frames/{name}", pixels=images.pixel_hash(to)))
        else:
            frames.append(Frame(number, view, f"frames/{name}", to.stat().st_size, sha256_of_file(to)))
    if writer.movie:
        frames = frames[:1]
    (task.out / "frames.json").write_bytes(
        FrameList(task.manifest.job, task.chunk.index, writer.name, tuple(frames)).to_bytes()
    )


def _hand_over(task: Task, path: Path, to: Path) -> None:
    """As it is, or sealed for the artist alone: results lie where everybody can fetch them."""
    if not task.manifest.results_for:
        shutil.move(str(path), str(to))
        return
    # cryptography, which an open job has no need to load
    from NatronIExec.seal import seal_for

    seal_for(task.manifest.results_for, path, to)
    path.unlink()


def _result_name(frame: int, view: str, suffix: str, writer: ManifestWriter) -> str:
    """At most MAX_RESULT_NAME long whatever the view is called: its place among the views stands for its name."""
    if writer.movie:
        return f"{MOVIE}{suffix}"
    return f"{frame:06d}{f'.{writer.views.index(view)}' if view else ''}{suffix}"


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
    _hand_over(task, plain, task.out / "report.json")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
