"""What the artist chose last, by project and as named presets. Kept in our own state, never beside the project.

A choice holds the fields of a Submission that are worth remembering, so not the paths of the project itself, and
`frames_from`: own, project or typed. Its `frames` is what was typed; a range of the project is never kept as numbers.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from NatronIExec import paths, submission
from NatronIExec.errors import OutputError
from NatronIExec.gui import faults

SCHEMA = 1

#: Fields of a Submission that are another one each time, or that the dialog does not show.
_NOT_CHOSEN = ("original", "frames_of", "category", "ocio")

#: What a preset leaves out: it serves other projects too.
_OF_ONE_PROJECT = ("writers", "out", "extra_files", "exclude_files")


def nothing_chosen() -> Dict[str, Any]:
    """The choice before any: `network` is the one of the settings then."""
    chosen = {name: value for name, value in submission.defaults().items() if name not in _NOT_CHOSEN}
    return {**chosen, "network": None, "frames_from": "own"}


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
            self._write(self._file(project), {key: choice[key] for key in nothing_chosen() if key in choice})
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
        presets[name] = {key: choice[key] for key in nothing_chosen() if key in choice and key not in _OF_ONE_PROJECT}
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
    result = nothing_chosen()
    for key in result:
        if key in stored and _fits(key, stored[key]):
            result[key] = stored[key]
    return result


def _fits(key: str, value: Any) -> bool:
    if key == "frames_from":
        return value in ("own", "project", "typed")
    return (key == "network" and value is None) or not submission.problem_of(key, value)
