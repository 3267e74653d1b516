"""What a task leaves: proven frames, the list of them that the chain will hold the hash of, a report for people.

A result that is larger than the network carries leaves only its list; the frames are put where the manifest says,
sealed for the artist. That of a sealed job is filled up, so that its size tells little of its pictures.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from NatronIExec import images
from NatronIExec.container.chunk_render import MOVIE, Key, Rendered
from NatronIExec.container.drop import leave
from NatronIExec.container.task import Task
from NatronIExec.errors import ProjectError
from NatronIExec.manifest import Elsewhere, Frame, FrameList, ManifestWriter, sha256_of_file

LIST, ELSEWHERE, REPORT, PADDING = "frames.json", "elsewhere.json", "report.json", "padding"
#: What an archive has beside its files: its directory, the report, the list. A result is taken to be larger by so much.
ARCHIVE_BYTES = 512 * 1024
#: Larger files are judged by their beginning and taken as a whole: packing 8 GiB only to know its size takes minutes.
JUDGED_BYTES = 64 * 1024 * 1024
_BLOCK = 1 << 20


def deliver(
    task: Task, done: Rendered, say: Callable[[str], None], pause: Callable[[float], object] = time.sleep
) -> None:
    """Everything but the report and computed.json. Raises ProjectError, Unreachable, BadInput, OSError."""
    manifest, writer = task.manifest, task.manifest.writers[task.chunk.writer]
    frames = _placed(task, done, writer)
    files = sorted({task.out / frame.file for frame in frames})
    packed = ARCHIVE_BYTES + sum(map(packed_size, files))
    if manifest.result_limit and packed > manifest.result_limit:
        say(f"{packed} bytes are more than the network carries: they are left for the artist elsewhere")
        _leave_elsewhere(task, files, pause)
    listed = FrameList(manifest.job, task.chunk.index, writer.name, frames, manifest.salt, manifest.schema)
    (task.out / LIST).write_bytes(listed.to_bytes())


def finish(task: Task) -> None:
    """The file that completes the task, after all others."""
    if task.manifest.sealed and task.manifest.schema > 1:
        _fill_up(task)
    computed = {"deterministic-output-path": str(task.out / LIST)}
    (task.out / "computed.json").write_text(json.dumps(computed))


def hand_over(task: Task, path: Path, to: Path) -> None:
    """As it is; in the first schema sealed for the artist alone."""
    if not task.manifest.results_for:
        shutil.move(str(path), str(to))
        return
    # cryptography, which an open job has no need to load
    from NatronIExec.seal import seal_for

    seal_for(task.manifest.results_for, path, to)
    path.unlink()


def packed_size(file: Path) -> int:
    """What a zip archive will make of it."""
    if file.stat().st_size > JUDGED_BYTES:
        return file.stat().st_size
    packer, count = zlib.compressobj(6), 0
    with file.open("rb") as content:
        for block in iter(lambda: content.read(_BLOCK), b""):
            count += len(packer.compress(block))
    return count + len(packer.flush())


def _placed(task: Task, done: Rendered, writer: ManifestWriter) -> Tuple[Frame, ...]:
    """Frames under short names."""
    frames: List[Frame] = []
    for (number, view), path in sorted(done.files.items()):
        name = _result_name((number, view), path.suffix, writer)
        to = task.out / "frames" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            hand_over(task, path, to)
        if task.manifest.hashes == "pixels":
            frames.append(Frame(number, view, f"frames/{name}", pixels=images.pixel_hash(to)))
        else:
            frames.append(Frame(number, view, f"frames/{name}", to.stat().st_size, sha256_of_file(to)))
    return tuple(frames[:1] if writer.movie else frames)


def _result_name(key: Key, suffix: str, writer: ManifestWriter) -> str:
    """At most MAX_RESULT_NAME long whatever the view is called: its place among the views stands for its name."""
    frame, view = key
    if writer.movie:
        return f"{MOVIE}{suffix}"
    return f"{frame:06d}{f'.{writer.views.index(view)}' if view else ''}{suffix}"


def _leave_elsewhere(task: Task, files: List[Path], pause: Callable[[float], object]) -> None:
    if not task.manifest.drop or not task.manifest.artist_key:
        raise ProjectError(
            f"These frames are larger than the network carries ({task.manifest.result_limit} bytes a task).",
            "Render fewer frames a task, or write a smaller format.",
        )
    from NatronIExec.seal import seal_for

    places: Dict[str, Tuple[str, int]] = {}
    for file in files:
        sealed = file.with_name(".sealed")
        seal_for(task.manifest.artist_key, file, sealed)
        places[file.relative_to(task.out).as_posix()] = (
            leave(task.manifest.drop, sealed, pause),
            sealed.stat().st_size,
        )
        sealed.unlink()
        file.unlink()
    (task.out / ELSEWHERE).write_bytes(Elsewhere(places).to_bytes())


def _fill_up(task: Task) -> None:
    """Noise, which no packing makes smaller, up to one of few sizes."""
    from NatronIExec.seal import padded_size

    packed = sum(packed_size(file) for file in task.out.rglob("*") if file.is_file())
    with (task.out / PADDING).open("wb") as padding:
        left = padded_size(packed) - packed
        while left > 0:
            padding.write(os.urandom(min(left, _BLOCK)))
            left -= _BLOCK
