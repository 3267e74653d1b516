"""What an image holds, asked of the image itself: Natron's version, plug-ins, formats, fonts, colour configs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from NatronIExec.container.renderer import version_of

#: For Natron to load all its plug-ins; seen: 2 s.
LOAD_S = 300
#: The readers and writers of images that Natron itself chooses between, by their OFX ids.
_ANY_READER, _ANY_WRITER = re.compile(r"\.Read[A-Z]"), re.compile(r"\.Write[A-Z]")
_MARK = "natron-iexec plug-ins: "
#: Run by Natron's own Python: built-in nodes are in no list on disk.
_LIST_NODES = f"""
import json
from NatronEngine import natron
print({_MARK!r} + json.dumps(sorted(str(name) for name in natron.getPluginIDs())))
"""


def contents_of(command: Sequence[str], kind: str, environ: Mapping[str, str]) -> Dict[str, Any]:
    """As `scan/worker_image.py` reads it. A stand-in holds no plug-in and draws frames of any project."""
    version = version_of(command, dict(environ))
    found = {
        "renderer": kind,
        "renderer_version": version,
        "natron": _numbers(version),
        "plugins": {},
        "reads": [],
        "writes": [],
        "gpu_only": [],
        "colour_configs": [],
        "fonts": _fonts(),
        "debian": _debian_packages(),
    }
    if kind == "natron":
        plugins, reads, writes, gpu_only = _plugins(command, environ)
        found.update(plugins=plugins, reads=reads, writes=writes, gpu_only=gpu_only)
        found["colour_configs"] = _colour_configs(Path(command[0]))
    return found


def _numbers(version: str) -> List[int]:
    """`… version 2.6.1 …` as [2, 6, 1]; a build from source says no third number."""
    found = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?", version)
    return [int(number or 0) for number in found.groups()] if found else [0, 0, 0]


def read_plugins_once(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Let Natron write its list of OFX plug-ins into the baked home; True when it holds a reader of images.
    Options that print and end (--version) load no plug-in."""
    _run_script(command, environ, "")
    caches = list(_cache_files(environ))
    for cache in caches:
        os.chmod(cache, 0o644)
    return any(b"ReadOIIO" in cache.read_bytes() for cache in caches)


def _cache_files(environ: Mapping[str, str]) -> Iterator[Path]:
    return Path(environ["NATRON_IEXEC_BAKED_HOME"]).glob(".cache/INRIA/Natron/OFXLoadCache/OFXCache_*.xml")


def _run_script(command: Sequence[str], environ: Mapping[str, str], script: str) -> str:
    """What Natron prints while it runs a Python script. As root the renderer runs as the owner of the baked home."""
    home = Path(environ["NATRON_IEXEC_BAKED_HOME"])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        file = Path(folder) / "ask.py"
        file.write_text(script, encoding="utf-8")
        asked = [*command, "--no-settings", "--clear-openfx-cache", "-t", str(file)]
        private = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "TMPDIR": folder}
        how: Dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = home.stat()
            how = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        done = subprocess.run(
            asked, env={**environ, **private}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=LOAD_S,
            check=False, cwd=folder, **how,
        )  # fmt: skip
    return str(done.stdout.decode("utf-8", "replace"))


def _plugins(
    command: Sequence[str], environ: Mapping[str, str]
) -> Tuple[Dict[str, List[int]], List[str], List[str], List[str]]:
    """(ids with their major versions, extensions read, extensions written, ids that need a GPU)."""
    said = _run_script(command, environ, _LIST_NODES)
    line = next((line for line in said.splitlines() if line.startswith(_MARK)), _MARK + "[]")
    plugins: Dict[str, List[int]] = {name: [1] for name in json.loads(line[len(_MARK) :])}
    reads, writes, gpu_only = set(), set(), set()
    for cache in _cache_files(environ):
        for plugin in ElementTree.parse(cache).getroot().iter("plugin"):
            name, major = plugin.get("name", ""), int(plugin.get("major_version") or plugin.get("major") or 1)
            known = plugins.setdefault(name, [])
            plugins[name] = sorted({*known, major}) if known != [1] else sorted({major})
            extensions = _values(plugin, "TuttleOfxImageEffectPropSupportedExtensions")
            if _ANY_READER.search(name):
                reads.update(extensions)
            if _ANY_WRITER.search(name):
                writes.update(extensions)
            if "needed" in _values(plugin, "OfxImageEffectPropOpenGLRenderSupported"):
                gpu_only.add(name)
    return plugins, sorted(reads), sorted(writes), sorted(gpu_only)


def _values(plugin: ElementTree.Element, name: str) -> List[str]:
    """Of a property in the list that Natron's OFX host keeps (HostSupport, ofxhPluginCache)."""
    found = []
    for entry in plugin.iter("property"):
        if entry.get("name") == name:
            found += [value.get("value", "") for value in entry.iter("value")] or [entry.get("value", "")]
    return [value.strip() for value in found if value.strip()]


def _colour_configs(renderer: Path) -> List[str]:
    """Folders with a config.ocio, where Natron looks for them beside its programs."""
    real = renderer.resolve().parent
    places = (real / "Resources" / "OpenColorIO-Configs", real.parent / "Resources" / "OpenColorIO-Configs")
    return sorted({config.parent.name for place in places for config in place.glob("*/config.ocio")})


def _fonts() -> List[str]:
    """Families that fontconfig finds; none where it is not installed."""
    if not shutil.which("fc-list"):
        return []
    said = subprocess.run(["fc-list", "--format", "%{family[0]}\n"], stdout=subprocess.PIPE, check=False).stdout
    return sorted(set(said.decode("utf-8", "replace").split("\n")) - {""})


def _debian_packages() -> Dict[str, str]:
    """Name → version of all that is installed; {} on another system."""
    if not shutil.which("dpkg-query"):
        return {}
    asked = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n"]
    said = subprocess.run(asked, stdout=subprocess.PIPE, check=False).stdout.decode("utf-8", "replace")
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
