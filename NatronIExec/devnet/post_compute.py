"""What a worker makes of a task's output: its digest, and the archive that goes to the storage.

It refuses what the real one refuses: files with long names, and results larger than the network carries. (The real one
sends the archive as a JSON list of numbers, 3.57 bytes for one, with a client that gives up after 30 s: post
result_proxy_api_client.rs.)
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from eth_utils.crypto import keccak

from NatronIExec.seal import encrypt_result

#: What the folder of results is called by a program that ran in a container.
IN_CONTAINER = Path("/iexec_out")
#: worker PostComputeService.java: longer base names fail the task.
MAX_NAME = 31


@dataclass(frozen=True)
class RunOutcome:
    """`digest` is None when the task left no computed.json: then it is never contributed."""

    status: str
    stdout: str
    stderr: str
    digest: bytes | None = None
    archive: Path | None = None

    def failed(self, why: str) -> RunOutcome:
        return RunOutcome("FAILED", self.stdout, f"{self.stderr}\n{why}")


def post_compute(
    out: Path, folder: Path, said: RunOutcome, limit_bytes: int, key: str | None, fault: str
) -> RunOutcome:
    """`said` with the archive of `out`, encrypted where the deal asked for it (`key` is not None; "" when none is set).
    Failed when there is no result, or a larger one than `limit_bytes` (0: any)."""
    why = _refused(out) or ("POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING" if key == "" else "")
    if why:
        return said.failed(why)
    digest = _digest(_deterministic(out))
    for name, text in (("stdout.txt", said.stdout), ("stderr.txt", said.stderr)):
        if text:
            (out / name).write_text(text)
    archive = folder / "result.zip"
    if fault == "not-a-zip":
        archive.write_bytes(b"GIF89a" + os.urandom(200))
    else:
        _pack(out, archive)
    if fault == "wrong-digest":
        digest = keccak(digest)
    if key is not None:
        encrypt_result(archive, folder / "encrypted.zip", key)
        archive = folder / "encrypted.zip"
    size = archive.stat().st_size
    if limit_bytes and size > limit_bytes:
        return said.failed(f"POST_COMPUTE_RESULT_FILE_UPLOAD_FAILED: {size} bytes, {limit_bytes} are carried")
    return replace(said, status="COMPUTED", digest=digest, archive=archive)


def _refused(out: Path) -> str:
    """Why `out` is no result, "" when it is one."""
    too_long = [path.name for path in out.rglob("*") if len(path.name) > MAX_NAME]
    if too_long:
        return "POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME: " + ", ".join(too_long)
    if not (out / "computed.json").is_file():
        return "POST_COMPUTE_COMPUTED_FILE_NOT_FOUND"
    return "" if _deterministic(out).exists() else "POST_COMPUTE_RESULT_DIGEST_COMPUTATION_FAILED"


def _deterministic(out: Path) -> Path:
    target = Path(json.loads((out / "computed.json").read_text())["deterministic-output-path"])
    return out / target.relative_to(IN_CONTAINER) if target.is_relative_to(IN_CONTAINER) else target


def _pack(out: Path, archive: Path) -> None:
    """As the worker does: deflated, no symbolic link followed."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(out.rglob("*")):
            if path.is_file() and not path.is_symlink():
                packed.write(path, path.relative_to(out).as_posix())


def _digest(target: Path) -> bytes:
    """common FileHashUtils.java: a file's SHA-256; for a folder keccak of its direct children's, sorted by path."""
    if target.is_file():
        return hashlib.sha256(target.read_bytes()).digest()
    children = sorted(path for path in target.iterdir() if path.is_file())
    return keccak(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in children))
