"""What is uploaded for a job: its files, named by their content, and a manifest that says which files each task
needs."""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from NatronIExec import seal
from NatronIExec.errors import Cancelled, Conflict
from NatronIExec.farm.pack.file_hashes import Hashes, sha256_of
from NatronIExec.farm.pack.project_copy import PROJECT, Snapshot, snapshot
from NatronIExec.manifest import Chunk, InputFile, Manifest, ManifestWriter, sha256_hex
from NatronIExec.scan.project_scan import Scan
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file

MANIFEST = "manifest.json"
#: The record of which file of the artist became which file of the job, with its CID. It never leaves this machine.
RECORD = "record.json"
#: Threads for hashing and sealing; more gain nothing, as the disk is the limit.
THREADS = 4
#: A renderer that neither prints nor computes for this share of the task's time limit counts as stuck.
STALL_SHARE = 4
LEAST_STALL_S = 60


@dataclass(frozen=True)
class Bundle:
    """`contents` maps each CID to the file that holds it; `manifest` is what workers get, sealed in a sealed job."""

    manifest: bytes
    contents: Mapping[str, Path]
    bytes: int

    @property
    def sha256(self) -> str:
        return sha256_hex(self.manifest)

    @property
    def cid(self) -> str:
        return cid_of_bytes(self.manifest)


@dataclass(frozen=True)
class Terms:
    """What a manifest needs besides the scan. `key` seals the inputs (hex, "" for an open job), `results_for` is the
    public key that frames are sealed for, `limit_s` the task's time limit in seconds. `key` seals what goes out,
    `artist_key` (public) what cannot come back
    with the result; `link` gives a stored file's own URL ("" where the gateways are enough)."""

    job: str
    gateways: tuple[str, ...]
    trust: int
    timeref_s: int
    key: str = ""
    artist_key: str = ""
    result_limit: int = 0
    memory_limit: int = 0
    drop: Mapping[str, Any] = field(default_factory=dict)
    link: Callable[[str], str] = lambda cid: ""


def make_bundle(
    scan: Scan,
    folder: Path,
    terms: Terms,
    hashes: Hashes,
    cancel: Callable[[], bool] = lambda: False,
) -> Bundle:
    """Pack `scan` into `folder`, the job's own, replacing what an earlier try left there. If `terms.key` is set, every
    file is sealed with it. Raises Conflict if an input changes meanwhile, OSError for a full disk."""
    sent = folder / "sent"
    shutil.rmtree(sent, ignore_errors=True)
    shot = snapshot(scan, sent)
    along = [placed for path, _ in scan.spare.along for placed in shot.of(path)]
    sources = list(dict.fromkeys([(shot.project, PROJECT), *shot.files, *along]))
    files, contents = _files(sources, sent, terms.key, hashes, cancel)
    shot.require_unchanged()
    files = tuple(replace(file, url=terms.link(file.cid)) for file in files)
    left = [InputFile(job, "", size, "") for path, size in scan.spare.left for _, job in shot.of(path)]
    content = _manifest(scan, shot, terms, (*files, *left)).to_bytes()
    (sent / MANIFEST).write_bytes(content)
    held = sent / MANIFEST
    if terms.key:
        content, held = seal.seal_bytes(content, terms.key), sent / "sealed-manifest"
        held.write_bytes(content)
    contents[cid_of_bytes(content)] = held
    record = {
        "sources": [(str(source), path) for source, path in sources],
        "contents": {cid: str(held) for cid, held in contents.items()},
    }
    (sent / RECORD).write_text(json.dumps(record))
    return Bundle(content, contents, sum(file.size for file in files))


def contents_of(folder: Path) -> dict[str, Path]:
    """CID → file of what `make_bundle` packed below `folder`, also after a restart."""
    record = json.loads((folder / "sent" / RECORD).read_text())
    return {cid: Path(held) for cid, held in record["contents"].items()}


