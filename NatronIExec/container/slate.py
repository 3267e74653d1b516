"""A stand-in that speaks NatronRenderer's command line, log and exit codes, its bad habits included, and draws slates.

For machines without Natron: the frames are real pictures that say frame, writer and project, and the log says "slate".
Like the real one it exits 0 when a frame failed, and makes a white picture of a frame whose input is missing.

Switches for drills, in NATRON_IEXEC_SLATE (comma-separated): `stall=N` never ends frame N, `crash=N` dies at frame N,
`skip=N` leaves frame N out, `cut=N` writes half a file; each happens once a job folder, as such things do. `stuck=N` is
a stall that happens every time.
"""

from __future__ import annotations

import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from NatronIExec import images

SIZE = (640, 360)
_TOKEN = re.compile(r"#+|%0?\d*d")


@dataclass
class _Asked:
    project: str = ""
    frames: List[int] = field(default_factory=list)
    writers: List[Tuple[str, Optional[str]]] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    print("NatronRenderer stand-in: slate renderer, not Natron", flush=True)
    try:
        asked = _parse(arguments)
    except ValueError as problem:
        return _refuse(f"{problem}")
    print(f"Loading project: {asked.project}", flush=True)
    try:
        writers, readers = _project(Path(asked.project))
    except (OSError, ElementTree.ParseError):
        print(
            "ERROR: Project loader: Error while loading project: Unrecognized or damaged project file", file=sys.stderr
        )
        return _refuse("Project file loading failed.")
    chosen = asked.writers or [(name, None) for name in writers]
    for name, _ in chosen:
        if name not in writers:
            return _refuse(f"{name} does not belong to the project file. Please enter a valid Write node script-name.")
    for name, output in chosen:
        _render(name, output or writers[name], asked, readers)
    return 0


def _refuse(why: str) -> int:
    print(f"ERROR: Natron: {why}", file=sys.stderr, flush=True)
    return 1


def _parse(arguments: Sequence[str]) -> _Asked:
    asked, left = _Asked(), list(arguments)
    while left:
        word = left.pop(0)
        if word in ("-w", "--writer"):
            name = left.pop(0)
            output = left.pop(0) if left and not left[0].startswith("-") and not left[0].endswith(".ntp") else None
            asked.writers.append((name, output))
        elif word in ("--setting", "-l", "--onload", "-c", "--cmd", "-i", "--reader"):
            left.pop(0)
        elif word.startswith("-"):
            continue
        elif word.endswith(".ntp"):
            asked.project = word
        elif asked.project and not asked.frames:
            asked.frames = _range(word)
        else:
            raise ValueError(f"unexpected argument {word}")
    if not asked.project:
        raise ValueError("no project given")
    return asked


def _range(text: str) -> List[int]:
    frames: List[int] = []
    for item in text.split(","):
        bounds, _, step = item.partition(":")
        first, _, last = bounds.partition("-")
        frames += range(int(first), int(last or first) + 1, int(step or 1))
    return frames


def _project(path: Path) -> Tuple[Dict[str, str], List[str]]:
    """Writers by script name with their file, and the files of all readers: enough for a slate."""
    writers: Dict[str, str] = {}
    readers: List[str] = []
    for node in ElementTree.parse(str(path)).iter():
        plugin = node.findtext("Plugin_id")
        if plugin not in ("fr.inria.built-in.Write", "fr.inria.built-in.Read"):
            continue
        file = _knob(node, "filename")
        if plugin.endswith("Write"):
            writers[node.findtext("Plugin_script_name") or ""] = file
        elif file:
            readers.append(file.replace("[Project]", str(path.parent)))
    return writers, readers


def _knob(node: ElementTree.Element, name: str) -> str:
    for knob in node.findall("item"):
        if knob.findtext("Name") == name:
            return knob.findtext("item/Value") or ""
    return ""


def _render(writer: str, pattern: str, asked: _Asked, readers: Sequence[str]) -> None:
    print(f"{writer} ==> Rendering started", flush=True)
    if pattern.rsplit(".", 1)[-1].lower() in ("mov", "mp4", "avi", "mkv"):
        print("Error while rendering: the slate renderer makes no movies", flush=True)
    else:
        for done, frame in enumerate(asked.frames, 1):
            _frame(writer, pattern, frame, asked, readers)
            print(
                f"{writer} ==> Frame: {frame}, Progress: {100 * done / len(asked.frames):.1f}%, 9.9 Fps, "
                "Time Remaining: 0 second",
                flush=True,
            )
    print(f"{writer} ==> Rendering finished", flush=True)


def _frame(writer: str, pattern: str, frame: int, asked: _Asked, readers: Sequence[str]) -> None:
    missing = [path for path in (_expand(reader, frame) for reader in readers) if not _present(path)]
    for path in missing:
        print(f"Persistent message: {path}: Cannot load frame", flush=True)
    drill = _drill(frame, Path(asked.project).parent)
    if drill in ("stall", "stuck"):
        while True:
            time.sleep(60)
    if drill == "crash":
        os._exit(139)
    if drill == "skip":
        return
    to = Path(_expand(pattern, frame))
    to.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{frame:04d}", writer, Path(asked.project).stem]
    images.draw_slate(to, SIZE, lines, shade=(frame % 24) / 24, white=bool(missing))
    if drill == "cut":
        os.truncate(str(to), to.stat().st_size // 2)


def _present(path: str) -> bool:
    """A reader whose clip is not on this machine at all is one that this chunk does not need."""
    return Path(path).exists() or not Path(path).parent.exists() or not any(Path(path).parent.iterdir())


def _expand(pattern: str, frame: int) -> str:
    def number(found: re.Match[str]) -> str:
        token = found.group()
        return str(frame).zfill(len(token)) if token[0] == "#" else token % frame

    return _TOKEN.sub(number, pattern)


def _drill(frame: int, folder: Path) -> str:
    for switch in filter(None, os.environ.get("NATRON_IEXEC_SLATE", "").split(",")):
        kind, _, at = switch.partition("=")
        mark = folder / f".{kind}-{at}"
        if at == str(frame) and (kind == "stuck" or not mark.exists()):
            mark.touch()
            return kind
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
