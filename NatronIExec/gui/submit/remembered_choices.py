"""What the artist chose last, by project and as named presets. Kept in our own state, never beside the project.

A remembered choice is a part of a Submission; paths of the project itself are not among it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from NatronIExec import paths
from NatronIExec.errors import OutputError
from NatronIExec.gui import faults

SCHEMA = 1

#: The keys of a Submission that are worth remembering, with what holds when nothing was chosen yet. `frames_from` is
#: ours: own, project or typed. `frames` is what was typed; a range of the project is never kept as numbers.
DEFAULTS: Dict[str, Any] = {
    "writers": [],
    "frames_from": "own",
    "frames": None,
    "chunk": None,
    "network": None,
    "workerpool": None,
    "max_price_nrlc": None,
    "out": None,
    "confidential": False,
    "trust": 1,
    "test_frames": "none",
    "only_missing": False,
    "extra_files": [],
    "exclude_files": [],
}

#: What a preset leaves out: it serves other projects too.
_OF_ONE_PROJECT = ("writers", "out", "extra_files", "exclude_files")


class Choices:
    """`folder` holds one small file a project and `presets.json`. A damaged file counts as nothing remembered."""

    def __init__(self, folder: Optional[Path] = None) -> None:
        self._folder = folder or paths.home() / "choices"

    def load(self, project: Optional[Path]) -> Dict[str, Any]:
        return _sound(_read(self._file(project)) if project else {})

    def save(self, project: Optional[Path], choice: Dict[str, Any]) -> None:
        """What cannot be written is not remembered, which is no reason to render nothing."""
        if project is None:
            return
        try:
            self._write(self._file(project), {key: choice[key] for key in DEFAULTS if key in choice})
        except OSError as problem:
            faults.log(f"The choices of {project} could not be kept: {problem}")

    def presets(self) -> List[str]:
        return sorted(_read(self._presets_file()), key=str.lower)

    def preset(self, name: str) -> Dict[str, Any]:
        kept = _read(self._presets_file()).get(name)
        sound = _sound(kept if isinstance(kept, dict) else {})
        return {key: value for key, value in sound.items() if key not in _OF_ONE_PROJECT}

    def save_preset(self, name: str, choice: Dict[str, Any]) -> None:
        """Raises OutputError."""
        presets = _read(self._presets_file())
        presets[name] = {key: choice[key] for key in DEFAULTS if key in choice and key not in _OF_ONE_PROJECT}
        self._write_presets(presets)

    def remove_preset(self, name: str) -> None:
        """Raises OutputError."""
        presets = _read(self._presets_file())
        presets.pop(name, None)
        self._write_presets(presets)

    def _file(self, project: Path) -> Path:
        return self._folder / (
            hashlib.sha256(str(project).encode("utf-8", "surrogateescape")).hexdigest()[:24] + ".json"
        )

    def _presets_file(self) -> Path:
        return self._folder / "presets.json"

    def _write_presets(self, presets: Dict[str, Any]) -> None:
        try:
            self._write(self._presets_file(), presets)
        except OSError as problem:
            raise OutputError(
                f"The presets cannot be written: {problem.strerror}.",
                f"Free some disk space or mend the permissions of {self._folder}, then try again.",
            ) from problem

    def _write(self, file: Path, content: Dict[str, Any]) -> None:
        paths.private_folder(self._folder)
        text = json.dumps({"schema": SCHEMA, "content": content}, ensure_ascii=False, indent=1)
        paths.write_atomic(file, text.encode("utf-8"))


def _read(file: Path) -> Dict[str, Any]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        content = stored["content"] if stored["schema"] == SCHEMA else {}
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _sound(stored: Dict[str, Any]) -> Dict[str, Any]:
    """Defaults, overridden by what was stored where it is of the right kind. A Submission is such a choice, too."""
    if stored.get("frames") and "frames_from" not in stored:
        stored = dict(stored, frames_from="typed")
    result = {key: list(value) if isinstance(value, list) else value for key, value in DEFAULTS.items()}
    for key, default in DEFAULTS.items():
        value = stored.get(key, default)
        expected = {bool: bool, int: int, list: list, str: str}.get(type(default))
        if expected is None or type(value) is expected:
            result[key] = value
    return result
