"""What is asked: one render of a saved project. Frozen; what the GUI, the command line and a preset all make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput

TEST_FRAMES = ("none", "auto", "auto-continue")


@dataclass(frozen=True)
class Submission:
    """The Submission of docs/engine-protocol.md. `frames_of` (frames by writer, `{"Write1": "3,7"}`) goes before
    `frames`: what a retry asks for. `ocio` is the artist's $OCIO, since the engine has another environment."""

    project: str
    network: str
    original: str | None = None
    writers: tuple[str, ...] = ()
    frames: str | None = None
    frames_of: Mapping[str, str] = field(default_factory=dict)
    chunk: int | None = None
    workerpool: str | None = None
    category: int | None = None
    max_price_nrlc: int | None = None
    out: str | None = None
    confidential: bool = False
    trust: int = 1
    test_frames: str = "none"
    only_missing: bool = False
    extra_files: tuple[str, ...] = ()
    exclude_files: tuple[str, ...] = ()
    ocio: str | None = None

    @property
    def artist_file(self) -> Path:
        """The project as the artist knows it; `project` may be a copy of it."""
        return Path(self.original or self.project)

    def to_json(self) -> dict[str, Any]:
        wire = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in wire.items()}

    def with_(self, **changes: Any) -> Submission:
        return replace(self, **changes)


def from_json(asked: Mapping[str, Any]) -> Submission:
    """Raises BadInput for what is missing, unknown or of another kind."""
    known = {f.name for f in fields(Submission)}
    strange = sorted(set(asked) - known)
    if strange:
        raise BadInput(f"A submission has no {', '.join(strange)}.", "Known are: " + ", ".join(sorted(known)) + ".")
    for name, value in asked.items():
        if not _fits(name, value):
            raise BadInput(f"{value!r} is no value for {name}.", "See docs/engine-protocol.md.")
    for name in ("project", "network"):
        if not asked.get(name):
            raise BadInput(f"The submission does not say which {name}.", f"Give a {name}.")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
    return Submission(**values)


_TEXT = frozenset({"project", "network"})
_OPTIONAL_TEXT = frozenset({"original", "frames", "workerpool", "out", "ocio"})
_LISTS = frozenset({"writers", "extra_files", "exclude_files"})
_FLAGS = frozenset({"confidential", "only_missing"})
_LEAST = {"chunk": 1, "category": 0, "max_price_nrlc": 0, "trust": 1}


def _fits(name: str, value: Any) -> bool:
    if name in _TEXT:
        return isinstance(value, str)
    if name in _OPTIONAL_TEXT:
        return value is None or isinstance(value, str)
    if name in _LISTS:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if name in _FLAGS:
        return isinstance(value, bool)
    if name == "frames_of":
        return isinstance(value, Mapping) and all(isinstance(part, str) for pair in value.items() for part in pair)
    if name == "test_frames":
        return value in TEST_FRAMES
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST[name]
    return whole or (value is None and name != "trust")
