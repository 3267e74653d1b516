"""IPFS names computed here, exactly as Kubo's `add` does by default: CIDv0, 256 KiB chunks, balanced tree of 174 links.

So the name of a file is known before it is uploaded, no file is uploaded twice, and a gateway that serves other content
is noticed.
Sources: UnixFS and DAG-PB specifications; the tests compare with names that Kubo gave.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Iterator

CHUNK = 262_144
MAX_LINKS = 174
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True)
class _Node:
    """A block of the tree: its multihash, the file bytes below it, the bytes of all blocks below and with it."""

    multihash: bytes
    file_size: int
    tree_size: int


def cid_of_bytes(content: bytes) -> str:
    import io

    return cid_of_stream(io.BytesIO(content))


def cid_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return cid_of_stream(file)


def cid_of_stream(stream: BinaryIO) -> str:
    """`Qm…` of everything that can be read from `stream`."""
    level = [_leaf(chunk) for chunk in _chunks(stream)]
    while len(level) > 1:
        level = [_parent(level[at : at + MAX_LINKS]) for at in range(0, len(level), MAX_LINKS)]
    return base58(level[0].multihash)


def base58(raw: bytes) -> str:
    """Bitcoin's base 58 (leading zero bytes become 1s)."""
    number = int.from_bytes(raw, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """At least one, so that an empty file has a name too."""
    chunk = stream.read(CHUNK)
    yield chunk
    while chunk := stream.read(CHUNK):
        yield chunk


def _leaf(chunk: bytes) -> _Node:
    unixfs = b"\x08\x02" + (b"\x12" + _varint(len(chunk)) + chunk if chunk else b"") + b"\x18" + _varint(len(chunk))
    return _block([], unixfs, len(chunk))


def _parent(children: list[_Node]) -> _Node:
    size = sum(child.file_size for child in children)
    unixfs = b"\x08\x02\x18" + _varint(size) + b"".join(b"\x20" + _varint(child.file_size) for child in children)
    return _block(children, unixfs, size)


def _block(children: list[_Node], unixfs: bytes, size: int) -> _Node:
    links = b"".join(_field(2, _link(child)) for child in children)
    block = links + _field(1, unixfs)
    return _Node(b"\x12\x20" + hashlib.sha256(block).digest(), size, len(block) + sum(c.tree_size for c in children))


def _link(child: _Node) -> bytes:
    return _field(1, child.multihash) + _field(2, b"") + b"\x18" + _varint(child.tree_size)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
