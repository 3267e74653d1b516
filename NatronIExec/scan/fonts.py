"""Fonts of text nodes: a worker replaces a font that it does not have without a word, so they are sent.

OIIOText takes a font file or the name of one; Arena's Text takes a family, which fontconfig looks up, and extra font
files (`custom`: a file or a folder).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from NatronIExec.ntp.file_patterns import Folders
from NatronIExec.ntp.node_graph import Placed
from NatronIExec.ntp.ntp_reader import Span

OIIO_TEXT, ARENA_TEXT = "fr.inria.openfx.OIIOText", "net.fxarena.openfx.Text"
EXTENSIONS = (".ttf", ".otf", ".ttc", ".pfb")
#: The default of Arena's Text (its `font` is not saved then).
_ARENA_DEFAULT = "Arial"
#: Folders where OpenImageIO looks for a font by name (ImageBufAlgo::render_text), and fontconfig's usual ones.
_FOLDERS = (
    "~/.fonts",
    "~/.local/share/fonts",
    "~/fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
_LOOKUP_S = 10


@dataclass(frozen=True)
class FontUse:
    """A font of a text node. `family` is what the node asks for; `file` is absolute, "" when the font was not found.
    `span` is the text to rewrite, in the project with the prefix `home`; (0, 0) when the node names a family."""

    node: str
    file: str
    family: str = ""
    span: Span = (0, 0)
    home: str = ""


def fonts_of(reached: Sequence[Placed], folders: Folders) -> tuple[FontUse, ...]:
    """Every font that the nodes name, once a node and font; a node without one uses its plug-in's default."""
    library = _Library(folders)
    found: dict[FontUse, None] = {}
    for placed in reached:
        if placed.node.plugin == OIIO_TEXT:
            found.update(dict.fromkeys(_oiio(placed, library)))
        elif placed.node.plugin == ARENA_TEXT:
            found.update(dict.fromkeys(_arena(placed, library, folders)))
    return tuple(found)


def _oiio(placed: Placed, library: _Library) -> Iterator[FontUse]:
    for text, span in _texts(placed, "fontName"):
        path = placed.home.variables.resolve(text) if "/" in text or text.startswith("[") else library.by_name(text)
        yield FontUse(placed.name, path if path and library.exists(path) else "", text, span, placed.home.prefix)


def _arena(placed: Placed, library: _Library, folders: Folders) -> Iterator[FontUse]:
    families = [text for text, _ in _texts(placed, "font")] or [_ARENA_DEFAULT]
    knob = placed.knob("custom")
    extra = placed.home.variables.resolve(knob.text) if knob and knob.text else ""
    own = [f"{extra}/{name}" for name in sorted(folders.names(extra)) if name.lower().endswith(EXTENSIONS)]
    for path in own:
        yield FontUse(placed.name, path, os.path.basename(path))
    for family in dict.fromkeys(families):
        stems = {_plain(os.path.splitext(os.path.basename(path))[0]) for path in [*own, extra]}
        if _plain(family) not in stems:
            yield FontUse(placed.name, library.by_family(family), family)


def _texts(placed: Placed, name: str) -> Iterator[tuple[str, Span]]:
    knob = placed.knob(name)
    if knob is None:
        return
    texts = [(value.text, value.span) for value in knob.values] + [(text, span) for _, text, span in knob.strings]
    yield from ((text.strip(), span) for text, span in texts if text.strip())


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


class _Library:
    """Fonts of this machine. fontconfig is asked where it is installed; else files are compared by name."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._files: dict[str, str] | None = None
        self._matcher = shutil.which("fc-match")

    def exists(self, path: str) -> bool:
        return self._folders.exists(path)

    def by_name(self, name: str) -> str:
        """The file `name`, with or without its extension, in one of the font folders; "" for none."""
        stem = os.path.splitext(name)[0] if name.lower().endswith(EXTENSIONS) else name
        return self._all().get(_plain(stem), "")

    def by_family(self, family: str) -> str:
        """The file of a family's regular face; "" when fontconfig would take another family in its place."""
        path, _, families = self._match(family).partition("\n")
        if _plain(family) in {_plain(name) for name in families.split(",")} and os.path.isfile(path):
            return path
        return self.by_name(family) or self.by_name(family + "-Regular")

    def _match(self, family: str) -> str:
        """What fontconfig takes for a family: its file and, on a second line, that file's families."""
        if not self._matcher or "\0" in family:
            return ""
        pattern = re.sub(r"([\\:,-])", r"\\\1", family)
        command = [self._matcher, "-f", "%{file}\n%{family}", pattern]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=_LOOKUP_S, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            return ""

    def _all(self) -> dict[str, str]:
        if self._files is None:
            self._files = {}
            for folder in _FOLDERS:
                for at, _, names in os.walk(os.path.expanduser(folder)):
                    for name in sorted(names):
                        if name.lower().endswith(EXTENSIONS):
                            self._files.setdefault(_plain(os.path.splitext(name)[0]), os.path.join(at, name))
        return self._files
