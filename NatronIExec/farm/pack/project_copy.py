"""The copy of the project that is sent: it has the worker's paths and holds nothing about the artist's machine.

Text is replaced at the byte offsets that the parser remembered, so everything else stays byte-identical. The original
is only read, never written or locked. The main project names files below `manifest.JOB_ROOT`, which the worker
replaces; nested projects, which it does not touch, name them relative to `[Project]`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from NatronIExec.errors import Conflict, ProjectError
from NatronIExec.farm.pack.colour_copy import place_colour
from NatronIExec.manifest import JOB_ROOT
from NatronIExec.ntp.node_graph import Home, Placed
from NatronIExec.ntp.ntp_reader import Span
from NatronIExec.ntp.path_variables import path_table
from NatronIExec.ntp.rewriting import Scrubber, escape, replace_spans
from NatronIExec.ntp.trimming import Trim, trim
from NatronIExec.scan.file_uses import FileUse
from NatronIExec.scan.scan_result import Scan

PROJECT = "project.ntp"
_PERSONAL = ("originalAuthor", "lastAuthor", "projectPath")
_READ = frozenset({"clip", "file", "folder"})
_FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Snapshot:
    """What to send. `project` is the rewritten copy, laid out as `PROJECT` on the worker. `files` are (source, path
    below the job folder), each job path once; `of` says where a file of the scan went (more than once if the project
    names it in two ways; also of `Scan.spare`, whose files are not in `files`). `environment` values may hold JOB_ROOT.
    `left` are absolute paths that could not be removed from texts of the project."""

    project: Path
    files: tuple[tuple[Path, str], ...]
    environment: Mapping[str, str]
    left: tuple[tuple[str, str], ...] = ()
    placed: Mapping[str, tuple[tuple[Path, str], ...]] = field(default_factory=dict, repr=False)
    stamps: Mapping[str, Stamp] = field(default_factory=dict, repr=False)

    def of(self, path: str) -> tuple[tuple[Path, str], ...]:
        """(source, job path) of a path in `ScanChunk.files`."""
        return self.placed.get(path, ())

    def changed(self) -> tuple[Path, ...]:
        """Sources that changed since the snapshot was made; sending them would mix two versions of the project."""
        return tuple(Path(path) for path, stamp in self.stamps.items() if stamp_of(path) != stamp)

    def require_unchanged(self) -> None:
        """Raises Conflict when a source changed since the snapshot."""
        changed = self.changed()
        if changed:
            raise Conflict(
                f"{changed[0].name} changed while the job was packed"
                + (f", and {len(changed) - 1} more." if len(changed) > 1 else "."),
                "Wait until it is written completely, then submit again.",
                files=[str(path) for path in changed[:20]],
            )


def stamp_of(path: str) -> Stamp | None:
    """Size, time of change and inode; None when the file is gone."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def snapshot(scan: Scan, to: Path) -> Snapshot:
    """Write the rewritten project (and whatever else must be rewritten) into the folder `to`. Raises ProjectError when
    the project changed since the scan."""
    if scan.graph is None:
        raise ProjectError("This scan was read back from a record.", "Scan the project again.")
    return _Packing(scan, to).run()


