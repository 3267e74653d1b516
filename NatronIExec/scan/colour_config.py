"""The colour config of a render, and every LUT that it can ask for.

Natron takes `$OCIO`, else its preference (Engine/Settings.cpp tryLoadOpenColorIOConfig), and notes the config's folder
in the project as `[OCIO]`; a node may have its own (`ocioConfigFile`). Configs that come with Natron are in the image
and are named, not sent. LUTs are found as OpenColorIO does: `src` of file transforms along `search_path`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from NatronIExec.ntp.file_patterns import Folders
from NatronIExec.ntp.node_graph import Graph, Placed
from NatronIExec.scan.worker_image import packaged_image

#: NATRON_DEFAULT_OCIO_CONFIG_NAME, NATRON_CUSTOM_OCIO_CONFIG_NAME
DEFAULT = "blender"
_CUSTOM = "Custom config"
_STOCK_FOLDER = "OpenColorIO-Configs"
_MAX_CONFIG = 32 << 20
SEARCH_PATH = re.compile(r"^search_path:[ \t]*(\[[^\]]*\]|\S[^\n]*)?((?:\n[ \t]*-[ \t]+[^\n]+)*)", re.MULTILINE)
_SOURCE = re.compile(r"""\bsrc:[ \t]*("[^"\n]*"|'[^'\n]*'|[^,}\n]+)""")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")
_DEFAULTS = re.compile(r"^environment:[ \t]*\n((?:[ \t]+\S[^\n]*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class ColourConfig:
    """One config. `node` is "" when it is the whole project's; `path` is absolute, "" when the config comes with the
    image (`stock` names it); `files` are the config and its LUTs; `lost` what it names and is not there; `source` says
    who chose it; `variables` are those of the environment that its paths depend on."""

    node: str
    path: str
    files: tuple[str, ...]
    stock: str = ""
    lost: tuple[str, ...] = ()
    source: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def find_colour_configs(
    reached: Sequence[Placed], graph: Graph, environment: Mapping[str, str], folders: Folders, stated: bool = True
) -> tuple[ColourConfig, ...]:
    """The project's config first (none when nothing says that it is not Natron's default), then those of nodes.
    Where the environment is not `stated` to be the artist's (the engine outlives the Natron that started it), what
    the project remembers is taken before `$OCIO`."""
    found = list(_project_wide(graph, environment, folders, stated))
    seen = {config.path for config in found}
    for placed in reached:
        knob = placed.knob("ocioConfigFile")
        path = placed.home.variables.resolve(knob.text) if knob and knob.text else ""
        if path and path not in seen and not path.startswith("ocio:"):
            seen.add(path)
            if folders.exists(path):
                found.append(_read(path, placed.name, "node", environment, folders))
    return tuple(found)


def _project_wide(
    graph: Graph, environment: Mapping[str, str], folders: Folders, stated: bool
) -> Iterator[ColourConfig]:
    for source, path in sorted(_candidates(graph, environment, folders), key=lambda it: it[0] == "OCIO" and not stated):
        name = _stock_name(path)
        if name == DEFAULT:
            yield ColourConfig("", "", (), stock=name, source=source)
        elif folders.exists(path):
            yield _read(path, "", source, environment, folders)
        else:
            yield ColourConfig("", path, (), lost=(path,), source=source, stock=name)
        return


def _candidates(graph: Graph, environment: Mapping[str, str], folders: Folders) -> Iterator[tuple[str, str]]:
    """(who says so, config file), the strongest first."""
    if environment.get("OCIO"):
        yield "OCIO", environment["OCIO"]
    folder = graph.main.variables.table.get("OCIO", "")
    if folder:
        yield "project", _config_in(folder, folders)
    chosen = preference(environment)
    if chosen:
        yield "preference", chosen


def _config_in(folder: str, folders: Folders) -> str:
    """The config in the folder that the project remembers."""
    configs = sorted(name for name in folders.names(folder) if name.endswith(".ocio"))
    name = configs[0] if len(configs) == 1 else "config.ocio"
    return os.path.join(folder, name)


def _stock_name(path: str) -> str:
    """The name of a config that comes with Natron, by the folder that it is in; "" for all others."""
    parts = path.replace("\\", "/").split("/")
    if _STOCK_FOLDER not in parts[:-1]:
        return ""
    name = parts[parts.index(_STOCK_FOLDER) + 1]
    name = name[: -len(".ocio")] if name.endswith(".ocio") else name
    return name if name in packaged_image().colour_configs else ""


def preference(environment: Mapping[str, str]) -> str:
    """The custom config of Natron's preferences; "" when it is not custom. Only where Qt keeps settings in a file."""
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
    try:
        lines = Path(base, "INRIA", "Natron.conf").read_text("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return ""
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    if settings.get("ocioConfig", "").strip('"') != _CUSTOM:
        return ""
    return settings.get("ocioCustomConfigFile", "").strip('"')


def _read(path: str, node: str, source: str, environment: Mapping[str, str], folders: Folders) -> ColourConfig:
    try:
        with open(path, "rb") as file:
            text = file.read(_MAX_CONFIG).decode("utf-8", "replace")
    except OSError:
        return ColourConfig(node, path, (), lost=(path,), source=source)
    known = _context(text, environment)
    files: dict[str, None] = {path: None}
    lost: list[str] = []
    used: dict[str, str] = {}
    paths = [_filled(entry, known, used) for entry in search_path(text)]
    where = [os.path.normpath(os.path.join(os.path.dirname(path), entry)) for entry in ["", *paths]]
    for name in dict.fromkeys(sources(text)):
        filled = _filled(name, known, used)
        if _VARIABLE.search(filled):
            files.update(dict.fromkeys(_all_in(where[1:], folders)))
            continue
        hit = _find(filled, where, folders)
        if hit:
            files[hit] = None
        else:
            lost.append(name)
    return ColourConfig(node, path, tuple(files), lost=tuple(lost), source=source, variables=used)


def search_path(text: str) -> list[str]:
    """The folders of a config's `search_path`, in each of YAML's spellings."""
    found = SEARCH_PATH.search(text)
    if not found:
        return []
    inline, below = (found.group(1) or "").strip(), found.group(2) or ""
    if below:
        return [line.split("-", 1)[1].strip().strip("\"'") for line in below.strip().splitlines()]
    if inline.startswith("["):
        return [part.strip().strip("\"'") for part in inline[1:-1].split(",") if part.strip()]
    return [part for part in inline.split(" #")[0].strip().strip("\"'").split(":") if part]


def sources(text: str) -> list[str]:
    """The file names of a config's file transforms, as written."""
    return [name.strip().strip("\"'") for name in _SOURCE.findall(text) if name.strip().strip("\"'")]


def _context(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Context variables: the config's own defaults, then the environment."""
    block = _DEFAULTS.search(text)
    rows = block.group(1).splitlines() if block else []
    own = {name.strip(): value.strip().strip("\"'") for name, _, value in (row.partition(":") for row in rows)}
    return own | dict(environment)


def _filled(name: str, known: Mapping[str, str], used: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        variable = next(group for group in match.groups() if group)
        if variable not in known:
            return match.group(0)
        used[variable] = known[variable]
        return known[variable]

    return _VARIABLE.sub(value, name)


def _find(name: str, where: Iterable[str], folders: Folders) -> str:
    if os.path.isabs(name):
        return name if folders.exists(name) else ""
    for folder in where:
        path = os.path.normpath(os.path.join(folder, name))
        if folders.exists(path):
            return path
    return ""


def _all_in(where: Iterable[str], folders: Folders) -> list[str]:
    return [os.path.join(folder, name) for folder in where for name in sorted(folders.names(folder))]
