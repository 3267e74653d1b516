"""The copy of a project that is sent: paths as the worker will have them, nothing of the artist's machine in it.

Text is replaced at the byte offsets that the parser remembered, so everything else stays byte-identical. The original
is only read, never written or locked. The main project names files below `manifest.JOB_ROOT`, which the worker
replaces; nested projects, which it does not touch, name them relative to `[Project]`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from NatronIExec.errors import Conflict, ProjectError
from NatronIExec.farm.graph import Home, Placed
from NatronIExec.farm.inputs import FileUse
from NatronIExec.farm.ntp import Span
from NatronIExec.farm.scan import Scan
from NatronIExec.farm.variables import path_table
from NatronIExec.manifest import JOB_ROOT

PROJECT = "project.ntp"
_PERSONAL = ("originalAuthor", "lastAuthor", "projectPath")
_ABSOLUTE = re.compile(r"(?:(?<=[\s\"'=(:,])|^)(?:/[\w.@+-]+){2,}|\b[A-Za-z]:[\\/][\w.@+-]+")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"))

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Snapshot:
    """What to send. `project` is the rewritten copy, laid out as `PROJECT` on the worker. `files` are (source, path
    below the job folder), each job path once; `of` says where a file of the scan went (more than once if the project
    names it in two ways). `environment` values may hold JOB_ROOT. `left` are absolute paths that could not be removed
    from texts of the project."""

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
        """Sources that are not what they were when the snapshot was made: sending them would mix two states."""
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

    def run(self) -> Snapshot:
        self.to.mkdir(parents=True, exist_ok=True)
        self._name_roots()
        stamps = {file.path: stamp_of(file.path) for file in self.scan.files if file.exists}
        stamps[str(self.scan.project)] = stamp_of(str(self.scan.project))
        self._place_files()
        for config in self.scan.colour:
            self._colour(config)
        self._fonts()
        written = self._projects()
        files = {job: source for jobs in self.placed.values() for job, source in jobs.items()}
        return Snapshot(
            written,
            tuple((files[job], job) for job in sorted(files)),
            self.environment,
            tuple(dict.fromkeys(self.left)),
            {path: tuple((source, job) for job, source in sorted(jobs.items())) for path, jobs in self.placed.items()},
            {path: stamp for path, stamp in stamps.items() if stamp is not None},
        )

    def _name_roots(self) -> None:
        """Folders of the artist's machine, each under a name of ours, in a stable order."""
        roots = {use.pattern.root for use in self.scan.uses if use.pattern.text and use.kind in ("clip", "file")}
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
            if use.pattern.tokens and use.kind in ("clip", "file"):
                patterned.setdefault(use.pattern.root, set()).add(os.path.dirname(use.pattern.text))
        for file in self.scan.files:
            if not file.exists or file.why == "nested project":
                continue
            for root in self._roots_of(file.path, patterned):
                self._put(file.path, f"{self.roots[root]}/{os.path.relpath(file.path, root)}", Path(file.path))

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

    def _colour(self, config: object) -> None:
        return None

    def _fonts(self) -> None:
        return None

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
        if len(content) != home.project.size:
            raise ProjectError(f"{home.project.path.name} changed while it was packed.", "Submit it again.")
        new: dict[Span, str] = dict(self._personal(home, base))
        for use in self.scan.uses:
            if use.home.project is home.project and use.span != (0, 0):
                new[use.span] = self._new_text(use, base)
        for placed in self.graph.nodes.values():
            if placed.home is home:
                for text, span in _texts(placed):
                    if span not in new and "/" in text:
                        self._scrub_text(placed.name, text, span, base, new)
        return replace_spans(content, new, home.project.gui)

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
        new = f"{base}/{self.roots.get(root, 'in/none')}/{os.path.relpath(path, root)}"
        return new[: -len(".py")] if use.knob == "PythonModule" and not use.text.endswith(".py") else new

    def _scrub_text(self, node: str, text: str, span: Span, base: str, new: dict[Span, str]) -> None:
        """Scripts and other texts: known folders become the worker's, other absolute paths are reported."""
        changed = text
        for root in sorted(self.roots, key=len, reverse=True):
            if len(root) > 1:
                changed = re.sub(
                    re.escape(root) + r"(?![\w.-])", f"{base}/{self.roots[root]}".replace("\\", "/"), changed
                )
        if changed != text:
            new[span] = changed
        for found in _ABSOLUTE.findall(changed.replace(base, "")):
            self.left.append((node, found))


def _texts(placed: Placed) -> Iterator[tuple[str, Span]]:
    """Texts of a node that are no file names: labels, scripts."""
    for knob in placed.node.knobs.values():
        if knob.type in ("String", "Custom"):
            yield from ((value.text, value.span) for value in knob.values)
            yield from ((text, span) for _, text, span in knob.strings)


def escape(text: str) -> str:
    """As boost's xml_oarchive does."""
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def replace_spans(content: bytes, new: Mapping[Span, str], dropped: Span = (0, 0)) -> bytes:
    """`content` with the text of the elements at the spans replaced (a span begins at the start tag and ends at the
    end tag), and the element `dropped` left out."""
    pieces: list[bytes] = []
    at = 0
    for start, end in sorted(new):
        inner = content.find(b">", start, end) + 1
        if not inner:
            continue
        pieces += [content[at:inner], escape(new[(start, end)]).encode()]
        at = end
    rest = content[at:]
    if dropped != (0, 0) and dropped[0] >= at:
        close = content.find(b">", dropped[1]) + 1
        rest = content[at : dropped[0]] + content[close:]
    pieces.append(rest)
    return b"".join(pieces).replace(
        b"<Background_project>0</Background_project>", b"<Background_project>1</Background_project>", 1
    )
