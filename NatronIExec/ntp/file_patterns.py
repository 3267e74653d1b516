"""File names with frame and view tokens, spelled as Natron spells them, and what of them is on disk.

`FilePattern` follows NatronGitHub/SequenceParsing (generateFileNameFromPattern, matchesPattern_v2) token for token.
`Folders` answers "is it there" from one listing a folder, so that a sequence costs no stat a frame.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from NatronIExec.errors import Cancelled

_TOKEN = re.compile(r"#+|%0\d+d|%d|%[vV]|<UDIM>|%\(UDIM\)d")
_UDIM = frozenset({"<UDIM>", "%(UDIM)d"})
_VIEW = {"%v": r"(?P<v%d>[a-zA-Z]|view\d+)", "%V": r"(?P<v%d>[^/.]+?)"}
#: A frame number: as many digits as the token asks for, or more when none of them is a leading zero.
_NUMBER = r"(?P<f%d>-?(?:\d{%d}|[1-9]\d{%d,}))"
_MOVIES = frozenset(
    ["mov", "avi", "mp4", "m4v", "mkv", "webm", "mpg", "mpeg", "mts", "m2ts", "mxf", "ogv", "wmv", "flv", "3gp", "gif"]
)


@dataclass(frozen=True)
class FilePattern:
    """An absolute file name that may hold tokens: `#`, `%04d`, `%d` (frames), `%v`, `%V` (views), `<UDIM>` (tiles).
    The first `plain` characters hold none: Natron fills the name as it is written, and puts the folder of the project
    or the value of a variable before it afterwards."""

    text: str
    plain: int = 0

    @cached_property
    def _first_token(self) -> re.Match[str] | None:
        return _TOKEN.search(self.text, self.plain)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        return tuple(_TOKEN.findall(self.text, self.plain))

    @cached_property
    def has_frames(self) -> bool:
        return any(token not in _VIEW and token not in _UDIM for token in self.tokens)

    @cached_property
    def has_views(self) -> bool:
        return any(token in _VIEW for token in self.tokens)

    @cached_property
    def has_tiles(self) -> bool:
        return any(token in _UDIM for token in self.tokens)

    @cached_property
    def is_movie(self) -> bool:
        return os.path.splitext(self.text)[1].lower().lstrip(".") in _MOVIES

    @cached_property
    def root(self) -> str:
        """The longest folder above all tokens: what lies below it keeps its names in a snapshot."""
        at = self._first_token
        return os.path.dirname(self.text[: at.start()] if at else self.text) or "/"

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple([self.text[: self.plain], *re.split(f"({_TOKEN.pattern})", self.text[self.plain :])])

    def name(self, frame: int, view: int = 0, views: Sequence[str] = ("Main",)) -> str:
        """The file of a frame and a view, by Natron's rules: `%v` is the first letter in upper case."""
        return "".join(
            [part if digits is None else _fill(part, digits, frame, view, views) for part, digits in self._fills]
        )

    @cached_property
    def _fills(self) -> tuple[tuple[str, int | None], ...]:
        """Each part with the least number of digits of its frame number: 0 for a view, None for what stays as it is."""
        return ((self._parts[0], None), *((part, _digits(part)) for part in self._parts[1:]))

    @cached_property
    def _matcher(self) -> re.Pattern[str]:
        plain, *parts = self._parts
        return re.compile(re.escape(plain) + "".join(_expression(part, at) for at, part in enumerate(parts)), re.DOTALL)

    def frame_of(self, path: str) -> int | None:
        """The frame number that `path` holds where the pattern has its tokens; None when it does not match."""
        found = self._matcher.fullmatch(path)
        if not found:
            return None
        groups = found.groupdict()
        numbers = {int(text) for group, text in groups.items() if group[0] == "f"}
        views = {text for group, text in groups.items() if group[0] == "v"}
        if len(numbers) > 1 or len(views) > 1:
            return None
        return numbers.pop() if numbers else 0

    def on_disk(self, folders: Folders) -> dict[str, int]:
        """Every file that the pattern can mean, with its frame number, sorted; the same object each time."""
        known = folders.matched.get(self)
        if known is None:
            known = folders.matched[self] = self._search(folders)
        return known

    def _search(self, folders: Folders) -> dict[str, int]:
        candidates = [self.root]
        at = len(self.root.rstrip("/")) + 1
        for part in os.path.dirname(self.text)[at:].split("/"):
            inner = _TOKEN.search(part, max(self.plain - at, 0)) if part else None
            at += len(part) + 1
            if not part:
                continue
            candidates = [
                f"{folder.rstrip('/')}/{name}"
                for folder in candidates
                for name in (folders.folders(folder) if inner else [part])
            ]
        first = self._first_token
        start = self.text.rfind("/") + 1
        prefix = self.text[start : first.start()] if first and first.start() >= start else ""
        if first is None:
            prefix = self.text[start:]
        found = {}
        for folder in candidates:
            head = folder.rstrip("/") + "/"
            for name in folders.beginning_with(folder, prefix):
                frame = self.frame_of(head + name)
                if frame is not None:
                    found[head + name] = frame
        return dict(sorted(found.items())) if len(candidates) > 1 else found


