"""Every place of a project where a file can be named (natron.md §5.4), as uses that can be sent and rewritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from NatronIExec.ntp.file_patterns import FilePattern
from NatronIExec.ntp.name_expressions import constant_text, folders_in
from NatronIExec.ntp.node_graph import PRECOMP, Graph, Home, Placed, is_reader, is_writer, pre_rendered
from NatronIExec.ntp.ntp_reader import Knob, KnobValue, Span

RUN_SCRIPT = "fr.inria.openfx.RunScript"
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
    """A file name in the project. `kind`: "clip" (a reader's pictures over time), "file", "folder" (all that is in it
    may be read), "output", "project", or "front" (a group's parameter that shows a reader's name: rewritten, not read).
    `pattern` is absolute; `span` is where its text is in the project file `home` ((0, 0): nowhere), `expression` that
    of the expression which made it; `uncertain` says that an expression decides, not the text."""

    placed: Placed | None
    home: Home
    knob: str
    text: str
    span: Span
    pattern: FilePattern
    why: str
    kind: str
    expression: Span = (0, 0)
    uncertain: bool = False

    @property
    def node(self) -> str:
        return self.placed.name if self.placed else "Project"


def uses_of(placed: Placed, graph: Graph) -> Iterator[FileUse]:
    """The file names that a node holds, in the order of its parameters; a clone's are its master's."""
    for knob in _knobs(placed, graph):
        if knob.type in _FILE_TYPES or (knob.name == "file" and knob.type == "String"):
            yield from _uses_of_knob(placed, graph, knob)
    if placed.node.module:
        yield _use(placed, "PythonModule", _module_file(placed.node.module), placed.node.module_span, "PyPlug", "file")


def _knobs(placed: Placed, graph: Graph) -> Iterator[Knob]:
    yield from placed.node.knobs.values()
    master = graph.master_of(placed)
    if master is not None:
        own = placed.node.knobs
        for knob in master.node.knobs.values():
            if knob.name not in own:
                yield replace(knob, values=tuple(replace(value, span=(0, 0)) for value in knob.values), strings=())


def _uses_of_knob(placed: Placed, graph: Graph, knob: Knob) -> Iterator[FileUse]:
    kind = _kind(placed, knob)
    if not kind or not knob.values:
        return
    holder, held = graph.resolve(placed, knob.name) or (placed, knob)
    if kind == "file" and holder is not placed:
        kind = {"clip": "front", "output": "output"}.get(_kind(holder, held), kind)
    value, why = knob.values[0], _why(placed, held, kind)
    source = held.values[0] if held.values else value
    if source.expression:
        yield from _by_expression(placed, holder, graph, knob, source, why, kind)
        return
    text = source.text
    if kind == "clip" and value.keys and knob.name == "filename":
        text = pattern_of_keyframed(text)
    if text:
        yield _use(placed, knob.name, text, value.span, why, kind, holder)
    if kind == "clip" and knob.name == "filename":
        return
    for _, text, span in knob.strings:
        if text:
            yield _use(placed, knob.name, text, span, why, kind)


def _by_expression(
    placed: Placed, holder: Placed, graph: Graph, knob: Knob, value: KnobValue, why: str, kind: str
) -> Iterator[FileUse]:
    """A file name that an expression makes. The copy that is sent holds the name in its place where it is certain;
    else every file of the folders that the expression speaks of is sent, and the name that was saved."""

    def lookup(name: str) -> str | int | float:
        return graph.constant(holder, name)

    own = knob.values[0]
    text = constant_text(value.expression, value.returns, lookup)
    if text:
        use = _use(placed, knob.name, text, own.span, why, kind, holder)
        yield replace(use, expression=own.expression_span)
        return
    if value.text:
        yield replace(_use(placed, knob.name, value.text, own.span, why, kind, holder), uncertain=True)
    for folder in folders_in(value.expression) if kind in ("clip", "file") else ():
        yield _use(placed, knob.name, folder + "/", (0, 0), "named by an expression", "folder", holder)


def _use(
    placed: Placed, knob: str, text: str, span: Span, why: str, kind: str, holder: Placed | None = None
) -> FileUse:
    pattern = (holder or placed).home.variables.pattern(text)
    if kind == "folder":
        pattern = FilePattern(pattern.text + "/", len(pattern.text) + 1)
    return FileUse(placed, placed.home, knob, text, span, pattern, why, kind)


def _is_of_this_load(knob: Knob) -> bool:
    """`[OCIO]` on a node: Natron sets it to the config of the machine that loads the project."""
    return knob.name == "ocioConfigFile" and knob.text.strip().startswith("[OCIO]")


def _kind(placed: Placed, knob: Knob) -> str:
    if _is_of_this_load(knob):
        return ""
    if knob.name in _NOT_READ or _EXPORT.search(knob.name):
        return "output"
    if knob.name == "projectFilename" and placed.node.plugin == PRECOMP:
        return "project"
    if placed.node.plugin == RUN_SCRIPT and knob.name.startswith("filename"):
        return "file"  # an output file to Natron, since it need not exist
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
    if placed.node.plugin == RUN_SCRIPT:
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


def precomp_uses(placed: Placed, writers: list[Placed], graph: Graph) -> Iterator[FileUse]:
    """The pictures that a pre-rendered Precomp shows: those that its chosen writer has written."""
    if not pre_rendered(placed):
        return
    knob = placed.knob("writeNode")
    chosen = [writer for writer in writers if knob and writer.name.endswith(":" + (knob.choice or knob.text))]
    for writer in chosen or writers[:1]:
        for use in uses_of(writer, graph):
            if use.knob == "filename":
                yield FileUse(placed, writer.home, use.knob, use.text, use.span, use.pattern, "pre-rendered", "clip")