def _files(
    sources: Sequence[tuple[Path, str]], folder: Path, key: str, hashes: Hashes, cancel: Callable[[], bool]
) -> tuple[tuple[InputFile, ...], dict[str, Path]]:
    digests = hashes.of([source for source, _ in sources], cancel=cancel)
    contents: dict[str, Path] = {}

    def one(numbered: tuple[int, tuple[Path, str]]) -> InputFile:
        if cancel():
            raise Cancelled("Cancelled.")
        number, (source, path) = numbered
        held, sealed_size = source, 0
        if key:
            held = folder / f"sealed-{number:06d}"
            seal.seal_file(source, held, key)
            sealed_size = held.stat().st_size
        cid = cid_of_file(held)
        contents[cid] = held
        return InputFile(path, digests[source], source.stat().st_size, cid, sealed_size)

    with ThreadPoolExecutor(THREADS) as threads:
        return tuple(threads.map(one, enumerate(sources))), contents


def _manifest(scan: Scan, shot: Snapshot, terms: Terms, files: Sequence[InputFile]) -> Manifest:
    position = {file.path: number for number, file in enumerate(files)}
    names = list(dict.fromkeys(chunk.writer for chunk in scan.chunks))
    writers = {writer.name: writer for writer in scan.writers}

    @functools.lru_cache(maxsize=1)  # neighbours often need the same files
    def positions(paths: tuple[str, ...]) -> tuple[int, ...]:
        found = {position[job] for path in paths for _, job in shot.of(path)}
        return tuple(sorted(found))

    return Manifest(
        job=terms.job,
        project=0,
        writers=tuple(
            ManifestWriter(name, of.format, of.views, of.movie, _one_size(scan, name))
            for name, of in ((name, writers[name]) for name in names)
        ),
        files=tuple(files),
        chunks=tuple(
            Chunk(
                chunk.index,
                names.index(chunk.writer),
                chunk.frames,
                positions((*chunk.files, *scan.looked_at.get(chunk.writer, ()))),
            )
            for chunk in scan.chunks
        ),
        gateways=terms.gateways,
        clips=tuple(clip for clip in (positions(paths) for paths in scan.clips) if clip),
        hashes="pixels" if terms.trust > 1 else "file",
        sealed=bool(terms.key),
        artist_key=terms.artist_key,
        salt=os.urandom(16).hex() if terms.key else "",
        result_limit=terms.result_limit,
        memory_limit=terms.memory_limit,
        drop=terms.drop,
        stall_s=max(LEAST_STALL_S, terms.timeref_s // STALL_SHARE),
        environment=dict(shot.environment),
        limit_s=terms.timeref_s,
        plugins=scan.plugins,
    )


def _one_size(scan: Scan, name: str) -> bool:
    """Whether the size of a writer's frames is fixed, not that of its input. Natron's default is the project's size
    (openfx-io GenericWriter, formatType: input, project, fixed)."""
    knob = scan.graph.nodes[name].knob("formatType") if scan.graph else None
    if knob is None:
        return scan.graph is not None
    steady = not any(value.keys or value.expression or value.link for value in knob.values)
    return steady and knob.text in ("1", "2") and knob.choice != "input"


def export_bundle(folder: Path, to: Path) -> Path:
    """Write a copy of what was sent to the new folder `to`, laid out as on a worker. Raises Conflict if `to` exists, or
    if an input has changed since."""
    sent = folder / "sent"
    if not (sent / RECORD).exists():
        raise Conflict("Nothing was packed for this job yet.", "Wait until it is uploaded.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Conflict(f"{to} is there already.", "Choose another folder.")
    manifest = Manifest.from_bytes((sent / MANIFEST).read_bytes())
    digests = {file.path: file.sha256 for file in manifest.files}
    for source, path in json.loads((sent / RECORD).read_text())["sources"]:
        target = to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        if sha256_of(target) != digests[path]:
            raise Conflict(f"{source} is not what was sent.", "It was changed since; the export is not complete.")
    shutil.copyfile(sent / MANIFEST, to / MANIFEST)
    return to


def export_scan(scan: Scan, terms: Terms, to: Path, cancel: Callable[[], bool] = lambda: False) -> Path:
    """What would be sent, before anything is bought. Raises as `make_bundle` and `export_bundle` do."""
    with tempfile.TemporaryDirectory(prefix="natron-iexec-export-") as folder:
        make_bundle(scan, Path(folder), terms, Hashes(), cancel)
        return export_bundle(Path(folder), to)
