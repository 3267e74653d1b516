"""A private copy of the artist's project, from which everything else is read.

The copy is scanned, priced and sent; the artist goes on working in the meantime and their file is never touched.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from NatronIExec import paths
from NatronIExec.errors import OutputError
from NatronIExec.host.api import NatronWindow

#: What Natron writes anew at each save though nothing that is rendered changed.
_VOLATILE = re.compile(
    rb"<ProjectGui\b.*|<Timeline_current_time>[^<]*<|<Name>(?:lastSaveDate|lastAuthor)</Name>.*?</Value>", re.DOTALL
)

#: Copies that no window holds any more are removed when the next one is made.
KEEP_S = 7 * 86400


@dataclass(frozen=True)
class Snapshot:
    """`project`: the copy; `original`: the artist's file, None while it was never saved; `selected`: the writers that
    were selected in the graph; `digest`: of what is rendered, to see whether the project changed since."""

    project: Path
    original: Optional[Path]
    name: str
    writers: Tuple[str, ...]
    selected: Tuple[str, ...]
    frame_range: Tuple[int, int]
    digest: str


def take(window: NatronWindow) -> Snapshot:
    """Copy the project as it is on screen. Raises ProjectError or OutputError."""
    name = window.project_name() or "Untitled.ntp"
    copy = _folder() / name
    window.save_copy(copy)
    return Snapshot(
        project=copy,
        original=window.project_file(),
        name=name[:-4] if name.endswith(".ntp") else name,
        writers=tuple(window.writers()),
        selected=tuple(window.selected_writers()),
        frame_range=window.project_range(),
        digest=_digest(copy),
    )


def _folder() -> Path:
    """A new folder that only this user may read: a project is the artist's business."""
    root = paths.home() / "snapshots"
    try:
        paths.private_folder(root)
        _forget_old(root)
        return paths.private_folder(root / f"{int(time.time()):x}-{uuid.uuid4().hex[:8]}")
    except OSError as problem:
        raise OutputError(
            f"The folder {root} cannot be written: {problem.strerror}.",
            "Free some disk space or mend its permissions, then try again.",
        ) from problem


def _forget_old(root: Path) -> None:
    """Only files that we made, and only the flat folders of this root."""
    for folder in root.iterdir():
        if folder.is_dir() and not folder.is_symlink() and time.time() - folder.stat().st_mtime > KEEP_S:
            for file in folder.iterdir():
                if not file.is_dir():
                    os.unlink(str(file))
            if not any(folder.iterdir()):
                folder.rmdir()


def _digest(file: Path) -> str:
    return hashlib.sha256(_VOLATILE.sub(b"", file.read_bytes())).hexdigest()