class _Packing:
    def __init__(self, scan: Scan, to: Path) -> None:
        assert scan.graph is not None
        self.scan = scan
        self.graph = scan.graph
        self.to = to
        self.roots: dict[str, str] = {}
        self.placed: dict[str, dict[str, Path]] = {}
        self.left: list[tuple[str, str]] = []
        self.nested: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.font_names: dict[str, str] = {}

    def run(self) -> Snapshot:
        self.to.mkdir(parents=True, exist_ok=True)
        self._name_roots()
        stamps = {file.path: stamp_of(file.path) for file in self.scan.files if file.exists}
        stamps[str(self.scan.project)] = stamp_of(str(self.scan.project))
        self._place_files()
        for config in self.scan.colour:
            if config.files:
                place_colour(config, self.roots[os.path.dirname(config.path)], self.to, self._put, self.environment)
        self._fonts()
        self._pyplugs()
        written = self._projects()
        files = {job: source for jobs in self.placed.values() for job, source in jobs.items()}
        besides = {path for path, _ in (*self.scan.spare.along, *self.scan.spare.left)}
        sent = {job for path, jobs in self.placed.items() if path not in besides for job in jobs}
        return Snapshot(
            written,
            tuple((files[job], job) for job in sorted(files) if job in sent),
            self.environment,
            tuple(dict.fromkeys(self.left)),
            {path: tuple((source, job) for job, source in sorted(jobs.items())) for path, jobs in self.placed.items()},
            {path: stamp for path, stamp in stamps.items() if stamp is not None},
        )

    def _name_roots(self) -> None:
        """Folders of the artist's machine, each under a name of ours, in a stable order."""
        roots = {use.pattern.root for use in self.scan.uses if use.pattern.text and use.kind in _READ}
        roots |= {use.pattern.text for use in self.scan.uses if use.kind == "file" and os.path.isdir(use.pattern.text)}
        roots |= {os.path.dirname(config.path) for config in self.scan.colour if config.files}
        roots |= {os.path.dirname(file.path) for file in self.scan.files if not self._is_below(file.path, roots)}
        self.roots = {root: f"in/d{at:04d}" for at, root in enumerate(sorted(roots), 1)}
        nested = sorted({str(home.project.path) for home in self.graph.homes[1:]})
        self.nested = {os.path.abspath(path): f"projects/p{at:04d}.ntp" for at, path in enumerate(nested, 1)}

    def _is_below(self, path: str, roots: set[str]) -> bool:
        folder = os.path.dirname(path)
        while True:
            if folder in roots:
                return True
            above = os.path.dirname(folder)
            if above == folder:
                return False
            folder = above

    def _place_files(self) -> None:
        """Each file below every root from which the project names it: its own folder, or the token-free part of a
        pattern above it."""
        patterned: dict[str, set[str]] = {}
        for use in self.scan.uses:
            if use.pattern.tokens and use.kind in _READ:
                patterned.setdefault(use.pattern.root, set()).add(os.path.dirname(use.pattern.text))
        in_configs = {path for config in self.scan.colour for path in config.files}
        paths = [file.path for file in self.scan.files if file.exists and file.why != "nested project"]
        spare = [path for path, _ in (*self.scan.spare.along, *self.scan.spare.left)]
        for path in (*paths, *spare):
            for root in self._roots_of(path, patterned) if path not in in_configs else ():
                self._put(path, f"{self.roots[root]}/{os.path.relpath(path, root)}", Path(path))

    def _roots_of(self, path: str, patterned: Mapping[str, set[str]]) -> Iterator[str]:
        own = os.path.dirname(path)
        if own in self.roots:
            yield own
        folder = own
        while folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
            if any(named != folder for named in patterned.get(folder, ())):
                yield folder

    def _put(self, path: str, job: str, source: Path) -> None:
        self.placed.setdefault(path, {})[job.replace(os.sep, "/")] = source

    def _fonts(self) -> None:
        """Fonts in a folder of their own, with a fontconfig file that knows it; each chunk that gets a font gets it."""
        config = self.to / "fonts.conf"
        for font in self.scan.fonts:
            if font.file:
                name = self.font_names.setdefault(
                    font.file, f"fonts/{len(self.font_names):02d}-{os.path.basename(font.file)}"
                )
                self._put(font.file, name, Path(font.file))
                self._put(font.file, "fonts/fonts.conf", config)
        if self.font_names:
            config.write_text(_FONTS_CONF, "utf-8")
            self.environment["FONTCONFIG_FILE"] = f"{JOB_ROOT}/fonts/fonts.conf"

    def _pyplugs(self) -> None:
        """Folders with the artist's own PyPlugs, so that their callbacks can be imported."""
        modules = [file.path for file in self.scan.files if file.why == "PyPlug" and file.exists]
        folders = dict.fromkeys(os.path.dirname(job) for path in modules for job in self.placed.get(path, ()))
        if folders:
            self.environment["NATRON_PLUGIN_PATH"] = ":".join(f"{JOB_ROOT}/{folder}" for folder in folders)

    def _projects(self) -> Path:
        for home in self.graph.homes[1:]:
            job = self.nested[os.path.abspath(home.project.path)]
            target = self.to / os.path.basename(job)
            if not target.exists():
                target.write_bytes(self._rewritten(home, "[Project]/.."))
            self._put(os.path.abspath(home.project.path), job, target)
        target = self.to / PROJECT
        target.write_bytes(self._rewritten(self.graph.main, JOB_ROOT))
        return target

    def _rewritten(self, home: Home, base: str) -> bytes:
        """The project file with every path replaced; `base` begins the new ones."""
        content = home.project.path.read_bytes()
        if hashlib.sha256(content).digest() != home.project.sha256:
            raise Conflict(f"{home.project.path.name} changed while it was being packed.", "Submit it again.")
        new: dict[Span, str] = dict(self._personal(home, base))
        for use in self.scan.uses:
            if use.home.project is home.project:
                new[use.span] = self._new_text(use, base)
                new[use.expression] = ""
        for font in self.scan.fonts:
            if font.file and font.span != (0, 0) and font.home == home.prefix:
                new[font.span] = f"{base}/{self.font_names[font.file]}"
        new.pop((0, 0), None)
        cut = self._cut(home, content)
        new |= cut.counts
        folders = Scrubber(self.roots, home.variables.table["Project"], base)
        for placed in self.graph.nodes.values():
            if placed.home is home and (home is not self.graph.main or placed.name in self.scan.copied):
                texts = (text for text, span in _texts(placed) if span not in new and "/" in text)
                self.left += [(placed.name, found) for text in texts for found in folders.left_in(text)]
        return folders.scrubbed(replace_spans(content, new, (*cut.dropped, home.project.gui), cut.inserted))

    def _cut(self, home: Home, content: bytes) -> Trim:
        """What of the artist's own project is left out: nodes that no chosen writer needs."""
        return trim(content, home.project, self.scan.copied) if home is self.graph.main else Trim()

    def _personal(self, home: Home, base: str) -> Iterator[tuple[Span, str]]:
        for name in _PERSONAL:
            knob = home.project.knobs.get(name)
            if knob and knob.values and knob.text:
                yield knob.values[0].span, ""
        table = home.project.knobs.get("projectPaths")
        if table and table.values and table.text:
            rows = ((name, base if name == "Project" else f"{base}/in") for name, _ in path_table(table.text))
            yield table.values[0].span, "".join(f"<Name>{escape(n)}</Name><Value>{v}</Value>" for n, v in rows)

    def _new_text(self, use: FileUse, base: str) -> str:
        """The path as the worker will have it. A Precomp opens its project by the plain name."""
        path = use.pattern.text
        if not path:
            return use.text
        if use.kind == "output":
            return f"{base}/out/{os.path.basename(path)}"
        if path in self.nested:
            return f"{base}/{self.nested[path]}"
        if path in self.roots:
            return f"{base}/{self.roots[path]}"
        root = use.pattern.root
        return f"{base}/{self.roots.get(root, 'in/none')}/{os.path.relpath(path, root)}"


def _texts(placed: Placed) -> Iterator[tuple[str, Span]]:
    """Texts of a node that are no file names: labels, scripts, expressions."""
    for knob in placed.node.knobs.values():
        yield from ((value.expression, value.expression_span) for value in knob.values if value.expression)
        if knob.type in ("String", "Custom"):
            yield from ((value.text, value.span) for value in knob.values)
            yield from ((text, span) for _, text, span in knob.strings)
