"""Content-addressed storage with the paths of Kubo's RPC API and of a gateway."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator

from NatronIExec.devnet.web import Answer, Request, answer_json
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file

_BLOCK = 1 << 20


class ContentService:
    """Files below `folder`, named by their CID; a file that is unpinned is gone at once (no garbage collector)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def answer(self, request: Request) -> Answer | None:
        if request.path.startswith("/ipfs/"):
            return self._gateway(request.path.removeprefix("/ipfs/"))
        if request.path.startswith("/api/v0/"):
            return self._rpc(request)
        return None

    def add(self, content: bytes) -> str:
        """For the workers of the same process."""
        cid = cid_of_bytes(content)
        (self._folder / cid).write_bytes(content)
        return cid

    def add_file(self, source: Path) -> str:
        cid = cid_of_file(source)
        os.replace(source, self._folder / cid)
        return cid

    def forget(self, cid: str) -> None:
        (self._folder / cid).unlink()

    def cids(self) -> set[str]:
        return {path.name for path in self._folder.iterdir() if path.name.startswith("Qm")}

    def _gateway(self, cid: str) -> Answer:
        path = self._path(cid)
        if path is None:
            return Answer(404, b"ipfs resolve: not found", "text/plain")
        return Answer(file=path, kind="application/octet-stream", headers={"X-Ipfs-Path": f"/ipfs/{cid}"})

    def _rpc(self, request: Request) -> Answer:
        verb = request.path.removeprefix("/api/v0/")
        if request.method != "POST":
            return Answer(405, b"405 - Method Not Allowed", "text/plain")
        if verb == "add":
            return self._add(request)
        path = self._path(request.query.get("arg", "").removeprefix("/ipfs/"))
        if verb == "version":
            return answer_json({"Version": "0.22.0", "System": "natron-iexec devnet"})
        if path is None:
            return answer_json({"Message": "not pinned or pinned indirectly", "Code": 0, "Type": "error"}, 500)
        if verb == "cat":
            return Answer(file=path, kind="text/plain")
        if verb == "block/stat":
            return answer_json({"Key": path.name, "Size": path.stat().st_size})
        if verb == "pin/rm":
            path.unlink()
            return answer_json({"Pins": [path.name]})
        if verb == "pin/ls":
            return answer_json({"Keys": {path.name: {"Type": "recursive"}}})
        return Answer(404, b"404 page not found", "text/plain")

    def _add(self, request: Request) -> Answer:
        kind = request.headers.get("content-type", "")
        if "boundary=" not in kind:
            return answer_json({"Message": "multipart expected", "Code": 1, "Type": "error"}, 400)
        boundary = kind.split("boundary=")[1].strip('"').encode()
        lines = []
        for name, path in _parts(request.body, boundary, self._folder):
            size = path.stat().st_size
            cid = self.add_file(path)
            lines.append(json.dumps({"Name": name, "Hash": cid, "Size": str(size)}))
        return Answer(body=("\n".join(lines) + "\n").encode())

    def _path(self, cid: str) -> Path | None:
        if not cid.isalnum():
            return None
        path = self._folder / cid
        return path if path.is_file() else None


def _parts(body: BinaryIO, boundary: bytes, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each part of a multipart body as a temporary file, never whole in memory."""
    mark = b"\r\n--" + boundary
    held = b"\r\n" + body.read(_BLOCK)
    if not held.startswith(mark):
        raise ValueError("the body does not begin with its boundary")
    held = held[len(mark) :]
    while not held.startswith(b"--"):
        while b"\r\n\r\n" not in held:
            held += _more(body)
        head, held = held.split(b"\r\n\r\n", 1)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".part-")
        with os.fdopen(descriptor, "wb") as file:
            while mark not in held:
                keep = len(mark) - 1
                file.write(held[:-keep])
                held = held[-keep:] + _more(body)
            content, held = held.split(mark, 1)
            file.write(content)
        while len(held) < 2:
            held += _more(body)
        yield _file_name(head), Path(temporary)


def _more(body: BinaryIO) -> bytes:
    block = body.read(_BLOCK)
    if not block:
        raise ValueError("the body ends too early")
    return block


def _file_name(head: bytes) -> str:
    text = head.decode("utf-8", "replace")
    return text.split('filename="')[1].split('"')[0] if 'filename="' in text else ""
