"""Every place of a project where a file can be named (natron.md §5.4), as uses that can be sent and rewritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from NatronIExec.farm.graph import PRECOMP, Home, Placed, is_reader, is_writer, pre_rendered
from NatronIExec.farm.ntp import Knob, Span
from NatronIExec.farm.sequences import FilePattern

#: Parameter types of Natron that name files.
_FILE_TYPES = frozenset({"InputFile", "OutputFile", "Path"})
#: Files that a node writes, or that only its buttons read; never an input of a render.
_NOT_READ = frozenset({"export", "ocioExport", "userNatronFormat", "diskCachePath"})
_EXPORT = re.compile(r"export", re.IGNORECASE)
_PYPLUG_SUFFIX = ".py"

_WHY = {
    "filename": "picture",
    "proxy": "proxy",
    "ocioConfigFile": "colour config",
    "projectFilename": "nested project",
    "file": "file",
    "custom": "font",
    "audio": "audio",
    "subtitle": "subtitles",
    "pfFile": "lens",
}


@dataclass(frozen=True)
class FileUse:
    """A file name in the project. `kind`: "clip" (a reader's pictures over time), "file", "output" or "project".
    `pattern` is absolute; `span` is where its text is in the project file `home` ((0, 0): nowhere)."""

    placed: Placed | None
    home: Home
    knob: str
    text: str
    span: Span
    pattern: FilePattern
    why: str
    kind: str

    @property
    def node(self) -> str:
        return self.placed.name if self.placed else "Project"


def uses_of(placed: Placed) -> Iterator[FileUse]:
    """The file names that a node holds, in the order of its parameters."""
    for knob in placed.node.knobs.values():
        if knob.type in _FILE_TYPES or (knob.name == "file" and knob.type == "String"):
            yield from _uses_of_knob(placed, knob)
    if placed.node.module:
        yield _use(placed, "PythonModule", _module_file(placed.node.module), placed.node.module_span, "PyPlug", "file")


def _uses_of_knob(placed: Placed, knob: Knob) -> Iterator[FileUse]:
    kind = _kind(placed, knob)
    if not kind:
        return
    why = _why(placed, knob, kind)
    for value in knob.values[:1]:
        text = value.text
        if kind == "clip" and value.keys and knob.name == "filename":
            text = pattern_of_keyframed(text)
        if text:
            yield _use(placed, knob.name, text, value.span, why, kind)
        if kind == "clip" and knob.name == "filename":
            return
    for _, text, span in knob.strings:
        if text:
            yield _use(placed, knob.name, text, span, why, kind)


def _use(placed: Placed, knob: str, text: str, span: Span, why: str, kind: str) -> FileUse:
    return FileUse(placed, placed.home, knob, text, span, FilePattern(placed.home.variables.resolve(text)), why, kind)


def _kind(placed: Placed, knob: Knob) -> str:
    if knob.name in _NOT_READ or _EXPORT.search(knob.name):
        return "output"
    if knob.name == "projectFilename" and placed.node.plugin == PRECOMP:
        return "project"
    if is_writer(placed) and knob.name == "filename" or knob.type == "OutputFile":
        return "output"
    if is_reader(placed) and knob.name in ("filename", "proxy"):
        return "clip"
    return "file"


def _why(placed: Placed, knob: Knob, kind: str) -> str:
    if kind == "clip":
        pattern = FilePattern(knob.text)
        if knob.name == "proxy":
            return "proxy"
        return "movie" if pattern.is_movie else "sequence" if pattern.tokens else "still"
    if "RunScript" in placed.node.plugin:
        return "script"
    if "OCIO" in placed.node.plugin and knob.name == "file":
        return "LUT"
    return _WHY.get(knob.name, "file")


def _module_file(module: str) -> str:
    return module if module.endswith(_PYPLUG_SUFFIX) else module + _PYPLUG_SUFFIX


def pattern_of_keyframed(text: str) -> str:
    """Very old projects kept one keyframe a file; Natron makes a pattern of the last number in the name
    (KnobSerialization.h, FileNameContent::generatePatternWithFrameNumberAtIndex)."""
    folder, name = os.path.split(text)
    stem, extension = os.path.splitext(name)
    numbers = list(re.finditer(r"\d+", stem))
    if not numbers or FilePattern(text).tokens:
        return text
    last = numbers[-1]
    return os.path.join(folder, stem[: last.start()] + "#" * len(last.group()) + stem[last.end() :] + extension)


def precomp_uses(placed: Placed, writers: list[Placed]) -> Iterator[FileUse]:
    """The pictures that a pre-rendered Precomp shows: those that its chosen writer has written."""
    if not pre_rendered(placed):
        return
    knob = placed.knob("writeNode")
    chosen = [writer for writer in writers if knob and writer.name.endswith(":" + (knob.choice or knob.text))]
    for writer in chosen or writers[:1]:
        for use in uses_of(writer):
            if use.knob == "filename":
                yield FileUse(placed, writer.home, use.knob, use.text, use.span, use.pattern, "pre-rendered", "clip")
