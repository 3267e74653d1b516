"""Shows frames that came back: a Read node beside the writer, or a reload of one that reads them already.

Only image files are ever loaded. A returned .ntp would run its Python inside Natron; nothing here opens one.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from NatronIExec.errors import BadInput
from NatronIExec.host.api import NatronWindow

#: What Natron's own readers decode.
IMAGES = frozenset(
    ("exr", "png", "tif", "tiff", "jpg", "jpeg", "jp2", "dpx", "cin", "tga", "bmp")
    + ("hdr", "pic", "sgi", "rgb", "rgba", "ppm", "pgm", "pbm", "pnm", "pfm", "psd", "webp")
)
_FRAME = re.compile(r"(\d+)(?=\.[^.]+$)")
#: How Natron writes a frame number in a file name.
_TOKEN = re.compile(r"#+|%0?(\d*)d")


def is_image(file: str) -> bool:
    return PurePath(file).suffix.lower().lstrip(".") in IMAGES


def sequences(rows: Iterable[Mapping[str, Any]]) -> List[Tuple[str, List[str]]]:
    """(writer, files) for each writer and view that has images here, of the engine's frame rows. No movies."""
    groups: Dict[Tuple[str, str], List[str]] = {}
    for row in rows:
        if row["state"] == "imported" and row["file"] and is_image(row["file"]):
            groups.setdefault((row["writer"], row["view"]), []).append(row["file"])
    return [(writer, files) for (writer, _), files in groups.items()]


def pattern_of(files: Iterable[str], raw: str = "") -> str:
    """The sequence that holds `files`: `beauty.0001.exr` → `beauty.####.exr` if `raw`, the writer's own file name, has
    its frame number there, or if there are several; else the single file, whatever number is in its name. Raises
    BadInput for none, and for anything that is not an image."""
    names = sorted(str(file) for file in files)
    if not names:
        raise BadInput("No frame of this render is here yet.", "Try again when the first one has come back.")
    for name in names:
        if not is_image(name):
            raise BadInput(f"{PurePath(name).name} is not an image, so it is not loaded.", "Open its folder instead.")
    path = Path(names[0])
    found = _number_by(raw, path.name) or (_number_of_several(names) if len(names) > 1 else None)
    if found is None:
        return str(path)
    start, end, digits = found
    return str(path.with_name(path.name[:start] + "#" * digits + path.name[end:]))


def _number_by(raw: str, name: str) -> Optional[Tuple[int, int, int]]:
    """Where `name` has the frame number that the pattern `raw` asks for, and its least digits."""
    own = PurePath(raw).name
    token = _TOKEN.search(own)
    if token is None:
        return None
    before, after = (re.sub("%[vV]", ".+", re.escape(part)) for part in (own[: token.start()], own[token.end() :]))
    found = re.fullmatch(f"{before}(-?\\d+){after}", name)
    digits = len(token.group()) if token.group().startswith("#") else int(token.group(1) or 1)
    return (*found.span(1), digits) if found else None


def _number_of_several(names: Sequence[str]) -> Optional[Tuple[int, int, int]]:
    """The last number before the extension; ## would not read frames 7 to 9 of 7, 8, 9, 10."""
    found = [number for number in (_FRAME.search(PurePath(name).name) for name in names) if number]
    return (*found[0].span(), min(len(number.group()) for number in found)) if len(found) == len(names) else None


def show_frames(window: NatronWindow, files: Iterable[str], writer: Optional[str]) -> Tuple[str, bool]:
    """Load `files` of one writer and view; returns (script name of the Read node, whether it was created now)."""
    names = list(files)
    reloaded = reload_frames(window, names)
    if reloaded:
        return reloaded[0], False
    beside = writer if writer in window.writers() else None
    made = window.create_reader(pattern_of(names, window.file_of(beside) if beside else ""), beside)
    _show_single(window, made, names)
    return made, True


def reload_frames(window: NatronWindow, files: Iterable[str]) -> List[str]:
    """Reload the Read nodes that read `files` already; creates none. The names of those reloaded."""
    names = sorted(files)
    pattern_of(names)  # only images are ever read
    readers = reading(window, names[0])
    for reader in readers:
        window.reload_reader(reader)
        _show_single(window, reader, names)
    return readers


def _show_single(window: NatronWindow, reader: str, files: Sequence[str]) -> None:
    """The first frame of a sequence that comes back alone stands where it belongs."""
    name = PurePath(files[0]).name
    number = _number_by(window.file_of(reader), name) if len(files) == 1 else None
    if number is not None:
        window.show_frame(reader, int(name[number[0] : number[1]]))


def reading(window: NatronWindow, file: str) -> List[str]:
    """Readers of `file` or of the sequence that it belongs to, however that is written, also relative to [Project]."""
    project = window.project_file()
    found = []
    for name, raw in window.readers():
        if project is not None:
            raw = raw.replace("[Project]", str(project.parent), 1) if raw.startswith("[Project]") else raw
            if not PurePath(raw).is_absolute():
                raw = str(project.parent / raw)
        if _reads(raw, file):
            found.append(name)
    return found


def _reads(raw: str, file: str) -> bool:
    pattern, path = PurePath(raw.replace("\\", "/")), PurePath(file.replace("\\", "/"))
    if pattern.parent != path.parent:
        return False
    return pattern.name == path.name or _number_by(pattern.name, path.name) is not None
