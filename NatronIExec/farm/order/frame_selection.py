"""What a submission asks for: which frames, those of a test first, and what rendering them needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput
from NatronIExec.frames import FrameSet, cut
from NatronIExec.scan.check import ERROR, Check
from NatronIExec.scan.checks.destination_checks import target_checks
from NatronIExec.scan.output_paths import Targets
from NatronIExec.scan.project_scan import DEFAULT_CHUNK, Scan, scan
from NatronIExec.scan.writers import ScanWriter
from NatronIExec.submission import Submission

Progress = Callable[[int, int, str], None]


def scan_submission(
    submission: Submission, progress: Progress | None = None, cancel: Callable[[], bool] | None = None
) -> Scan:
    """What the submission's frames need; frames that are there already are left out when asked so."""
    frames = submission.frames_of or submission.frames
    found = _scan(submission, frames, progress, cancel)
    if not submission.only_missing:
        return found
    left = {name: _absent(found, submission, name, frames) for name, frames in found.frames_by_writer().items()}
    wanted = {name: frames for name, frames in left.items() if frames}
    if not wanted:
        raise BadInput("No frame is missing.", "Ask for all frames to render them again.")
    return _scan(submission.with_(writers=tuple(wanted)), wanted, progress, cancel)


def _scan(submission: Submission, frames: Any, progress: Progress | None, cancel: Callable[[], bool] | None) -> Scan:
    found = scan(
        Path(submission.project),
        original=submission.artist_file,
        writers=submission.writers or (tuple(frames) if isinstance(frames, Mapping) else ()),
        frames=frames,
        chunk=submission.chunk,
        extra_files=submission.extra_files,
        exclude_files=submission.exclude_files,
        environment={"OCIO": submission.ocio} if submission.ocio else None,
        progress=progress,
        cancel=cancel,
    )
    frames = found.frames_by_writer()
    targets = {name: Targets(writer_of(found, name), submission.out) for name in frames}
    checks = [check for name, wanted in frames.items() for check in target_checks(name, targets[name], wanted)]
    return found.with_checks([*checks, *_shared_targets(found, targets)] if submission.out else checks)


def _shared_targets(found: Scan, targets: Mapping[str, Targets]) -> Iterator[Check]:
    """Writers that differ only in their folder meet in the one that was chosen for all."""
    owners: dict[str, str] = {}
    for name, frames in found.frames_by_writer().items():
        for _, _, path in targets[name].files(frames):
            first = owners.setdefault(path, name)
            if first != name:
                title = f"Its frames would have the same names as those of {first}, e.g. {os.path.basename(path)}."
                yield Check(ERROR, "output-collision", name, title, "Choose no folder, or render them one by one.")
                break


def _absent(found: Scan, submission: Submission, name: str, frames: list[int]) -> list[int]:
    targets = Targets(writer_of(found, name), submission.out)
    there = {frame for frame, _, path in targets.files(frames) if os.path.exists(path)}
    lacking = {frame for frame, _, path in targets.files(frames) if not os.path.exists(path)}
    if targets.movie:
        return [] if there else frames
    return [frame for frame in frames if frame in lacking]


def writer_of(found: Scan, name: str) -> ScanWriter:
    return next(writer for writer in found.writers if writer.name == name)


def split_test(found: Scan, submission: Submission) -> tuple[Submission, Submission | None]:
    """(what is rendered first, what is left for later): first, middle and last frame of each writer."""
    if submission.test_frames == "none":
        return submission, None
    test: dict[str, FrameSet] = {}
    rest: dict[str, FrameSet] = {}
    for name, frames in found.frames_by_writer().items():
        chosen = frames if writer_of(found, name).movie else sorted({frames[0], frames[len(frames) // 2], frames[-1]})
        test[name] = FrameSet(chosen)
        left = set(frames) - set(chosen)
        if left:
            rest[name] = FrameSet(left)
    first = submission.with_(frames=None, frames_of=test, writers=tuple(test), only_missing=False)
    if not rest:
        return first, None
    changes = {"frames": None, "frames_of": rest, "writers": tuple(rest), "only_missing": False, "test_frames": "none"}
    return first, submission.with_(**changes)


def count_chunks(rest: Submission) -> int:
    size = rest.chunk or DEFAULT_CHUNK
    return sum(len(cut(frames, size)) for frames in rest.frames_of.values())
