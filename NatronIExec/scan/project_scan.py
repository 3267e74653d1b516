"""What a render needs, exactly, from the .ntp alone: writers, chunks, the files of each chunk, and what is wrong.

`scan` reads; `snapshot` packs what it found. Both follow the same rule: never too few files, as few as possible; where
the graph leaves something open, whole clips are sent and a check says so. How each construct is handled: docs/scan.md.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from NatronIExec.errors import BadInput, Cancelled
from NatronIExec.frames import MAX_FRAMES, cut
from NatronIExec.ntp.file_patterns import Folders
from NatronIExec.ntp.node_graph import Placed, build_graph, is_reader, is_writer
from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.ntp.parameters import Values
from NatronIExec.scan.check import in_order
from NatronIExec.scan.checks.all_checks import all_checks
from NatronIExec.scan.checks.facts import Facts
from NatronIExec.scan.clips import Clip, FolderClip, range_of
from NatronIExec.scan.colour_config import ColourConfig, find_colour_configs
from NatronIExec.scan.copied_nodes import copied_nodes
from NatronIExec.scan.file_uses import FileUse, precomp_uses, uses_of
from NatronIExec.scan.fonts import FontUse, fonts_of
from NatronIExec.scan.frame_flow import Flow, is_clip_holder
from NatronIExec.scan.moments import Times
from NatronIExec.scan.plugins import keeps_time, plugins_of, with_case
from NatronIExec.scan.scan_result import Missing, Scan, ScanChunk, ScanFile, frames_of
from NatronIExec.scan.spare_files import choose_spare, spare_checks
from NatronIExec.scan.worker_image import packaged_image
from NatronIExec.scan.writers import ScanWriter, choose, describe_writer, view_names
from NatronIExec.wording import count

__all__ = ["DEFAULT_CHUNK", "Missing", "Scan", "ScanChunk", "ScanFile", "scan"]

#: Frames a task when nobody chose.
DEFAULT_CHUNK = 10

#: Frames to render: of all writers, by writer, or (None) each writer's own.
Wanted = Sequence[int] | Mapping[str, Sequence[int]] | None


def scan(
    project: Path,
    *,
    original: Path | None = None,
    writers: Sequence[str] = (),
    frames: Wanted = None,
    chunk: int | None = None,
    extra_files: Iterable[Path | str] = (),
    exclude_files: Iterable[Path | str] = (),
    environment: Mapping[str, str] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Scan:
    """What rendering `frames` (by writer, or the same of all; None: each writer's own) of `writers` (none: all
    enabled) needs, `chunk` frames a task.

    `original` is the artist's file when `project` is a copy of it. `environment` is the artist's, read for OCIO; None
    when it is not known: then this process's own counts less than what the project remembers. Raises ProjectError when
    the project cannot be read, BadInput for a writer or frame that cannot be, Cancelled when `cancel` says so."""
    work = _Work(Path(project), Path(original or project), environment, progress, cancel)
    return work.run(tuple(writers), frames, chunk, tuple(extra_files), tuple(exclude_files))


class _Work:
    """One scan under way: what is known so far."""

    def __init__(
        self,
        project: Path,
        original: Path,
        environment: Mapping[str, str] | None,
        progress: Callable[[int, int, str], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self.project = project
        self.original = original
        self.environment = environment
        self.progress = progress or (lambda done, total, what: None)
        self.cancel = cancel or (lambda: False)
        self.folders = Folders(self.cancel)
        read = functools.partial(parse_project, progress=progress, cancel=cancel)
        self.graph = build_graph(with_case(read(project)), original, lambda path: with_case(read(path)))
        self._check_cancel()
        self.values = Values(self.graph)
        self.views = view_names(self.graph)
        self.uses = self._find_uses()
        self._check_cancel()
        self.clips = self._find_clips()
        self.files: dict[str, ScanFile] = {}
        self.gaps: dict[tuple[str, str], tuple[set[int], set[int]]] = {}
        self.chunks: list[ScanChunk] = []
        self.reached: dict[str, Placed] = {}
        self.copied: dict[str, Placed] = {}
        self.flows: list[Flow] = []
        self.looked_at: dict[str, tuple[str, ...]] = {}
        self._clip_numbers: dict[int, int] = {}
        self._clip_files: list[tuple[str, ...]] = []

    def _find_uses(self) -> dict[str, list[FileUse]]:
        uses = {placed.name: list(uses_of(placed, self.graph)) for placed in self.graph.nodes.values()}
        fronts = {front for found in uses.values() for use in found if use.kind == "clip" for front in self._shown(use)}
        for holder, knob in fronts:
            uses[holder] = [
                replace(use, kind="front") if use.knob == knob and use.kind == "file" else use for use in uses[holder]
            ]
        return uses

    def _shown(self, use: FileUse) -> Iterable[tuple[str, str]]:
        """The parameter of another node that a reader's file name follows."""
        found = self.graph.resolve(use.placed, use.knob) if use.placed else None
        if found and found[0] is not use.placed:
            yield found[0].name, found[1].name

    def _find_clips(self) -> dict[str, list[Clip]]:
        clips: dict[str, list[Clip]] = {}
        for placed in self.graph.nodes.values():
            self._check_cancel()
            if is_clip_holder(placed):
                prefix = placed.name + ":"
                nested = [node for node in self.graph.nodes.values() if node.home.prefix == prefix and is_writer(node)]
                self.uses[placed.name] += precomp_uses(placed, nested, self.graph)
            uses = [use for use in self.uses[placed.name] if use.kind in ("clip", "folder")]
            if any(use.kind == "clip" for use in uses) or (uses and is_reader(placed)):
                clips[placed.name] = [self._clip(placed, use) for use in uses]
        return clips

    def _clip(self, placed: Placed, use: FileUse) -> Clip:
        kind = FolderClip if use.kind == "folder" or use.uncertain else Clip
        return kind(placed, use.pattern, use.why, self.values, self.folders, self.views)

    def run(
        self,
        wanted: tuple[str, ...],
        frames: Wanted,
        chunk: int | None,
        extra: tuple[Path | str, ...],
        excluded: tuple[Path | str, ...],
    ) -> Scan:
        described = [self._describe(placed) for placed in self.graph.writers()]
        chosen = choose(self.graph, described, wanted)
        out = frozenset(os.path.abspath(path) for path in excluded)
        self.copied = copied_nodes(self.graph, [self.graph.nodes[writer.name] for writer in chosen])
        for writer in chosen:
            self._check_cancel()
            self._render(writer, frames, chunk, out)
        colour = find_colour_configs(
            list(self.reached.values()),
            self.graph,
            os.environ if self.environment is None else self.environment,
            self.folders,
            stated=self.environment is not None,
        )
        fonts = fonts_of(list(self.reached.values()), self.folders)
        everywhere = self._everywhere(colour, fonts, extra, out)
        chunks = tuple(self._with(everywhere))
        for _, in_chunks in self.gaps.values():
            if not in_chunks:
                in_chunks.update(c.index for c in chunks)
        facts = Facts(
            graph=self.graph,
            image=packaged_image(),
            values=self.values,
            original=self.original,
            described=described,
            chosen=tuple(chosen),
            named=wanted,
            frames=frames_of(self.chunks),
            flows=tuple(self.flows),
            reached=self.reached,
            uses=self.uses,
            clips=self.clips,
            files=frozenset(self.files),
            folders=self.folders,
            colour=colour,
            fonts=fonts,
            missing=self._missing(),
        )
        groups = [tuple(path for path in group if path not in out) for group in self._clip_files]
        spare = choose_spare(groups, {path: file.size for path, file in self.files.items()}, self.folders.size)
        return Scan(
            project=self.project,
            original=self.original,
            writers=tuple(described),
            files=tuple(self.files[path] for path in sorted(self.files)),
            chunks=chunks,
            missing=self._missing(),
            checks=in_order([*all_checks(facts), *spare_checks(spare)]),
            bytes_sent=sum(file.size for file in self.files.values()) + self.graph.main.project.size,
            bytes_whole_clips=self._whole_clips(),
            clips=tuple(groups),
            plugins=plugins_of(self.graph, self.reached.values()),
            uses=tuple(use for uses in self.uses.values() for use in uses),
            colour=colour,
            fonts=fonts,
            graph=self.graph,
            looked_at=self.looked_at,
            copied=frozenset(self.copied),
            spare=spare,
        )

    def _with(self, everywhere: set[str]) -> Iterator[ScanChunk]:
        """The chunks with the files that all get; equal lists stay one object."""
        before: tuple[str, ...] | None = None
        files: tuple[str, ...] = ()
        for chunk in self.chunks:
            if chunk.files is not before:
                before, files = chunk.files, tuple(sorted({*chunk.files, *everywhere})) if everywhere else chunk.files
            yield replace(chunk, files=files)

    def _describe(self, placed: Placed) -> ScanWriter:
        span = range_of(self.graph, self.clips, self.values, placed)
        return describe_writer(self.graph, self.values, placed, (int(span[0]), int(span[1])) if span else None)

    def _render(self, writer: ScanWriter, frames: Wanted, chunk: int | None, out: frozenset[str]) -> None:
        own = frames.get(writer.name) if isinstance(frames, Mapping) else frames
        asked: Sequence[int] = own if own is not None else writer.frames
        if (not asked and own is not None) or len(asked) > MAX_FRAMES:
            raise BadInput(f"{count(len(asked), 'frame')} cannot be rendered by {writer.name}.", "Choose other frames.")
        wanted = tuple(sorted(set(asked)))
        placed = self.graph.nodes[writer.name]
        flow = Flow(
            self.graph, self.values, self.clips, placed, keeps_time, self.views, self.copied, self._check_cancel
        )
        self._check_cancel()
        self.flows.append(flow)
        self.reached.update({placed.name: placed for placed in flow.reached()})
        still = self._still_files(flow, out)
        self.looked_at[writer.name] = self._looked_at(flow, out)
        views = (0,) if writer.movie else tuple(range(len(self.views)))
        size = len(wanted) if writer.movie else chunk or DEFAULT_CHUNK
        before: set[str] = set()
        ordered: tuple[str, ...] = ()
        for group in cut(wanted, size):
            index = len(self.chunks)
            files = still | self._chunk_files(flow, group, views, out, -(-len(wanted) // size))
            if files != before or not index:
                before, ordered = files, tuple(sorted(files))
            self.chunks.append(ScanChunk(index, writer.name, group, ordered))

    def _chunk_files(
        self, flow: Flow, frames: Sequence[int], views: Sequence[int], out: frozenset[str], of_chunks: int
    ) -> set[str]:
        """The files of the clips that the next chunk reads; what is missing is recorded as a gap."""
        files: set[str] = set()
        whole: set[int] = set()  # clips of which the chunk has every file already
        for frame in frames:
            self._check_cancel()
            self.progress(len(self.chunks), of_chunks, f"Finding what frame {frame} needs")
            for name, wanted in flow.at(frame, views).items():
                for clip in self.clips[name]:
                    if id(clip) in whole:
                        continue
                    if any(times is None for times in wanted.values()) and not clip.single:
                        whole.add(id(clip))
                    files.update(self._opened(clip, name, wanted, flow.now(frame), out))
        return files

    def _opened(
        self, clip: Clip, node: str, wanted: Mapping[int, Times], now: tuple[float, float], out: frozenset[str]
    ) -> Iterator[str]:
        """The files that a reader opens of a clip for the times `wanted` by view. `now` begins with the frame."""
        for view, times in wanted.items():
            for opened in clip.opened(times, view if clip.pattern.has_views else 0, now):
                if opened.path in out or not opened.path:
                    continue
                if opened.missing:
                    self._gap(opened.path, node, int(now[0]), len(self.chunks))
                    continue
                if opened.path not in self.files:
                    self._add(opened.path, node, clip.why, self._number_of(clip))
                yield opened.path

    def _check_cancel(self) -> None:
        if self.cancel():
            raise Cancelled("The scan was cancelled.")

    def _number_of(self, clip: Clip) -> int:
        if clip.single:
            return -1
        if id(clip) not in self._clip_numbers:
            self._clip_numbers[id(clip)] = len(self._clip_files)
            self._clip_files.append(tuple(clip.disk))
        return self._clip_numbers[id(clip)]

    def _add(self, path: str, node: str, why: str, clip: int = -1) -> bool:
        """Record a file; whether it is there."""
        size = self.folders.size(path)
        if path not in self.files:
            self.files[path] = ScanFile(path, node, why, size or 0, size is not None, clip)
        return size is not None

    def _gap(self, path: str, node: str, frame: int | None, chunk: int | None) -> None:
        if path not in self.files:
            self.files[path] = ScanFile(path, node, "missing", 0, False)
        frames, chunks = self.gaps.setdefault((path, node), (set(), set()))
        if frame is not None:
            frames.add(frame)
        if chunk is not None:
            chunks.add(chunk)

    def _still_files(self, flow: Flow, out: frozenset[str]) -> set[str]:
        """Files that do not change over time, of every node that takes part."""
        found = set()
        for placed in flow.reached():
            for use in self.uses[placed.name]:
                if use.kind in ("file", "project") or (use.kind == "folder" and placed.name not in self.clips):
                    found |= self._still(use, out)
        return found

    def _looked_at(self, flow: Flow, out: frozenset[str]) -> tuple[str, ...]:
        """Of every clip that takes part, what tells its size, and what Natron looks at while it loads the project."""
        clips = [(placed.name, clip) for placed in flow.reached() for clip in self.clips.get(placed.name, ())]
        found = [(name, clip, path) for name, clip in clips for path in clip.looked_at()]
        at_load = [(name, clip, times) for name, times in flow.at_load() for clip in self.clips[name]]
        found += [(name, clip, path) for name, clip, times in at_load for path in clip.there(times)]
        for name, clip, path in found:
            if path not in out:
                self._add(path, name, clip.why, self._number_of(clip))
        return tuple(sorted({path for _, _, path in found} - out))

    def _still(self, use: FileUse, out: frozenset[str]) -> set[str]:
        path = use.pattern.text
        if not path or path in out:
            return set()
        if use.kind == "folder" or os.path.isdir(path):
            return self._all_in(path, use) - out if use.kind == "folder" else set()
        if self.folders.exists(path):
            self._add(path, use.node, use.why)
            return {path}
        on_disk = use.pattern.on_disk(self.folders) if use.pattern.tokens else {}
        for other in on_disk:
            self._add(other, use.node, use.why)
        if not on_disk and use.why not in ("PyPlug", "script"):
            self._gap(path, use.node, None, None)
        return set(on_disk) - out

    def _all_in(self, folder: str, use: FileUse) -> set[str]:
        inside = [os.path.join(folder, name) for name in sorted(self.folders.names(folder))]
        return {path for path in inside if self._add(path, use.node, use.why)}

    def _everywhere(
        self,
        colour: Sequence[ColourConfig],
        fonts: Sequence[FontUse],
        extra: tuple[Path | str, ...],
        out: frozenset[str],
    ) -> set[str]:
        """Files that every chunk gets: colour config and its LUTs, fonts, and what the artist added by hand."""
        found = set()
        wanted = [(file, config.node, "colour config") for config in colour for file in config.files]
        wanted += [(font.file, font.node, "font") for font in fonts if font.file]
        for path in extra:
            absolute = os.path.abspath(path)
            if self.folders.size(absolute) is None:
                self._gap(absolute, "added by hand", None, None)
            else:
                wanted.append((absolute, "", "added by hand"))
        for path, node, why in wanted:
            if path not in out and self._add(path, node, why):
                found.add(path)
        return found

    def _missing(self) -> tuple[Missing, ...]:
        return tuple(
            Missing(path, node, tuple(sorted(frames)), tuple(sorted(chunks)))
            for (path, node), (frames, chunks) in sorted(self.gaps.items())
        )

    def _whole_clips(self) -> int:
        """Bytes that sending every clip whole would take."""
        paths = {path for name in self.reached for clip in self.clips.get(name, ()) for path in clip.disk}
        paths |= {file.path for file in self.files.values() if file.exists}
        return sum(self.folders.size(path) or 0 for path in paths) + self.graph.main.project.size
