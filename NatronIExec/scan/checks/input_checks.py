"""Checks of what a render reads: files, colour config, fonts, and paths that only mean something on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

from NatronIExec.ntp.node_graph import is_reader
from NatronIExec.ntp.path_variables import mentions_environment
from NatronIExec.scan.check import ERROR, INFO, WARNING, Check, spoken
from NatronIExec.scan.checks.facts import Checker, Facts
from NatronIExec.scan.colour_config import DEFAULT
from NatronIExec.scan.scan_result import Missing
from NatronIExec.wording import count

_UNSAVED = "Untitled.ntp"
_SAID = {"OCIO": "$OCIO", "preference": "Natron's preferences", "project": "the project"}


def missing_files(facts: Facts) -> Iterator[Check]:
    """One finding a node: a clip may lack hundreds of frames."""
    by_node: dict[str, list[Missing]] = {}
    for gap in facts.missing:
        by_node.setdefault(gap.node, []).append(gap)
    for node, gaps in by_node.items():
        frames = sorted({frame for gap in gaps for frame in gap.frames})
        more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        when = f", needed for {'frame' if len(frames) == 1 else 'frames'} {spoken(frames)}" if frames else ""
        yield Check(
            ERROR,
            "missing-file",
            node if node in facts.graph.nodes else "",
            f"{gaps[0].path}{more} cannot be found{when}.",
            "Put the files there or correct the node; to render without them, exclude them.",
        )


def unreadable_formats(facts: Facts) -> Iterator[Check]:
    for name, placed in facts.reached.items():
        for clip in facts.clips.get(name, ()):
            extension = os.path.splitext(clip.pattern.text)[1].lower().lstrip(".")
            if extension and is_reader(placed) and extension not in facts.image.reads:
                yield Check(
                    ERROR,
                    "format-unreadable",
                    name,
                    f"Workers cannot read .{extension} files ({os.path.basename(clip.pattern.text)}).",
                    "Convert the clip to an image sequence, e.g. EXR, and read that.",
                )


def nothing_to_send(facts: Facts) -> Iterator[Check]:
    for flow in facts.flows:
        writer = flow.writer
        if not [edge for edge in facts.graph.inputs(writer)]:
            yield Check(
                ERROR,
                "writer-unconnected",
                writer.name,
                "Nothing is connected to it: there is nothing to render.",
                "Connect its input in Natron and save the project.",
            )
        elif not any(placed.name in facts.clips for placed in flow.reached()):
            yield Check(
                INFO,
                "no-reader",
                writer.name,
                "It reads no files: its pictures are made by nodes alone.",
                "Check that a reader is connected if you expected one.",
            )


def paths_without_project(facts: Facts) -> Iterator[Check]:
    """`[Project]` and relative names mean nothing before a project was saved somewhere."""
    knob = facts.graph.main.project.knobs.get("projectName")
    if (knob is None or knob.text != _UNSAVED) and facts.original.name != _UNSAVED:
        return
    for use in facts.reached_uses:
        text = use.text.strip()
        relative = text.startswith("[Project]") or not (os.path.isabs(text) or text.startswith(("[", "~")))
        if relative and use.kind in ("clip", "file", "project") and text[1:2] != ":":
            yield Check(
                ERROR,
                "unsaved-relative",
                use.node,
                f"{text} is relative to the project's folder, but the project was never saved.",
                "Save the project in Natron, then submit again.",
            )


def odd_paths(facts: Facts) -> Iterator[Check]:
    for use in facts.reached_uses:
        if use.kind == "output":
            continue
        unknown = use.home.variables.unknown(use.text)
        if unknown and not facts.folders.exists(use.pattern.text) and not use.pattern.on_disk(facts.folders):
            yield Check(
                ERROR,
                "unknown-variable",
                use.node,
                f"{use.text} begins with [{unknown}], which the project does not define.",
                f"Define {unknown} under Project Paths in the project settings, or write the whole path.",
            )
        if mentions_environment(use.text):
            yield Check(
                WARNING,
                "environment-variable",
                use.node,
                f"{use.text} mentions an environment variable; Natron takes it literally.",
                "Use a project path such as [Project] instead.",
            )


def linked_project(facts: Facts) -> Iterator[Check]:
    """A project that is opened through a link has two folders: Natron's command line and its file dialog differ."""
    here, there = os.path.dirname(os.path.abspath(facts.original)), os.path.dirname(os.path.realpath(facts.original))
    used = any(not os.path.isabs(use.text.strip()) and use.kind != "front" for use in facts.reached_uses)
    if used and os.path.realpath(here) != there:
        yield Check(
            WARNING,
            "linked-project",
            "",
            f"The project is a link to {there}: [Project] and relative names mean {here} here, as on Natron's command "
            "line; its file dialog may take the other folder.",
            f"Open and submit {os.path.realpath(facts.original)} itself if the files are beside that.",
        )


