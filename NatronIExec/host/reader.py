"""Shows frames that came back: a Read node beside the writer, or a reload of one that reads them already.

Only image files are ever loaded. A returned .ntp would run its Python inside Natron; nothing here opens one.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Iterable, List, Optional, Tuple

from NatronIExec.errors import BadInput
from NatronIExec.host.api import NatronWindow

#: What Natron's own readers decode.
IMAGES = frozenset(
    ("exr", "png", "tif", "tiff", "jpg", "jpeg", "jp2", "dpx", "cin", "tga", "bmp")
    + ("hdr", "pic", "sgi", "rgb", "rgba", "ppm", "pgm", "pbm", "pnm", "pfm", "psd", "webp")
)
_FRAME = re.compile(r"(\d+)(?=\.[^.]+$)")
_TOKEN = re.compile(r"#+|%0?\d*d|\d+(?=\.[^.]+$)")


def pattern_of(files: Iterable[str]) -> str:
    """The sequence that holds `files`: `beauty.0001.exr` → `beauty.####.exr`; a single numberless file is itself.
    Raises BadInput for none, and for anything that is not an image."""
    names = [str(file) for file in files]
    if not names:
        raise BadInput("No frame of this render is here yet.", "Try again when the first one has come back.")
    for name in names:
        if PurePath(name).suffix.lower().lstrip(".") not in IMAGES:
            raise BadInput(f"{PurePath(name).name} is not an image, so it is not loaded.", "Open its folder instead.")
    path = Path(names[0])
    number = _FRAME.search(path.name)
    if number is None:
        return str(path)
    return str(path.with_name(path.name[: number.start()] + "#" * len(number.group(1)) + path.name[number.end() :]))


def show_frames(window: NatronWindow, files: Iterable[str], writer: Optional[str]) -> Tuple[str, bool]:
    """Load `files` of one writer and view; returns (script name of the Read node, whether it was created now)."""
    pattern = pattern_of(files)
    existing = reading(window, pattern)
    if existing:
        for name in existing:
            window.reload_reader(name)
        return existing[0], False
    beside = writer if writer in window.writers() else None
    return window.create_reader(pattern, beside), True


def reload_frames(window: NatronWindow, files: Iterable[str]) -> List[str]:
    """Reload the Read nodes that read `files` already; creates none. The names of those reloaded."""
    names = reading(window, pattern_of(files))
    for name in names:
        window.reload_reader(name)
    return names


def reading(window: NatronWindow, pattern: str) -> List[str]:
    """Readers of the same sequence, however its frame number is written, also relative to [Project]."""
    wanted = _same(pattern)
    project = window.project_file()
    found = []
    for name, raw in window.readers():
        if project is not None:
            raw = raw.replace("[Project]", str(project.parent), 1) if raw.startswith("[Project]") else raw
            if not PurePath(raw).is_absolute():
                raw = str(project.parent / raw)
        if _same(raw) == wanted:
            found.append(name)
    return found


def _same(pattern: str) -> str:
    path = PurePath(pattern.replace("\\", "/"))
    return str(path.with_name(_TOKEN.sub("#", path.name))) if path.name else pattern
