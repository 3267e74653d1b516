"""What a person can set, in one JSON file. Frozen: a change makes a new value and is written atomically."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional

from NatronIExec import paths
from NatronIExec.errors import BadInput

SCHEMA = 1


def _setting(default: Any, help: str) -> Any:
    make: Optional[Callable[[], Any]] = (lambda: dict(default)) if isinstance(default, dict) else None
    if make is not None:
        return field(default_factory=make, metadata={"help": help})
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Settings:
    network: str = _setting("arbitrum-sepolia", "The network that renders are bought on unless another is named.")
    lock_after_s: int = _setting(900, "Seconds without a signature after which the wallet locks itself.")
    job_cap_nrlc: Optional[int] = _setting(None, "The most that one job may cost, in nRLC; none: no cap.")
    day_cap_nrlc: Optional[int] = _setting(None, "The most that a day's jobs may cost together, in nRLC; none: no cap.")
    keep_inputs_days: int = _setting(0, "Days that uploaded inputs are kept after a job is over.")
    idle_exit_s: int = _setting(600, "Seconds without work and without a client after which the engine ends.")
    output_folder: Optional[str] = _setting(None, "Where frames go; none: where the writer says.")
    storage: str = _setting("ipfs", "Where inputs are uploaded: ipfs, s3 or folder.")
    storage_folder: Optional[str] = _setting(None, "For folder: the whole path of one that this machine's workers see.")
    s3: Dict[str, str] = _setting({}, "For s3: endpoint, bucket, prefix, region.")
    endpoints: Dict[str, Dict[str, str]] = _setting({}, "URLs by network that replace the built-in ones.")
    notify: bool = _setting(True, "Show a desktop notification when a job ends or needs an answer.")
    poll_s: float = _setting(5.0, "Seconds between two looks at the chain while a job renders.")


def load(file: Optional[Path] = None) -> Settings:
    """The settings of `file`; defaults where there is none. A file that cannot be read is moved aside, not lost."""
    file = file or paths.settings_file()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError):
        file.replace(file.with_name(f"{file.name}.damaged-{int(time.time())}"))
        return Settings()
    known = {f.name for f in fields(Settings)}
    try:
        return changed(Settings(), {name: value for name, value in found.items() if name in known})
    except BadInput:
        file.replace(file.with_name(f"{file.name}.damaged-{int(time.time())}"))
        return Settings()


def save(settings: Settings, file: Optional[Path] = None) -> None:
    """Write all of them; keys of a newer version that are in the file already stay."""
    file = file or paths.settings_file()
    kept: Dict[str, Any] = {}
    if file.exists():
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            kept = {}
    paths.private_folder(file.parent)
    content = {**kept, **asdict(settings), "schema": SCHEMA}
    paths.write_atomic(file, json.dumps(content, indent=2, sort_keys=True).encode())


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with `changes`. Raises BadInput for an unknown name or a value of the wrong kind."""
    for name, value in changes.items():
        default = getattr(Settings(), name, _NOTHING)
        if default is _NOTHING:
            known = ", ".join(f.name for f in fields(Settings))
            raise BadInput(f"There is no setting {name}.", f"Settings are: {known}.")
        if not _fits(name, default, value):
            raise BadInput(f"{value!r} is no value for {name}.", str(help_text(name)))
    return replace(settings, **changes)


def help_text(name: str) -> str:
    return str(next(f.metadata["help"] for f in fields(Settings) if f.name == name))


_NOTHING = object()
_OPTIONAL: Mapping[str, type] = {"job_cap_nrlc": int, "day_cap_nrlc": int, "output_folder": str, "storage_folder": str}


def _fits(name: str, default: Any, value: Any) -> bool:
    if name in _OPTIONAL:
        return value is None or (isinstance(value, _OPTIONAL[name]) and not isinstance(value, bool))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and value >= 0
    return isinstance(value, type(default))