def empty_files(facts: Facts) -> Iterator[Check]:
    """No picture is in a file of no bytes; a render that is cut off leaves such."""
    empty: dict[str, list[str]] = {}
    for name in facts.reached:
        for clip in facts.clips.get(name, ()):
            found = [path for path in clip.disk if path in facts.files and facts.folders.size(path) == 0]
            if found:
                empty[name] = found
    for name, paths in empty.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Check(
            WARNING,
            "empty-file",
            name,
            f"{os.path.basename(paths[0])}{more} is empty: frames that need it would fail.",
            "Render or copy it again.",
        )


def expressions_of_names(facts: Facts) -> Iterator[Check]:
    for use in facts.reached_uses:
        if use.uncertain or use.kind == "folder":
            yield Check(
                WARNING,
                "name-by-expression",
                use.node,
                f"An expression makes the file name ({use.knob}); which file it means cannot be known here.",
                "All files of the folders that it names are sent; add others by hand if it names more.",
            )


def folders_named(facts: Facts) -> Iterator[Check]:
    for use in facts.reached_uses:
        if use.kind == "file" and use.why != "font" and os.path.isdir(use.pattern.text):
            yield Check(
                WARNING,
                "folder-not-sent",
                use.node,
                f"{use.knob} names a folder, {use.pattern.text}: what is in it is not sent.",
                "Add the files that the node needs by hand.",
            )


def colour_config(facts: Facts) -> Iterator[Check]:
    for config in facts.colour:
        by = _SAID.get(config.source, config.node)
        if config.path and not config.files:
            name = f"Natron's own config {config.stock}" if config.stock else config.path
            yield Check(
                ERROR,
                "colour-config-missing",
                config.node,
                f"The colour config {name} (from {by}) cannot be found: colours would be wrong.",
                "Set OCIO or Preferences > Color Management to a config that exists, and save the project again.",
            )
        elif config.lost:
            yield Check(
                WARNING,
                "colour-lut-missing",
                config.node,
                f"The colour config names {count(len(config.lost), 'LUT')} that cannot be found: {config.lost[0]}.",
                "Colour spaces that need it fail on workers as they would here; restore the file if you use them.",
            )
        if config.files:
            title = f"Colour config {config.path} (from {by}) is sent with {count(len(config.files) - 1, 'LUT')}."
            yield Check(INFO, "colour-config", config.node, title, "")
        elif config.stock == DEFAULT:
            yield Check(INFO, "colour-config", "", f"Natron's own colour config, {DEFAULT}, is used.", "")


def fonts(facts: Facts) -> Iterator[Check]:
    for font in facts.fonts:
        if not font.file:
            yield Check(
                WARNING,
                "font-missing",
                font.node,
                f"The font {font.family} is not on this machine: workers will take another one.",
                "Install it, or choose a font file in the node.",
            )
        elif font.file in facts.files:
            yield Check(INFO, "font", font.node, f"The font {os.path.basename(font.file)} is sent.", "")


CHECKERS: tuple[Checker, ...] = (
    missing_files,
    unreadable_formats,
    nothing_to_send,
    paths_without_project,
    odd_paths,
    linked_project,
    empty_files,
    expressions_of_names,
    folders_named,
    colour_config,
    fonts,
)
