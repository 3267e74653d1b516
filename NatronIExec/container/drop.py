"""Where a task leaves frames that are too large for the network's own way back; only the artist can open them."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Tuple

from NatronIExec import __version__
from NatronIExec.errors import BadInput, Unreachable
from NatronIExec.manifest import sha256_of_file
from NatronIExec.wire import load_json

TRIES = 5
TIMEOUT_S = 120
#: Folders that whoever runs this worker lets jobs leave frames in, and read inputs from.
FOLDERS = "NATRON_IEXEC_FOLDERS"
_BLOCK = 1 << 20

Pause = Callable[[float], object]


def leave(drop: Mapping[str, Any], file: Path, pause: Pause = time.sleep) -> str:
    """Put `file` there and return its name there. Raises Unreachable after a few tries, BadInput for a drop that is
    none or that does not want it."""
    if drop.get("kind") == "folder":
        return _into_folder(Path(str(drop["path"])), file)
    url, fields = str(drop.get("url", "")), dict(drop.get("fields", {}))
    if not url.startswith(("http://", "https://")) or drop.get("kind") not in ("ipfs", "post"):
        raise BadInput("There is no place for frames as large as these.", "Render fewer frames a task.")
    name = sha256_of_file(file)
    if drop["kind"] == "post":
        fields["key"] = f"{drop['prefix']}{name}"
    problem: object = None
    for attempt in range(TRIES):
        try:
            answer = _post(url, fields, file)
            return str(load_json(answer)["Hash"]) if drop["kind"] == "ipfs" else name
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as failure:
            problem = failure
            if isinstance(failure, urllib.error.HTTPError):
                failure.close()
        pause(min(30.0, 0.5 * 2**attempt) * (0.5 + random.random()))
    raise Unreachable(f"Frames could not be left for the artist: {problem}.", "Try these frames again.")


def allowed_folder(folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether a job may touch it: only what is named to this worker, so that no manifest reads its files."""
    named = [Path(os.path.realpath(one)) for one in environ.get(FOLDERS, "").split(os.pathsep) if one]
    wanted = Path(os.path.realpath(str(folder)))
    return any(one == wanted or one in wanted.parents for one in named)


def _into_folder(folder: Path, file: Path) -> str:
    if not allowed_folder(folder, os.environ):
        raise BadInput("This worker may not write to the job's folder.", "Name the folder to the worker.")
    name = sha256_of_file(file)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}-{os.getpid()}"
    shutil.copyfile(file, part)
    part.replace(folder / name)
    return name


def _post(url: str, fields: Mapping[str, str], file: Path) -> bytes:
    boundary = os.urandom(16).hex()
    body = _body(fields, file, boundary)
    size, parts = _size(body), _parts(body)
    kind = f"multipart/form-data; boundary={boundary}"
    headers = {"Content-Type": kind, "Content-Length": str(size), "User-Agent": f"NatronIExec/{__version__}"}
    asked = urllib.request.Request(url, data=parts, headers=headers, method="POST")
    with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
        said: bytes = answer.read(_BLOCK)
    return said


def _body(fields: Mapping[str, str], file: Path, boundary: str) -> Tuple[bytes, Path, bytes]:
    """The file is last: S3 ignores what comes after it."""
    head: List[str] = []
    for name, value in fields.items():
        head.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
    head.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="0"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(head).encode(), file, f"\r\n--{boundary}--\r\n".encode()


def _size(body: Tuple[bytes, Path, bytes]) -> int:
    return len(body[0]) + body[1].stat().st_size + len(body[2])


def _parts(body: Tuple[bytes, Path, bytes]) -> Iterator[bytes]:
    yield body[0]
    with body[1].open("rb") as file:
        yield from iter(lambda: file.read(_BLOCK), b"")
    yield body[2]
