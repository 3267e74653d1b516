"""Checks of writers: what they would write, where, and whether a worker can."""

from __future__ import annotations

import os
from collections.abc import Iterator

from NatronIExec.scan.check import ERROR, INFO, WARNING, Check, spoken
from NatronIExec.scan.checks.facts import Checker, Facts
from NatronIExec.wording import count


def no_writer(facts: Facts) -> Iterator[Check]:
    if facts.chosen:
        return
    if facts.described:
        yield Check(
            ERROR,
            "no-writer",
            "",
            "All Write nodes of the project are disabled.",
            "Enable one in Natron and save, or choose one.",
        )
    else:
        yield Check(ERROR, "no-writer", "", "The project has no Write node.", "Add one in Natron and save the project.")


def disabled(facts: Facts) -> Iterator[Check]:
    for writer in facts.described:
        if writer.enabled:
            continue
        if writer.name in facts.named:
            yield Check(
                ERROR,
                "writer-disabled",
                writer.name,
                f"{writer.reason} Nothing would be rendered.",
                "Enable it in Natron and save the project, or leave it out.",
            )
        elif not facts.named:
            yield Check(INFO, "writer-disabled", writer.name, f"{writer.reason} It is left out.", "")


def file_name(facts: Facts) -> Iterator[Check]:
    for writer in facts.chosen:
        pattern = writer.pattern
        frames = facts.frames.get(writer.name, ())
        if not writer.file:
            yield Check(ERROR, "writer-no-file", writer.name, "It has no file name.", "Choose one in the Write node.")
        elif writer.movie and writer.views:
            yield Check(
                ERROR,
                "movie-views",
                writer.name,
                f"{os.path.basename(writer.file)} is a movie for each view: workers make one movie a Write node.",
                "Take %V out of its name and put a OneView node before it, or render an image sequence.",
            )
        elif writer.movie:
            yield Check(
                INFO,
                "movie",
                writer.name,
                f"A movie is rendered by one worker, all {count(len(frames), 'frame')} in one task.",
                "Render an image sequence to share the work between workers.",
            )
        elif len(frames) > 1 and not pattern.has_frames:
            yield Check(
                ERROR,
                "single-image",
                writer.name,
                f"All {len(frames)} frames would be written to one file, {os.path.basename(writer.file)}.",
                f"Put #### into the file name, as in {_numbered(writer.file)}, or render one frame.",
            )
        elif not pattern.has_frames and writer.last > writer.first and list(frames) == [writer.last]:
            yield Check(
                WARNING,
                "single-image",
                writer.name,
                f"Its name has no place for a frame number: of {writer.first}-{writer.last} only {writer.last} is "
                "rendered, which is all that Natron would leave.",
                f"Choose another frame, or put #### into the file name, as in {_numbered(writer.file)}.",
            )


def _numbered(file: str) -> str:
    stem, extension = os.path.splitext(os.path.basename(file))
    return f"{stem}.####{extension}"


def format_of(facts: Facts) -> Iterator[Check]:
    for writer in facts.chosen:
        if writer.file and writer.format not in facts.image.writes:
            kind = f".{writer.format}" if writer.format else "no extension"
            yield Check(
                ERROR,
                "format-unwritable",
                writer.name,
                f"Its file name has {kind}: workers cannot write that.",
                "Choose a format such as .exr, .png or .mov.",
            )


def own_range(facts: Facts) -> Iterator[Check]:
    for writer in facts.chosen:
        frames = facts.frames.get(writer.name, ())
        if not frames:
            yield Check(
                ERROR,
                "range-empty",
                writer.name,
                f"Its frame range {writer.first}-{writer.last} is empty: nothing would be rendered.",
                "Set first and last frame in the Write node, or choose frames.",
            )
        elif min(frames) < 0:
            below = [frame for frame in frames if frame < 0]
            yield Check(
                ERROR,
                "frames-negative",
                writer.name,
                f"Frames below 0 ({spoken(below)}) cannot be given to Natron's renderer.",
                "Shift the range with a TimeOffset node so that it begins at 0 or later.",
            )
        if writer.enabled and writer.file and writer.reason:
            yield Check(WARNING, "range-unknown", writer.name, writer.reason, "Choose the frames if these are wrong.")


def overwrite(facts: Facts) -> Iterator[Check]:
    for writer in facts.chosen:
        knob = facts.graph.resolve(facts.node(writer.name), "overwrite")
        if knob is None or knob[1].text != "0" or not writer.file:
            continue
        pattern = writer.pattern
        there = [frame for frame in facts.frames.get(writer.name, ()) if facts.folders.exists(pattern.name(frame))]
        frames = f" ({count(len(there), 'frame')} of these: {spoken(there)})" if there else ""
        yield Check(
            WARNING,
            "overwrite-off",
            writer.name,
            f"Overwrite is off, so Natron would skip frames that exist{frames}; workers render all that are asked for.",
            "Choose to render only the missing frames to leave out those that exist.",
        )


def collisions(facts: Facts) -> Iterator[Check]:
    """Two writers that would write the same file."""
    clashing: dict[tuple[str, str], list[str]] = {}
    for path, (first, *others) in facts.written.items():
        for other in others:
            clashing.setdefault((first.name, other.name), []).append(path)
    for (first_name, second), paths in clashing.items():
        yield Check(
            ERROR,
            "output-collision",
            second,
            f"It writes the same files as {first_name}, e.g. {os.path.basename(paths[0])}"
            f" ({count(len(paths), 'file')}).",
            "Give one of them another file name or folder.",
        )


def reads_own_output(facts: Facts) -> Iterator[Check]:
    """A reader of what another writer of the same job writes sees what is on disk today."""
    said = set()
    for use in facts.reached_uses:
        if use.kind != "clip" or use.node in said:
            continue
        for clip in facts.clips.get(use.node, ()):
            read = (*clip.disk, clip.pattern.text)
            writers = {writer.name for path in read for writer in facts.written.get(path, ())}
            writers |= {writer.name for writer in facts.chosen if writer.file == clip.pattern.text}
            for name in sorted(writers):
                said.add(use.node)
                yield Check(
                    WARNING,
                    "reads-own-output",
                    use.node,
                    f"It reads what {name} writes: workers get the files as they are on disk now.",
                    f"Render {name} first, then this job.",
                )


CHECKERS: tuple[Checker, ...] = (
    no_writer,
    disabled,
    file_name,
    format_of,
    own_range,
    overwrite,
    collisions,
    reads_own_output,
)
