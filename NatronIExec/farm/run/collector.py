"""Brings the frames of a finished task into the project folder. Nothing that a worker sent is trusted.

The chain holds the SHA-256 of frames.json, frames.json holds the hash of each frame: what is moved into place is what
the worker was paid for. Names and folders are ours, never the archive's. Nothing is overwritten: if a file with the
same pixels is there already it counts as imported, and if another picture is there, the job's frames go to a new folder
beside it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from NatronIExec import images, seal
from NatronIExec.errors import BadInput, OutputError, ResultRefused, ServiceError, Unreachable
from NatronIExec.farm.order.network_services import Services
from NatronIExec.farm.pack.file_hashes import sha256_of
from NatronIExec.farm.run.encrypted_result import opened_result
from NatronIExec.farm.run.image_decoder import Decoder
from NatronIExec.farm.store.job import Job, JobFrame, JobTask
from NatronIExec.farm.store.job_targets import targets_of
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.results import ResultArchive, fetch_result
from NatronIExec.manifest import MAX_RESULT_NAME, Elsewhere, Frame, FrameList, sha256_hex
from NatronIExec.scan.output_paths import Targets
from NatronIExec.storage.cid import cid_of_file
from NatronIExec.wire import load_json

#: One archive of a chunk, and one file in it.
MAX_ARCHIVE = 64 * 1024**3
MAX_FRAME = 8 * 1024**3
MAX_LIST = 16 * 1024**2
MAX_REPORT = 4 * 1024**2
_LIST, _ELSEWHERE, _REPORT = "frames.json", "elsewhere.json", "report.json"
_VERSIONED = re.compile(r"(.*)_v(\d{3,})$")


@dataclass(frozen=True)
class Collected:
    imported: int
    skipped: int


@dataclass(frozen=True)
class Delivery:
    """An archive, what its task left elsewhere (file → name, bytes), and the schema of its list."""

    archive: ResultArchive
    elsewhere: Mapping[str, tuple[str, int]]
    schema: int


class Collector:
    """Safe for several threads, one task each."""

    def __init__(
        self,
        spool: Spool,
        services: Services,
        decoder: Decoder,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._spool = spool
        self._services = services
        self._decoder = decoder
        self._stopping = stopping
        self._choosing = threading.Lock()

    def collect(self, job: Job, task: JobTask) -> Collected:
        """Raises Unreachable or ServiceError while the result cannot be fetched, ResultRefused when it is not what the
        chain promised, OutputError when the output folder cannot be written (the archive is kept)."""
        folder = self._spool.job_folder(job.id) / "results"
        folder.mkdir(exist_ok=True)
        archive = folder / f"{task.index:06d}.zip"
        if not archive.exists():
            self._fetch(job, task, archive)
        try:
            with opened_result(archive, job.results_pem) as opened:
                self._keep_report(job, task, opened)
                collected = self._import(job, task, opened)
        except ResultRefused as problem:
            theirs = _is_what_was_asked_for(archive, task.location)
            archive.unlink(missing_ok=True)
            if not theirs:
                raise Unreachable("The gateway sent something else than the result.", "It is tried again.") from problem
            raise
        archive.unlink(missing_ok=True)
        return collected

    def _fetch(self, job: Job, task: JobTask, to: Path) -> None:
        """From the network's gateway, else from another one: what arrives is compared with its name."""
        net = self._services.of(job.quote.network)
        gateways = (net.network.gateway, *net.network.more_gateways)
        for number, gateway in enumerate(gateways, 1):
            try:
                fetch_result(net.transport, gateway, task.location, to, MAX_ARCHIVE, self._stopping)
                return
            except (Unreachable, ServiceError):
                if number == len(gateways):
                    raise

    def log_file(self, job_id: str, index: int) -> Path:
        return self._spool.job_folder(job_id) / "reports" / f"{index:06d}.json"

    def _keep_report(self, job: Job, task: JobTask, archive: ResultArchive) -> None:
        """Keep the renderer's log for people to read. A damaged report is dropped; it is no reason to refuse the
        frames."""
        if _REPORT not in archive.names:
            return
        target = self.log_file(job.id, task.index)
        target.parent.mkdir(exist_ok=True)
        try:
            target.write_bytes(archive.read(_REPORT, MAX_REPORT))
            _unseal(job.results_key, target)
        except (ResultRefused, OSError):
            _drop(target)

    def _import(self, job: Job, task: JobTask, archive: ResultArchive) -> Collected:
        content = archive.read(_LIST, MAX_LIST)
        if "0x" + sha256_hex(content) != task.digest:
            raise _refused("its list of frames is not the one on the chain")
        try:
            listed = FrameList.from_bytes(content)
        except (BadInput, OverflowError) as problem:
            raise _refused("its list of frames cannot be read") from problem
        elsewhere = _elsewhere(archive)
        expected = self._spool.frames(job.id, task.index)
        found = _matched(job, task, listed, expected)
        targets = targets_of(job, task.writer)
        times = _times(self.log_file(job.id, task.index))
        counts = [0, 0]
        for frame in expected:
            delivered = found[(frame.frame, frame.view)]
            path, new = self._place(job, Delivery(archive, elsewhere, listed.schema), delivered, targets, frame)
            counts[0 if new else 1] += 1
            size = Path(path).stat().st_size
            done = replace(frame, state="imported", file=path, size=size, time_s=times.get(frame.frame), log="")
            self._spool.put_frames(job.id, [done])
        return Collected(*counts)

    def _place(
        self, job: Job, delivery: Delivery, delivered: Frame, targets: Targets, frame: JobFrame
    ) -> tuple[str, bool]:
        """(where the frame is now, whether it was not there before)."""
        target = Path(targets.path(frame.frame, frame.view))
        if delivered.file.rsplit(".", 1)[-1].lower() != targets.extension.lower():
            raise _refused(f"{delivered.file} is no {targets.extension} file")
        part = self._extract(job, delivery, delivered, target, frame)
        try:
            self._verify(part, delivered, targets.movie)
            return self._move(job, part, target, targets)
        except OSError as problem:
            raise _cannot_write(target, problem) from problem
        finally:
            _drop(part)

    def _verify(self, part: Path, delivered: Frame, movie: bool) -> None:
        """The file must be a complete picture; where workers agree on pixels, with exactly those pixels."""
        if movie or not images.is_picture(delivered.file):
            if not part.stat().st_size:
                raise _refused(f"{delivered.file} is empty")
            return
        try:
            if delivered.pixels:
                if self._decoder.pixel_hash(part) != delivered.pixels:
                    raise _refused(f"{delivered.file} is not the picture that was promised")
            else:
                self._decoder.check(part)
        except BadInput as problem:
            raise _refused(f"{delivered.file} is no whole picture") from problem

    def _extract(self, job: Job, delivery: Delivery, delivered: Frame, target: Path, frame: JobFrame) -> Path:
        """Extract the frame to a hidden file beside its target, so that moving it there is atomic."""
        # the same name at each try, so that a crash's leftover is reused; and short, as the target's may be the longest
        part = target.with_name(f".{job.id}-{frame.chunk}-{sha256_hex(target.name.encode())[:16]}{target.suffix}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = self._brought(job, delivery, delivered, part)
            _to_disk(part)
        except OSError as problem:
            _drop(part)
            raise _cannot_write(target, problem) from problem
        except ResultRefused:
            _drop(part)
            raise
        if delivered.sha256 and digest != delivered.sha256:
            _drop(part)
            raise _refused(f"{delivered.file} is not the file that was promised")
        return part

    def _brought(self, job: Job, delivery: Delivery, delivered: Frame, part: Path) -> str:
        """The plain frame, in `part`, and the hash to compare with the list's: of what the list is about."""
        limit = min(delivered.size if delivered.sha256 else MAX_FRAME, MAX_FRAME)
        name, size = delivery.elsewhere.get(delivered.file, ("", 0))
        if name:
            if size > seal.sealed_for_size(limit):
                raise _refused(f"{delivered.file} would be larger than its list says")
            self._services.of(job.quote.network).storage.fetch(job.id, name, part, size, self._stopping)
            _unseal(job.artist_key, part)
            return sha256_of(part)
        if delivered.file not in delivery.archive.names:
            raise _refused(f"{delivered.file} is not in it")
        digest = delivery.archive.extract(delivered.file, part, limit)
        if delivery.schema == 1 and (not delivered.sha256 or digest == delivered.sha256):
            _unseal(job.results_key, part)
        return digest

    def _move(self, job: Job, part: Path, target: Path, targets: Targets) -> tuple[str, bool]:
        """Move the file into place, never onto another one. Once a file would be overwritten, the job's other frames go
        to a new folder too."""
        folder = self._spool.job(job.id).folder_for(targets.folder)
        while True:
            there = Path(folder) / os.path.relpath(target, targets.folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            if _claim_name(part, there):
                return str(there), True
            if self._same(part, there):
                return str(there), False
            folder = self._other_folder(job, targets.folder, folder)

    def _other_folder(self, job: Job, folder: str, taken: str) -> str:
        """The folder to use instead of `taken`. It is chosen once for the whole job, by the task that first meets an
        old frame."""
        with self._choosing:
            now = self._spool.job(job.id)
            if now.folder_for(folder) != taken:
                return now.folder_for(folder)
            new = next_version(taken)
            self._spool.update(job.id, moves=now.moved(folder, new))
            return new

    def _same(self, one: Path, other: Path) -> bool:
        """Whether two files are equal, or hold equal pixels under different headers (an EXR header holds the time of
        writing)."""
        if not other.is_file():
            return False
        if one.stat().st_size == other.stat().st_size and sha256_of(one) == sha256_of(other):
            return True
        try:
            return images.is_picture(other.name) and self._decoder.pixel_hash(one) == self._decoder.pixel_hash(other)
        except BadInput:
            return False


def _could_be_ours(file: str) -> bool:
    """Whether the name is one that our container program could have given: short, printable, in `frames/`."""
    folder, _, name = file.partition("/")
    return folder == "frames" and 0 < len(name) <= MAX_RESULT_NAME and "/" not in name and name.isprintable()


def _is_what_was_asked_for(archive: Path, location: str) -> bool:
    """Whether the archive's content fits its IPFS name. If not, the gateway sent something else (an error page), which
    is not the worker's fault. Names that Kubo does not give by default cannot be checked and count as fitting."""
    name = location.rsplit("/", 1)[-1]
    return not name.startswith("Qm") or cid_of_file(archive) == name


def next_version(folder: str) -> str:
    """`comp` → `comp_v002`, and on to the first that is not there."""
    found = _VERSIONED.fullmatch(folder)
    stem, number = (found[1], int(found[2])) if found else (folder, 1)
    while True:
        number += 1
        candidate = f"{stem}_v{number:03d}"
        if not os.path.exists(candidate):
            return candidate


def _matched(job: Job, task: JobTask, listed: FrameList, expected: Sequence[JobFrame]) -> dict[tuple[int, str], Frame]:
    """The listed frames by number and view. Raises ResultRefused unless the list is of this chunk and holds exactly its
    frames, each once."""
    if (listed.job, listed.chunk, listed.writer) != (job.id, task.index, task.writer):
        raise _refused("its list is of another task")
    found = {(frame.frame, frame.view): frame for frame in listed.frames}
    if len(found) != len(listed.frames) or set(found) != {(frame.frame, frame.view) for frame in expected}:
        raise _refused("it does not hold the frames that were asked for")
    if not all(_could_be_ours(frame.file) for frame in listed.frames):
        raise _refused("a name in its list is none that we gave")
    in_pixels = job.submission.trust > 1
    for frame in listed.frames:
        if bool(frame.pixels) != in_pixels or bool(frame.sha256) == in_pixels:
            raise _refused("a frame in it has no hash")
    return found


def _elsewhere(archive: ResultArchive) -> Mapping[str, tuple[str, int]]:
    if _ELSEWHERE not in archive.names:
        return {}
    try:
        return Elsewhere.from_bytes(archive.read(_ELSEWHERE, MAX_LIST)).places
    except (BadInput, OverflowError) as problem:
        raise _refused("what it says of larger frames cannot be read") from problem


def _unseal(key: str, part: Path) -> None:
    """In its place; nothing without a key. Raises ResultRefused when it is not sealed for this job."""
    if key:
        opened = part.with_name(f"{part.stem}-open{part.suffix}")
        try:
            seal.open_with(key, part, opened)
            opened.replace(part)
        finally:
            _drop(opened)


def _to_disk(part: Path) -> None:
    """Sync the file to disk, before the spool records that the frame is there."""
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _drop(part: Path) -> None:
    with contextlib.suppress(OSError):  # the folder may be gone, or be a file
        part.unlink()


def _claim_name(part: Path, target: Path) -> bool:
    """Give `part` the name `target` unless that exists; returns whether it did. A hard link does both in one step. On
    file systems without hard links, existence is checked first."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:
        if target.exists():
            return False
        part.rename(target)
    return True


def _times(report: Path) -> dict[int, float]:
    try:
        found = load_json(report.read_bytes())["frame_seconds"]
        return {int(frame): float(spent) for frame, spent in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return {}


def _refused(why: str) -> ResultRefused:
    return ResultRefused(f"The worker's result is refused: {why}.", "Render these frames again.")


def _cannot_write(target: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"{target.parent} cannot be written: {problem.strerror or problem}.",
        "Make room or allow writing there, then import the job again; its frames are kept.",
    )
