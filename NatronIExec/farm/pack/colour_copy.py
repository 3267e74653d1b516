"""The colour config for a worker: with its LUTs beside it and without the artist's folder names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from NatronIExec.manifest import JOB_ROOT
from NatronIExec.scan.colour_config import SEARCH_PATH, ColourConfig, search_path, sources

#: (path of the scan, path below the job's folder, source)
Put = Callable[[str, str, Path], None]


def place_colour(config: ColourConfig, root: str, to: Path, put: Put, environment: dict[str, str]) -> None:
    """Put the config at `root` (below the job's folder) with its LUTs where it looks for them; a config that names
    other folders than those below its own is rewritten. The project's own is set in `environment`."""
    folder = os.path.dirname(config.path)
    outside: dict[str, str] = {}
    for path in config.files:
        if path == config.path:
            continue
        inside = os.path.relpath(path, folder)
        if inside.startswith(".."):
            inside = f"{outside.setdefault(os.path.dirname(path), f'outside/d{len(outside)}')}/{os.path.basename(path)}"
        put(path, f"{root}/{inside}", Path(path))
    put(config.path, f"{root}/{os.path.basename(config.path)}", _config(config, outside, to))
    if not config.node:
        environment["OCIO"] = f"{JOB_ROOT}/{root}/{os.path.basename(config.path)}"
        environment.update(config.variables)


def _config(config: ColourConfig, outside: Mapping[str, str], to: Path) -> Path:
    if not outside:
        return Path(config.path)
    text = Path(config.path).read_text("utf-8", "replace")
    kept = [entry for entry in search_path(text) if not os.path.isabs(entry) and not entry.startswith("..")]
    line = "search_path: " + ":".join(dict.fromkeys([*kept, *outside.values()]))
    text = SEARCH_PATH.sub(lambda _: line, text, count=1) if SEARCH_PATH.search(text) else f"{text}\n{line}\n"
    for name in sources(text):
        if os.path.isabs(name):
            text = re.sub(re.escape(name) + r"(?![\w.])", lambda _, name=name: os.path.basename(name), text)  # type: ignore[misc]
    target = to / f"colour-{len(list(to.glob('colour-*')))}.ocio"
    target.write_text(text, "utf-8")
    return target
