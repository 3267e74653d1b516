"""Project paths: `[Project]`, the artist's own variables, `~` and relative names, as Natron resolves them
(Engine/Project.cpp expandVariable, canonicalizePath). Variables of the operating system are not expanded, as Natron
does not either; `mentions_environment` finds them so that they can be said."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from NatronIExec.ntp.file_patterns import FilePattern
from NatronIExec.ntp.ntp_reader import Project

_PAIR = re.compile(r"<Name>(.*?)</Name>\s*<Value>(.*?)</Value>", re.DOTALL)
_ENVIRONMENT = re.compile(r"\$\{?\w+\}?|%\w{3,}%")
_WINDOWS = re.compile(r"[A-Za-z]:[/\\]|\\\\")
#: NATRON_PROJECT_ENV_VAR_MAX_RECURSION
_MAX_EXPANSIONS = 100


@dataclass(frozen=True)
class Variables:
    """Names and values of one project; `Project` is the folder of this load, not the saved one."""

    table: Mapping[str, str]

    @classmethod
    def of(cls, project: Project, original: Path) -> Variables:
        knob = project.knobs.get("projectPaths")
        table = dict(path_table(knob.text)) if knob else {}
        table["Project"] = os.path.dirname(os.path.abspath(original))
        return cls(table)

    def expand(self, text: str) -> str:
        """`text` with its leading variable replaced, again and again; at most 100 times."""
        for _ in range(_MAX_EXPANSIONS):
            name = text[1 : text.find("]")] if text.startswith("[") and "]" in text else ""
            if not name or name not in self.table or len(text) <= len(name) + 2:
                break
            text = self.table[name] + text[len(name) + 2 :]
            if len(text) > 4096:
                break
        return text

    def resolve(self, text: str) -> str:
        """The absolute name that `text` means, "" for none. Links are not followed: what is sent is what is named."""
        expanded = self.expand(text.strip())
        if not expanded or "\0" in expanded:
            return ""
        if expanded.startswith("~"):
            expanded = os.path.expanduser(expanded)
        if not os.path.isabs(expanded):
            expanded = os.path.join(self.table["Project"], expanded)  # a drive, too, where there are none
        return os.path.normpath(expanded)

    def pattern(self, text: str) -> FilePattern:
        """The file name that `text` means with its tokens: those that are written in it, not those that may stand in
        the folder of the project or in the value of a variable."""
        path = self.resolve(text)
        written = text.strip()
        before = self._put_before(written)
        if not path or not before:
            return FilePattern(path)
        shared = os.path.commonpath([os.path.normpath(before), path]) if os.path.isabs(before) else ""
        return FilePattern(path, len(shared))

    def _put_before(self, text: str) -> str:
        """What Natron puts before a text that begins with a variable, or is relative."""
        name = text[1 : text.find("]")] if text.startswith("[") and "]" in text else ""
        if name in self.table:
            return self.resolve(f"[{name}]/.")
        relative = not os.path.isabs(text) and not text.startswith("~")
        return self.table["Project"] if relative else ""

    def unknown(self, text: str) -> str:
        """The name of a leading variable that the project does not define, "" when all is well."""
        expanded = self.expand(text.strip())
        found = re.match(r"\[(\w+)\]", expanded)
        return found.group(1) if found and found.group(1) not in self.table else ""


def path_table(text: str) -> list[tuple[str, str]]:
    """The rows of a path table knob (KnobTable): name and value."""
    return [(html.unescape(name), html.unescape(value)) for name, value in _PAIR.findall(text)]


def is_windows_path(text: str) -> bool:
    """Whether a path begins with a drive or a share: on other systems Natron takes it for a name in the project's
    folder."""
    return bool(_WINDOWS.match(text.strip()))


def mentions_environment(text: str) -> bool:
    return bool(_ENVIRONMENT.search(text))
