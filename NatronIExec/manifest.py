"""The two records that travel between the artist's machine and a worker, as canonical JSON.

`Manifest` goes out: what one job renders, cut into chunks, with the hash of every file. `FrameList` comes back as
`frames.json`: which file holds which frame, with its hash. The digest of `frames.json` is what the chain holds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from NatronIExec.errors import BadInput
from NatronIExec.wire import load_json

#: 1: what is in clear, with frames sealed one by one for `results_for` in a sealed job; still read, and answered so.
SCHEMA = 2
_READ = (1, 2)
#: Stands in the project text for the folder in which the worker lays out the job; the worker replaces it (XML-escaped).
JOB_ROOT = "@NATRON_IEXEC_JOB@"
#: Before the reason of a failed task of a sealed job, in base 64 (`seal.open_words_with`): the last line it prints.
SEALED_REASON = "FAILED (sealed): "
#: iExec refuses longer base names anywhere below IEXEC_OUT (worker PostComputeService.java).
MAX_RESULT_NAME = 31


@dataclass(frozen=True)
class InputFile:
    """One input. `path` is relative to the job folder (POSIX, no `..`); `sha256` and `size` are of the plain content,
    `cid` and `sealed_size` of what the storage holds (the same content, or its sealed form when the job is sealed).
    `url` is where that is; "" for a storage whose gateways have it by its CID. Without a `cid` the file is only named:
    its bytes stayed with the artist."""

    path: str
    sha256: str
    size: int
    cid: str
    sealed_size: int = 0
    url: str = ""


@dataclass(frozen=True)
class ManifestWriter:
    """A Write node. `extension` without a dot; `views` is empty unless its file name has a view token (%V or %v),
    then one file a view is rendered; a `movie` is one file for all frames. `one_size` says that the size of its frames
    is the project's or fixed, not that of what is connected."""

    name: str
    extension: str
    views: Tuple[str, ...] = ()
    movie: bool = False
    one_size: bool = False


