"""What iExec tells a task, read once and then taken away from everything that the project could run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence

from NatronIExec.errors import BadInput
from NatronIExec.manifest import Chunk, Manifest, sha256_hex

_NOT_THE_RENDERERS = ("IEXEC_", "SSL_", "PYTHON", "LC_", "LANGUAGE")


@dataclass(frozen=True)
class Task:
    """One task: its manifest and chunk, where results go, and the key of sealed inputs ("" when there is none)."""

    manifest: Manifest
    chunk: Chunk
    out: Path
    key: str


def read_task(arguments: Sequence[str], environ: Mapping[str, str]) -> Task:
    """From the container's arguments (`--manifest CID --sha256 HEX`) and iExec's variables. Raises BadInput."""
    options = dict(zip(arguments[::2], arguments[1::2]))
    if "--sha256" not in options:
        raise BadInput("The task was started without --sha256.", "Submit it with natron-iexec.")
    index, size = _number(environ, "IEXEC_BOT_TASK_INDEX"), _number(environ, "IEXEC_BOT_SIZE")
    if environ.get("NATRON_IEXEC_EDITION") == "free" and (size > 1 or index > 0):
        raise BadInput("The free edition renders one task a job.", "Use the distributed edition for several workers.")
    content = _manifest_file(environ).read_bytes()
    if sha256_hex(content) != options["--sha256"]:
        raise BadInput("The manifest is not the one that was bought.", "Submit the job again.")
    key = environ.get("IEXEC_REQUESTER_SECRET_1", "")
    manifest = Manifest.from_bytes(_in_clear(content, key))
    if not 0 <= index < len(manifest.chunks) or manifest.chunks[index].index != index:
        raise BadInput(f"The manifest has no chunk {index}.", "Submit the job again.")
    if manifest.sealed and not key:
        raise _no_key()
    return Task(manifest, manifest.chunks[index], Path(_text(environ, "IEXEC_OUT")), key)


def _in_clear(manifest: bytes, key: str) -> bytes:
    """A manifest is no sealed one when it begins as JSON does."""
    if manifest.startswith(b"{"):
        return manifest
    if not key:
        raise _no_key()
    # cryptography, which an open job has no need to load
    from NatronIExec.seal import open_bytes

    return open_bytes(manifest, key)


def _no_key() -> BadInput:
    return BadInput("The inputs are sealed and no key came.", "Choose a confidential worker group.")


def renderer_environment(environ: Mapping[str, str], home: Path, extra: Mapping[str, str]) -> Dict[str, str]:
    """For NatronRenderer: nothing of iExec and no secret (a project's Python could read it), a home to write to, file
    names of any language (Qt 4 reads them as the locale says) and messages in English with a point in their numbers."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_NOT_THE_RENDERERS)}
    private = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR")}
    if "NATRON_IEXEC_BAKED_HOME" in kept:  # the image holds the list of plug-ins that its Natron has read already
        private["HOME"] = kept["NATRON_IEXEC_BAKED_HOME"]
        private["XDG_CACHE_HOME"] = os.path.join(private["HOME"], ".cache")
    return {**kept, **private, "LANG": "C.UTF-8", "LC_NUMERIC": "C", **extra}


def _manifest_file(environ: Mapping[str, str]) -> Path:
    name = environ.get("IEXEC_INPUT_FILE_NAME_1")
    path: Optional[Path] = Path(_text(environ, "IEXEC_IN")) / name if name else None
    if path is None or not path.is_file():
        raise BadInput("The worker could not download the manifest.", "Try these frames again.")
    return path


def _text(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BadInput(f"{name} is not set: this program is started by iExec.", "Submit it with natron-iexec.")
    return environ[name]


def _number(environ: Mapping[str, str], name: str) -> int:
    text = _text(environ, name)
    if not text.isdigit():
        raise BadInput(f"{name} is {text!r}, not a number.", "Submit it with natron-iexec.")
    return int(text)
