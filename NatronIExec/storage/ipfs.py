"""A Kubo node for what goes out, a gateway for what workers fetch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence
from urllib.parse import urlencode

from NatronIExec.errors import Cancelled, CannotRemove, ServiceError, Unreachable
from NatronIExec.iexec.transport import Transport
from NatronIExec.storage.base import Content, Progress, no_progress
from NatronIExec.storage.cid import CHUNK, cid_of_bytes, cid_of_file

#: One request carries at most so much: a break costs no more, and a proxy's limits are not met.
REQUEST_BYTES = 64 * 1024 * 1024
REQUEST_FILES = 500
_BLOCK = 1 << 20
#: How the node is to cut and name what it is sent: said in full, since a node's owner can change each default and names
#: are computed here (kubo core/commands/add.go; storage/cid.py).
ADD_OPTIONS = {
    "cid-version": "0",
    "hash": "sha2-256",
    "chunker": f"size-{CHUNK}",
    "raw-leaves": "false",
    "trickle": "false",
    "inline": "false",
    "wrap-with-directory": "false",
    "nocopy": "false",
    "only-hash": "false",
    "pin": "true",
}
#: Kubo's words, with status 500, for what it does not hold (kubo core/coreapi/pin.go).
_NOT_HELD = b"not pinned"
#: What a node answers whose API is closed for this: by its own list of allowed origins, or by what stands before it.
_FORBIDDEN = (401, 403, 404, 405)


class IpfsStorage:
    """Implements `Storage`. `rpc` is the base of the node's RPC API, `gateway` the public one of the same content,
    `others` further ones that may have it too."""

    def __init__(self, rpc: str, gateway: str, transport: Transport, others: Sequence[str] = ()) -> None:
        self._rpc = rpc
        self.gateway = gateway
        self.gateways = (gateway, *(other for other in others if other != gateway))
        self._transport = transport

    @property
    def links_last_s(self) -> int:
        return 0

    def put(
        self,
        contents: Sequence[Content],
        progress: Progress = no_progress,
        cancel: Callable[[], bool] = lambda: False,
        done: Callable[[Sequence[str]], None] = lambda cids: None,
    ) -> list[str]:
        total = sum(map(_size, contents))
        sent = 0
        cids: list[str] = []
        for batch in _batches(contents):
            expected = [_cid(content) for content in batch]
            self._add(batch, expected, cancel)
            done(expected)
            cids += expected
            sent += sum(map(_size, batch))
            progress(sent, total, f"{len(cids)} of {len(contents)} files")
        return cids

    def has(self, cids: Sequence[str]) -> set[str]:
        found = set()
        for cid in cids:
            if self._transport.request("HEAD", self.url(cid), accept=(404, 504)).status_code == 200:
                found.add(cid)
        return found

    def remove(self, cids: Sequence[str]) -> None:
        for cid in cids:
            answer = self._transport.request(
                "POST", f"{self._rpc}/api/v0/pin/rm", params={"arg": cid}, retry=False, accept=(*_FORBIDDEN, 500)
            )
            if answer.status_code in _FORBIDDEN:
                raise CannotRemove(
                    f"The IPFS node lets nobody remove files ({answer.status_code}).",
                    "Ask its owner to, or use a node of your own; sealed files stay unreadable.",
                )
            if answer.status_code == 500 and _NOT_HELD not in answer.content:
                words = answer.content[:300].decode("utf-8", "replace")
                raise Unreachable(f"The IPFS node could not remove a file: {words}", "It is tried again later.")

    def url(self, cid: str) -> str:
        return f"{self.gateway}/ipfs/{cid}"

    def link(self, cid: str) -> str:
        return ""

    def drop(self, job: str) -> Mapping[str, Any]:
        query = urlencode(ADD_OPTIONS)
        return {"kind": "ipfs", "url": f"{self._rpc}/api/v0/add?{query}"}

    def fetch(self, job: str, name: str, to: Path, max_bytes: int, cancel: Callable[[], bool] = lambda: False) -> None:
        for number, gateway in enumerate(self.gateways, 1):
            try:
                self._transport.stream(f"{gateway}/ipfs/{name}", to, max_bytes, cancel)
                return
            except (Unreachable, ServiceError):
                if number == len(self.gateways):
                    raise

    def clear_drop(self, job: str) -> None:
        """What workers left is pinned under names that only the artist's results hold; it stays, and stays sealed."""

    def _add(self, batch: Sequence[Content], expected: Sequence[str], cancel: Callable[[], bool]) -> None:
        boundary = os.urandom(16).hex()
        body = _Multipart(batch, boundary, cancel)
        response = self._transport.request(
            "POST",
            f"{self._rpc}/api/v0/add",
            params=ADD_OPTIONS,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(body.size)},
            content=body,
            retry=True,  # adding the same content again changes nothing
        )
        try:
            named = [str(json.loads(line)["Hash"]) for line in response.content.splitlines() if line]
        except (ValueError, KeyError, TypeError) as problem:
            raise ServiceError("The IPFS node answered something else.", "Check the IPFS endpoint.") from problem
        if named != list(expected):
            raise ServiceError(
                "The IPFS node named the files differently than their content says.",
                "Use a node with Kubo's default settings, or another one.",
            )


class _Multipart:
    """A multipart body that reads each file only when it is its turn, and again when the request is repeated."""

    def __init__(self, contents: Sequence[Content], boundary: str, cancel: Callable[[], bool]) -> None:
        self._parts = [(_header(number, boundary), content) for number, content in enumerate(contents)]
        self._end = f"--{boundary}--\r\n".encode()
        self._cancel = cancel
        self.size = sum(len(head) + _size(content) + 2 for head, content in self._parts) + len(self._end)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        for head, content in self._parts:
            yield head
            for block in _blocks(content):
                if self._cancel():
                    raise Cancelled("Cancelled.")
                yield block
            yield b"\r\n"
        yield self._end


def _header(number: int, boundary: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{number:06d}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()


def _blocks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _batches(contents: Sequence[Content]) -> Iterator[list[Content]]:
    batch: list[Content] = []
    held = 0
    for content in contents:
        size = _size(content)
        if batch and (held + size > REQUEST_BYTES or len(batch) >= REQUEST_FILES):
            yield batch
            batch, held = [], 0
        batch.append(content)
        held += size
    if batch:
        yield batch


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _cid(content: Content) -> str:
    return cid_of_bytes(content) if isinstance(content, bytes) else cid_of_file(content)