def _digits(part: str) -> int | None:
    if part in _VIEW:
        return 0
    if part and not part.strip("#"):
        return len(part)
    if part == "%d":
        return 1
    if part.startswith("%0") and part.endswith("d") and part[2:-1].isdigit():
        return min(max(int(part[2:-1]), 1), 64)
    return None


def _fill(part: str, digits: int, frame: int, view: int, views: Sequence[str]) -> str:
    if digits:
        return str(frame).rjust(digits, "0")
    if part == "%v":
        return views[view][0].upper() if view < len(views) else ""
    return views[view] if view < len(views) else part


def _expression(part: str, at: int) -> str:
    if part in _VIEW:
        return _VIEW[part] % at
    if part in _UDIM:
        return rf"(?P<t{at}>1\d\d\d)"
    if part == "%d":
        return rf"(?P<f{at}>-?\d+)"
    digits = _digits(part)
    return re.escape(part) if digits is None else _NUMBER % (at, digits, digits)


class Folders:
    """What folders hold: each is listed once; sizes are asked for when a file is sent. Raises Cancelled between
    entries when asked to stop; a folder that cannot be read counts as empty."""

    def __init__(self, cancel: Callable[[], bool] | None = None) -> None:
        self._cancel = cancel
        self._listed: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {}
        self._ordered: dict[str, list[str]] = {}
        self.matched: dict[FilePattern, dict[str, int]] = {}
        self._sizes: dict[str, int | None] = {}
        self._asked: dict[str, int] = {}

    def names(self, folder: str) -> frozenset[str]:
        """Names of the files (and links to files) in `folder`."""
        return self._list(folder)[0]

    def beginning_with(self, folder: str, prefix: str) -> Iterator[str]:
        """Names of the files in `folder` that begin with `prefix`, sorted: a folder of many clips is not searched
        whole for each of them."""
        ordered = self._ordered.get(folder)
        if ordered is None:
            ordered = self._ordered[folder] = sorted(self.names(folder))
        for at in range(bisect_left(ordered, prefix), len(ordered)):
            if not ordered[at].startswith(prefix):
                return
            self._breathe(at)
            yield ordered[at]

    def _breathe(self, at: int) -> None:
        """Every few thousand entries: stop when asked to."""
        if self._cancel and not at % 4096 and self._cancel():
            raise Cancelled("The scan was cancelled.")

    def folders(self, folder: str) -> tuple[str, ...]:
        return self._list(folder)[1]

    def exists(self, path: str) -> bool:
        """Whether `path` is a file; the folder is listed once several of its files were asked for."""
        folder, name = os.path.split(path)
        if folder in self._listed:
            return name in self._listed[folder][0]
        asked = self._asked[folder] = self._asked.get(folder, 0) + 1
        if asked > 4:
            return name in self.names(folder)
        return self.size(path) is not None

    def size(self, path: str) -> int | None:
        """Bytes of the file `path`; None when it is none."""
        if path not in self._sizes:
            self._breathe(len(self._sizes))
            try:
                facts = os.stat(path)
                self._sizes[path] = facts.st_size if (facts.st_mode & 0o170000) == 0o100000 else None
            except (OSError, ValueError):
                self._sizes[path] = None
        return self._sizes[path]

    def _list(self, folder: str) -> tuple[frozenset[str], tuple[str, ...]]:
        known = self._listed.get(folder)
        if known is None:
            known = self._listed[folder] = self._read(folder)
        return known

    def _read(self, folder: str) -> tuple[frozenset[str], tuple[str, ...]]:
        files: list[str] = []
        below: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for at, entry in enumerate(entries):
                    self._breathe(at)
                    if entry.is_dir():
                        below.append(entry.name)
                    elif entry.is_file():  # no pipe or socket, and no link to a file that is gone
                        files.append(entry.name)
        except (OSError, ValueError):
            return frozenset(), ()
        return frozenset(files), tuple(sorted(below))
