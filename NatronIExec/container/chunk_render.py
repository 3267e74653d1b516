"""Rendering one chunk until each of its frames is proven, or proven to fail.

A frame counts when its file is there, decodes, has the size of the others, and was made by a run without complaints.
Frames are rendered in parallel, so a complaint cannot be tied to one of them: those of a troubled run are rendered
again one by one, where it can. An input that could not be loaded is looked for in its whole clip first, so a mistake of
the scan costs time, never a wrong frame.
"""

from __future__ import annotations

import math
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from NatronIExec import images
from NatronIExec.container.inputs import Inputs
from NatronIExec.container.renderer import FEWER_THREADS, Bounds, Outcome, lost_input, run
from NatronIExec.container.rights import OURS, Rights
from NatronIExec.errors import BadInput, ProjectError
from NatronIExec.frames import renderer_range
from NatronIExec.manifest import Chunk, Manifest, ManifestWriter

#: Frame, view ("" without views).
Key = Tuple[int, str]
#: Width and height of a frame, for each view.
Sizes = Tuple[Tuple[int, ...], ...]
MOVIE = "movie"
#: A renderer that stalled this often will stall again.
MAX_STALLS = 2


@dataclass
class Rendered:
    """`files` hold the proven frames; `failed` says of every other frame why. Seconds by frame in `times`."""

    files: Dict[Key, Path] = field(default_factory=dict)
    failed: Dict[int, str] = field(default_factory=dict)
    times: Dict[int, float] = field(default_factory=dict)
    warnings: List[str] = field(default_factory=list)
    log: List[str] = field(default_factory=list)


