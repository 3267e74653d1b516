"""A stand-in that speaks NatronRenderer's command line, log and exit codes, its bad habits included, and draws slates.

For machines without Natron: the frames are real pictures that say frame, writer and project, and the log says "slate".
Like the real one it exits 0 when a frame failed, makes a white picture of a frame whose input is missing, and makes no
folder whose name has a view token. A movie is a stream of JPEG pictures, which players know by its content.

Switches for drills, in NATRON_IEXEC_SLATE (comma-separated): `stall=N` never ends frame N, `crash=N` dies at frame N,
`skip=N` leaves frame N out, `cut=N` writes half a file; each happens once a job folder, as such things do. `stuck=N` is
a stall that happens every time, `small=N` a frame of half the size, `quit=end` an abort when all is done, as the real
one has at times, `beside=N` a complaint about beside/matte.0001.png, which no picture shows, every time.
"""

from __future__ import annotations

import html
import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from NatronIExec import __version__, images

SIZE = (640, 360)
MOVIES = ("mov", "mp4", "avi", "mkv")
_TOKEN = re.compile(r"#+|%0?\d*d|%[vV]")


@dataclass
class _Project:
    """Writers by script name with their file, the files of all readers, and the views: enough for a slate."""

    writers: Dict[str, str] = field(default_factory=dict)
    readers: List[str] = field(default_factory=list)
    views: Sequence[str] = ("Main",)


@dataclass
class _Asked:
    project: str = ""
    frames: List[int] = field(default_factory=list)
    writers: List[Tuple[str, Optional[str]]] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    if "--version" in arguments:
        print(f"NatronRenderer stand-in: slate renderer version {__version__}", flush=True)
        return 1
    print("NatronRenderer stand-in: slate renderer, not Natron", flush=True)
    try:
        asked = _parse(arguments)
    except ValueError as problem:
        return _refuse(f"{problem}")
    print(f"Loading project: {asked.project}", flush=True)
    try:
        project = _project(Path(asked.project))
    except (OSError, ElementTree.ParseError):
        print(
            "ERROR: Project loader: Error while loading project: Unrecognized or damaged project file", file=sys.stderr
        )
        return _refuse("Project file loading failed.")
    chosen = asked.writers or [(name, None) for name in project.writers]
    for name, _ in chosen:
        if name not in project.writers:
            return _refuse(f"{name} does not belong to the project file. Please enter a valid Write node script-name.")
    for name, output in chosen:
        _render(name, output or project.writers[name], asked, project)
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


def _project(path: Path) -> _Project:
    found = _Project()
    for node in ElementTree.parse(str(path)).iter():
        plugin = node.findtext("Plugin_id")
        if node.findtext("Name") == "viewsList":
            text = node.findtext("item/Value") or ""
            found.views = [html.unescape(name) for name in re.findall("<Name>(.*?)</Name>", text)] or found.views
        if plugin not in ("fr.inria.built-in.Write", "fr.inria.built-in.Read"):
            continue
        file = _knob(node, "filename")
        if plugin.endswith("Write"):
            found.writers[node.findtext("Plugin_script_name") or ""] = file
        elif file:
            found.readers.append(file.replace("[Project]", str(path.parent)))
    return found


def _knob(node: ElementTree.Element, name: str) -> str:
    for knob in node.findall("item"):
        if knob.findtext("Name") == name:
            return knob.findtext("item/Value") or ""
    return ""


def _render(writer: str, pattern: str, asked: _Asked, project: _Project) -> None:
    print(f"{writer} ==> Rendering started", flush=True)
    views = project.views if "%v" in pattern.lower() else project.views[:1]
    folder = Path(pattern).parent
    if not _TOKEN.search(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    for done, frame in enumerate(asked.frames, 1):
        for view in views:
            if _frame(writer, pattern, frame, view, asked, project.readers):
                print(
                    f"{writer} ==> Frame: {frame}, Progress: {100 * done / len(asked.frames):.1f}%, 9.9 Fps, "
                    "Time Remaining: 0 second",
                    flush=True,
                )
    print(f"{writer} ==> Rendering finished", flush=True)
    if _drill("end", Path(asked.project).parent):
        os._exit(134)


def _frame(writer: str, pattern: str, frame: int, view: str, asked: _Asked, readers: Sequence[str]) -> bool:
    """Whether the renderer says that it is done."""
    missing = [path for path in (_expand(reader, frame, view) for reader in readers) if not _present(path)]
    for path in missing:
        print(f"Persistent message: {path}: Cannot load frame", flush=True)
    drill = _drill(frame, Path(asked.project).parent)
    if drill in ("stall", "stuck"):
        while True:
            time.sleep(60)
    if drill == "crash":
        os._exit(139)
    if drill == "skip":
        return True
    if drill == "beside":
        print(f"Persistent message: {Path(asked.project).parent}/beside/matte.0001.png: Cannot load frame", flush=True)
    to = Path(_expand(pattern, frame, view))
    if not to.parent.is_dir():
        print(f"Persistent message: Could not open file: {to}\nError while rendering: Rendering Failed", flush=True)
        return False
    lines = [f"{frame:04d}", writer, Path(asked.project).stem, *([view] if view != "Main" else [])]
    _draw(to, (SIZE[0] // 2, SIZE[1] // 2) if drill == "small" else SIZE, lines, (frame % 24) / 24, bool(missing))
    if drill == "cut":
        os.truncate(str(to), to.stat().st_size // 2)
    return True


def _draw(to: Path, size: Tuple[int, int], lines: Sequence[str], shade: float, white: bool) -> None:
    if to.suffix.lower().lstrip(".") not in MOVIES:
        images.draw_slate(to, size, lines, shade, white)
        return
    picture = to.with_name(to.name + ".jpg")
    images.draw_slate(picture, size, lines, shade, white)
    with to.open("ab") as movie:
        movie.write(picture.read_bytes())
    picture.unlink()


def _present(path: str) -> bool:
    """A reader whose clip is not on this machine at all is one that this chunk does not need."""
    return Path(path).exists() or not Path(path).parent.exists() or not any(Path(path).parent.iterdir())


def _expand(pattern: str, frame: int, view: str) -> str:
    def filled(found: re.Match[str]) -> str:
        token = found.group()
        if token[-1] in "vV":
            return view if token == "%V" else view[:1].upper()
        return str(frame).zfill(len(token)) if token[0] == "#" else token % frame

    return _TOKEN.sub(filled, pattern)


def _drill(frame: object, folder: Path) -> str:
    for switch in filter(None, os.environ.get("NATRON_IEXEC_SLATE", "").split(",")):
        kind, _, at = switch.partition("=")
        mark = folder / f".{kind}-{at}"
        if at == str(frame) and (kind in ("stuck", "small", "beside") or not mark.exists()):
            mark.touch()
            return kind
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