@dataclass(frozen=True)
class Chunk:
    """What one task renders: `frames` of the writer number `writer`; `files` are positions in `Manifest.files`.
    `index` equals the task's index on chain, over all deals of the request order."""

    index: int
    writer: int
    frames: Tuple[int, ...]
    files: Tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """One job. `project` is the position of the project in `files`. `clips` are groups of positions in `files` that
    belong to one clip: when the renderer reports an input that it could not load, the worker fetches the whole clip.
    `hashes` is "file" or "pixels" (bags with trust > 1, where file headers may differ). `sealed` says that blobs are
    encrypted with the key that the worker gets as IEXEC_REQUESTER_SECRET_1 (hex, 32 bytes); frames and report are then
    sealed for the public key `results_for` (hex). `environment` values
    may contain JOB_ROOT. A renderer without a sign of life for `stall_s` is stuck; the worker ends a task
    after `limit_s` (0: not known). `plugins` are the ids of those that take part in the pictures (empty: not known).
    `memory_limit` in bytes is what the network gives a task (0: not known)."""

    job: str
    project: int
    writers: Tuple[ManifestWriter, ...]
    files: Tuple[InputFile, ...]
    chunks: Tuple[Chunk, ...]
    gateways: Tuple[str, ...]
    clips: Tuple[Tuple[int, ...], ...] = ()
    hashes: str = "file"
    sealed: bool = False
    results_for: str = ""
    stall_s: int = 600
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: int = 0
    plugins: Tuple[str, ...] = ()
    artist_key: str = ""
    salt: str = ""
    result_limit: int = 0
    memory_limit: int = 0
    drop: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_bytes(self) -> bytes:
        return canonical(self)

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Raises BadInput when the content is no manifest of a schema that this version reads."""
        try:
            wire = load_json(content)
            if wire["schema"] not in _READ:
                raise BadInput(
                    f"This manifest has schema {wire['schema']}, this version reads {SCHEMA}.",
                    "Use the same version on the machine that submits and in the app's image.",
                )
            return cls(
                job=str(wire["job"]),
                project=int(wire["project"]),
                writers=tuple(
                    ManifestWriter(w["name"], w["extension"], tuple(w["views"]), bool(w["movie"]), bool(w["one_size"]))
                    for w in wire["writers"]
                ),
                files=tuple(InputFile(**f) for f in wire["files"]),
                chunks=tuple(
                    Chunk(c["index"], c["writer"], tuple(c["frames"]), tuple(c["files"])) for c in wire["chunks"]
                ),
                gateways=tuple(wire["gateways"]),
                clips=tuple(tuple(clip) for clip in wire["clips"]),
                hashes=str(wire["hashes"]),
                sealed=bool(wire["sealed"]),
                results_for=str(wire["results_for"]),
                stall_s=int(wire["stall_s"]),
                environment=dict(wire["environment"]),
                limit_s=int(wire["limit_s"]),
                plugins=tuple(wire["plugins"]),
                schema=int(wire["schema"]),
                **({} if wire["schema"] == 1 else _second(wire)),
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise BadInput(f"The manifest cannot be read: {problem}.", "Submit the job again.") from problem


def _second(wire: Mapping[str, Any]) -> Dict[str, Any]:
    """What schema 2 has beside the first."""
    return {
        "artist_key": str(wire["artist_key"]),
        "salt": str(wire["salt"]),
        "result_limit": int(wire["result_limit"]),
        "memory_limit": int(wire.get("memory_limit", 0)),
        "drop": dict(wire["drop"]),
    }


@dataclass(frozen=True)
class Frame:
    """A rendered frame: `file` is relative to the result archive (POSIX), base name at most 31 characters. Exactly
    one of `sha256` (of the file) and `pixels` (of the decoded picture, `images.pixel_hash`) is set, as
    `Manifest.hashes` says. `size` in bytes is 0 with pixel hashes, since headers differ between workers. A movie is
    one entry whose `frame` is its first."""

    frame: int
    view: str
    file: str
    size: int = 0
    sha256: str = ""
    pixels: str = ""


@dataclass(frozen=True)
class FrameList:
    """`frames.json`, the file at the deterministic output path: nothing in it may differ between two honest workers. A
    frame that is not in the archive is where `Elsewhere` says; its hash and size are of its plain content either way
    (in schema 1 of a sealed job: of the sealed file in the archive). `salt` is the manifest's."""

    job: str
    chunk: int
    writer: str
    frames: Tuple[Frame, ...]
    salt: str = ""
    schema: int = SCHEMA

    def to_bytes(self) -> bytes:
        return canonical(self)

    @classmethod
    def from_bytes(cls, content: bytes) -> FrameList:
        """Raises BadInput when a worker sent something else."""
        try:
            wire = load_json(content)
            if wire["schema"] not in _READ:
                raise ValueError(f"schema {wire['schema']}")
            frames = tuple(
                Frame(
                    int(f["frame"]), str(f["view"]), str(f["file"]), int(f["size"]), str(f["sha256"]), str(f["pixels"])
                )
                for f in wire["frames"]
            )
            salt = str(wire["salt"]) if wire["schema"] > 1 else ""
            return cls(str(wire["job"]), int(wire["chunk"]), str(wire["writer"]), frames, salt, int(wire["schema"]))
        except (ValueError, KeyError, TypeError) as problem:
            raise BadInput(f"frames.json cannot be read: {problem}.") from problem


@dataclass(frozen=True)
class Elsewhere:
    """`elsewhere.json`: of each frame that was put into the job's drop, its name there and the size of what lies there
    in bytes. No part of the digest: sealing the same frame twice gives two names."""

    places: Mapping[str, Tuple[str, int]]

    def to_bytes(self) -> bytes:
        return canonical({"places": self.places, "schema": SCHEMA})

    @classmethod
    def from_bytes(cls, content: bytes) -> Elsewhere:
        """Raises BadInput when a worker sent something else."""
        try:
            places = load_json(content)["places"]
            return cls({str(file): (_drop_name(name), int(size)) for file, (name, size) in places.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise BadInput(f"elsewhere.json cannot be read: {problem}.") from problem


def _drop_name(name: Any) -> str:
    """A CID, or a hash in hex: nothing that could lead anywhere else."""
    if not isinstance(name, str) or not 40 <= len(name) <= 100 or not name.isalnum() or not name.isascii():
        raise ValueError("a name is none")
    return name


def canonical(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: equal values give equal bytes. Records are written as their fields."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=vars).encode()


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """In hex; read in blocks, since a movie may be larger than memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