class ChunkRender:
    """`render` does all of it until `ends_at` (monotonic). `folder` is the job's, `out` an empty one for what the
    renderer writes."""

    def __init__(
        self,
        manifest: Manifest,
        chunk: Chunk,
        inputs: Inputs,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        out: Path,
        say: Callable[[str], None],
        ends_at: float = math.inf,
        rights: Rights = OURS,
    ) -> None:
        self._manifest = manifest
        self._chunk = chunk
        self._writer: ManifestWriter = manifest.writers[chunk.writer]
        self._inputs = inputs
        self._command = command
        self._environment = environment
        self._folder = folder
        self._out = out
        self._say = say
        self._rights = rights
        self._bounds = Bounds(manifest.stall_s, ends_at, frozenset(manifest.plugins))
        self._stalls = 0
        self._late = False
        self._usual: Sizes = ()
        self._odd: Dict[int, str] = {}
        self._done = Rendered()

    def render(self) -> Rendered:
        """Raises ProjectError when the renderer refuses the project as a whole."""
        frames = list(self._chunk.frames)
        outcome = self._run_with_inputs(frames)
        self._keep(frames, outcome)
        left = self._left(frames)
        if left and not self._over() and (outcome.stalled or outcome.crashed or not outcome.trouble):
            self._say(f"{'Stalled' if outcome.stalled else 'Ended early'}; rendering {renderer_range(left)} again")
            self._keep(left, self._run(left, FEWER_THREADS))
        for frame in self._left(frames):
            why = self._over()
            if why:
                self._done.failed[frame] = why
            else:
                self._one(frame)
        return self._done

    def _left(self, frames: Sequence[int]) -> List[int]:
        finished = {frame for frame, _ in self._done.files}
        return [frame for frame in frames if frame not in finished]

    def _over(self) -> str:
        """Why no more runs are worth their time, "" while they are."""
        if self._late:
            limit = f"the time limit of the task ({self._manifest.limit_s} s) came first"
            return f"{limit}; give a task fewer frames, or a longer limit"
        if self._stalls >= MAX_STALLS:
            return f"the renderer stalled {self._stalls} times (no work on a frame for {self._manifest.stall_s} s)"
        return ""

    def _one(self, frame: int) -> None:
        """The last word on one frame: what the renderer says while it renders nothing else."""
        if self._writer.movie:
            self._done.failed[frame] = "the movie could not be written: " + "; ".join(self._done.log[-3:])
            return
        outcome = self._run_with_inputs([frame], FEWER_THREADS)
        self._keep([frame], outcome)
        if self._left([frame]):
            without = "the renderer stalled" if outcome.stalled else "no whole picture was written"
            self._done.failed[frame] = (*outcome.trouble, self._over() or self._odd.get(frame, without))[0]

    def _run(self, frames: Sequence[int], extra: Sequence[str] = ()) -> Outcome:
        for frame in frames:
            for path in self._paths(frame).values():
                path.parent.mkdir(parents=True, exist_ok=True)  # Natron makes none for a view
                if path.exists():
                    path.unlink()
        self._rights.give(self._out)
        writer = ["-w", self._writer.name, str(self._pattern())]
        command = [*self._command, *extra, *writer, str(self._inputs.project)]
        outcome = run(
            [*command, renderer_range(frames)],
            self._environment,
            self._folder,
            self._bounds,
            lambda frame: self._say(f"Frame {frame} rendered"),
            self._rights,
        )
        outcome = self._judged(outcome)
        self._stalls += outcome.stalled
        self._late |= outcome.late
        self._done.log += outcome.log
        self._done.warnings += outcome.warnings
        if outcome.fatal:
            raise ProjectError(f"The renderer refused the project: {outcome.fatal[0]}", "Check it in Natron.")
        return outcome

    def _run_with_inputs(self, frames: Sequence[int], extra: Sequence[str] = ()) -> Outcome:
        """Run, and again with the inputs that could not be loaded: first only those, then their whole clips."""
        outcome = self._run(frames, extra)
        for of in (self._inputs.named, self._inputs.named, self._inputs.clip_of):
            if not self._over() and self._fetch_lost(outcome, of):
                outcome = self._run(frames, extra)
        return outcome

    def _fetch_lost(self, outcome: Outcome, of: Callable[[str], Sequence[int]]) -> bool:
        """Fetch inputs that could not be loaded; True when that brought anything new."""
        new = self._inputs.missing_from({number for name in outcome.unloadable for number in of(name)})
        if new:
            self._say(f"Fetching {len(new)} more input files")
            self._inputs.fetch(new)
            self._done.warnings.append(f"{len(new)} inputs were fetched that the scan had not named for this task")
        return bool(new)

    def _judged(self, outcome: Outcome) -> Outcome:
        """The outcome without complaints about files that no picture of this writer can depend on: Natron also looks at
        what hangs beside the nodes that it renders. They are recorded as warnings."""
        harmless = {name for name in outcome.unloadable if not self._inputs.is_read_by(self._chunk.writer, name)}
        for line in [line for line in outcome.trouble if lost_input(line) in harmless]:
            outcome.trouble.remove(line)
            outcome.warnings.append(f"{line} (no picture of this writer depends on it)")
        outcome.unloadable -= harmless
        for name in sorted(outcome.unloadable):
            if self._inputs.left_at_home(name):
                outcome.trouble.insert(
                    0, f"{Path(name).name} is needed, but was not uploaded: add it by hand and retry"
                )
        return outcome

    def _keep(self, frames: Sequence[int], outcome: Outcome) -> None:
        """Take the frames that this run proved. After a complaint only a lone frame can be judged, and it fails."""
        if outcome.trouble:
            return
        reported = outcome.frames.keys() & set(frames)
        if self._writer.movie and (len(reported) < len(frames) or not outcome.finished):
            return
        whole = {frame: self._sizes(frame) for frame in sorted(reported)}
        for frame, sizes in whole.items():
            if all(sizes) and self._is_usual(frame, sizes, list(whole.values()), alone=len(frames) == 1):
                for view, path in self._paths(frame).items():
                    self._done.files[(frame, view)] = self._aside(path, frame)
                self._done.times[frame] = outcome.frames.get(frame, 0.0)

    def _is_usual(self, frame: int, sizes: Sizes, seen: Sequence[Sizes], alone: bool) -> bool:
        """A frame of another size than the others is rendered again alone. When it is the same again it is right only
        where sizes may follow the input."""
        self._usual = self._usual or Counter(found for found in seen if all(found)).most_common(1)[0][0]
        if sizes == self._usual:
            return True
        self._odd[frame] = f"it is {_spoken(sizes)}, the others are {_spoken(self._usual)}"
        if alone and not self._writer.one_size:
            self._done.warnings.append(f"Frame {frame}: {self._odd[frame]}")
            return True
        return False

    def _aside(self, path: Path, frame: int) -> Path:
        """Out of the way of a later run of other frames."""
        kept = self._out / "kept" / path.relative_to(self._out)
        kept.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            shutil.move(str(path), str(kept))
        return kept

    def _sizes(self, frame: int) -> Sizes:
        """Of its picture in each view; () for one that is not whole, (0, 0) where it cannot be looked into."""
        return tuple(self._size(path) for path in self._paths(frame).values())

    def _size(self, path: Path) -> Tuple[int, ...]:
        kept = self._out / "kept" / path.relative_to(self._out)
        there = path if path.exists() else kept
        if there.is_symlink() or not there.is_file() or not there.stat().st_size:
            return ()
        if self._writer.movie or not images.is_picture(there.name):
            return (0, 0)
        try:
            return images.check(there).full
        except BadInput as problem:
            self._say(str(problem))
            return ()

    def _pattern(self) -> Path:
        extension = self._writer.extension
        if self._writer.movie:
            return self._out / f"{MOVIE}.{extension}"
        return self._out / ("%V" if self._writer.views else "") / f"######.{extension}"

    def _paths(self, frame: int) -> Dict[str, Path]:
        """The files that hold `frame`, by view."""
        if self._writer.movie:
            return {"": self._pattern()}
        name = f"{frame:06d}.{self._writer.extension}"
        return {view: self._out / view / name for view in self._writer.views} or {"": self._out / name}


def _spoken(sizes: Sizes) -> str:
    return ", ".join("x".join(map(str, size)) for size in sizes)
