"""Checks of where frames go on the artist's disk: what would only be found when they come back is said before they are
bought."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from NatronIExec.scan.check import ERROR, WARNING, Check
from NatronIExec.scan.output_paths import Targets

#: A drive or a share where a name in a folder is expected.
_WINDOWS = re.compile(r"(?:^|/)(?:[A-Za-z]:[/\\]|\\\\)")
#: Bytes; few frames fit into less.
LITTLE_ROOM = 100 << 20
#: Where the system does not say: what Windows takes without special settings.
_MAX_PATH, _MAX_NAME = 259, 255
_ELSEWHERE = "Allow writing there, or choose another folder for the frames."


def target_checks(writer: str, targets: Targets, frames: Sequence[int]) -> Iterator[Check]:
    """`frames` are those that `writer` is to render."""
    if not frames or not targets.extension:
        return
    if os.name != "nt" and _WINDOWS.search(targets.pattern):
        yield Check(
            ERROR,
            "windows-path",
            writer,
            f"Its frames would go to {_WINDOWS.split(targets.pattern)[-1]} on a drive of Windows, which is not here.",
            "Choose another folder for the frames (--out), or correct the Write node.",
        )
        return
    longest = [Path(path) for _, _, path in targets.files(sorted({min(frames), max(frames)}))]
    there = _existing(longest[0].parent)
    if not there.is_dir():
        yield Check(ERROR, "out-folder", writer, f"{there} is a file: no frames can be put below it.", _ELSEWHERE)
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Check(ERROR, "out-folder", writer, f"{there} cannot be written.", _ELSEWHERE)
    elif any(_too_long(path, there) for path in longest):
        name = longest[0].name
        yield Check(
            ERROR,
            "out-name",
            writer,
            f"The path of its frames is too long for this disk: {name[:40]}…",
            "Shorten the file name or choose a folder nearer to the top.",
        )
    else:
        free = shutil.disk_usage(there).free
        if free < LITTLE_ROOM:
            yield Check(
                WARNING,
                "out-room",
                writer,
                f"Only {free // 10**6} MB are free where its frames go ({there}).",
                "Make room; frames that do not fit wait until there is some.",
            )


def _existing(folder: Path) -> Path:
    """The nearest folder (or what is in its place) that is there already."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path) or path == path.parent)


def _too_long(path: Path, there: Path) -> bool:
    longest = max(len(os.fsencode(part)) for part in path.parts)
    return longest > _limit(there, "PC_NAME_MAX", _MAX_NAME) or len(os.fsencode(path)) > _limit(
        there, "PC_PATH_MAX", _MAX_PATH
    )


def _limit(folder: Path, name: str, unknown: int) -> int:
    """Bytes."""
    try:
        return os.pathconf(folder, name)
    except (AttributeError, OSError, ValueError):
        return unknown
