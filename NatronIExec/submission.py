"""What is asked: one render of a saved project. The one definition of it, which the GUI, the command line, presets and
the engine share; what crosses the engine's door is an object with these fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Dict, Literal, Mapping, Optional, Tuple, get_args

from NatronIExec.errors import BadInput
from NatronIExec.frames import FrameSet, parse_frames
from NatronIExec.kinds import complaint, kinds_of

#: `auto`: first, middle and last frame, then it waits for *render the rest*. `auto-continue`: it goes on by itself.
TestFrames = Literal["none", "auto", "auto-continue"]
TEST_FRAMES: Tuple[str, ...] = get_args(TestFrames)


def _at_least(least: int, default: Any) -> Any:
    return field(default=default, metadata={"least": least})


@dataclass(frozen=True)
class Submission:
    """`project` is the .ntp that is read: the artist's file or a saved copy of it. `original` is the artist's file
    (None: the same), for `[Project]` and default folders. `writers` are script names, none: all that are enabled.
    `frames` (`1-10x2,20`) is of every writer, None: each writer's own range; `frames_of` (`{"Write1": "3,7"}`) goes
    before it. `chunk` is frames a task, `workerpool` an address and `category` the number of a time limit; None leaves
    the choice to the engine. `max_price_nrlc` caps the whole job. `out` is a folder, None: the writer's own.
    `confidential`, None: where the network's deals run in an enclave anyway. `trust` is how many workers must agree on
    a task. `only_missing` skips frames whose file exists. `ocio` is the artist's $OCIO, since the engine has another
    environment."""

    project: str
    network: str
    original: Optional[str] = None
    writers: Tuple[str, ...] = ()
    frames: Optional[FrameSet] = None
    frames_of: Mapping[str, FrameSet] = field(default_factory=dict)
    chunk: Optional[int] = _at_least(1, None)
    workerpool: Optional[str] = None
    category: Optional[int] = _at_least(0, None)
    max_price_nrlc: Optional[int] = _at_least(0, None)
    out: Optional[str] = None
    confidential: Optional[bool] = None
    trust: int = _at_least(1, 1)
    test_frames: TestFrames = "none"
    only_missing: bool = False
    extra_files: Tuple[str, ...] = ()
    exclude_files: Tuple[str, ...] = ()
    ocio: Optional[str] = None

    @property
    def artist_file(self) -> Path:
        """The project as the artist knows it; `project` may be a copy of it."""
        return Path(self.original or self.project)

    def to_json(self) -> Dict[str, Any]:
        """Frames are written as text, `1-10x2,20`."""
        wire = asdict(self)
        wire = {name: list(value) if isinstance(value, tuple) else value for name, value in wire.items()}
        wire["frames"] = str(self.frames) if self.frames else None
        wire["frames_of"] = {writer: str(frames) for writer, frames in self.frames_of.items()}
        return wire

    def with_(self, **changes: Any) -> Submission:
        return replace(self, **changes)


NAMES: Tuple[str, ...] = tuple(f.name for f in fields(Submission))


def defaults() -> Dict[str, Any]:
    """The JSON values of all fields that need not be given."""
    whole = Submission(project="", network="").to_json()
    return {name: value for name, value in whole.items() if name not in ("project", "network")}


def problem_of(name: str, value: Any) -> str:
    """Why `value` (of JSON) cannot be the field `name`; "" when it can."""
    found = complaint(kinds_of(Submission)[name], value, name)
    least = next(f.metadata.get("least") for f in fields(Submission) if f.name == name)
    if not found and least is not None and value is not None and value < least:
        return f"{name}: {value!r} is less than {least}"
    return found


def from_json(asked: Mapping[str, Any]) -> Submission:
    """Raises BadInput for what is missing, unknown or of another kind."""
    strange = sorted(set(asked) - set(NAMES))
    if strange:
        raise BadInput(f"A submission has no {', '.join(strange)}.", f"Known are: {', '.join(sorted(NAMES))}.")
    for name, value in asked.items():
        if problem_of(name, value):
            raise BadInput(f"{value!r} is no value for {name}.", "See docs/engine-protocol.md.")
    for name in ("project", "network"):
        if not asked.get(name):
            raise BadInput(f"The submission does not say which {name}.", f"Give a {name}.")
    values: Dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
    values["frames"] = parse_frames(asked["frames"]) if asked.get("frames") else None
    values["frames_of"] = {writer: parse_frames(text) for writer, text in asked.get("frames_of", {}).items()}
    return Submission(**values)
