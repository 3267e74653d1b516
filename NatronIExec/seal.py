"""Files that only the enclave can read: AES-256-GCM in segments, so that size does not matter. The only importer of
cryptography.

Format: magic, 8-byte nonce prefix, then segments of 4 MiB plain text as cipher text + tag. A segment's nonce is prefix
+ number, its associated data says whether it is the last: reordering, cutting and joining are noticed.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from NatronIExec.errors import ResultRefused

_MAGIC = b"NIEX1"
_SEGMENT = 4 * 1024 * 1024
_TAG = 16


def new_key() -> str:
    """32 random bytes in hex: one key a job."""
    return os.urandom(32).hex()


def seal_file(source: Path, to: Path, key: str) -> None:
    cipher, prefix = AESGCM(bytes.fromhex(key)), os.urandom(8)
    with source.open("rb") as plain, to.open("wb") as sealed:
        sealed.write(_MAGIC + prefix)
        number, block = 0, plain.read(_SEGMENT)
        while True:
            following = plain.read(_SEGMENT)
            sealed.write(cipher.encrypt(prefix + number.to_bytes(4, "big"), block, _last(not following)))
            if not following:
                return
            number, block = number + 1, following


def open_file(source: Path, to: Path, key: str) -> None:
    """Raises ResultRefused when anything was changed, or the key is another."""
    cipher = AESGCM(bytes.fromhex(key))
    with source.open("rb") as sealed, to.open("wb") as plain:
        head = sealed.read(len(_MAGIC) + 8)
        if len(head) != len(_MAGIC) + 8 or not head.startswith(_MAGIC):
            raise ResultRefused("This is no sealed file.", "Submit the job again.")
        number, block = 0, sealed.read(_SEGMENT + _TAG)
        while True:
            following = sealed.read(_SEGMENT + _TAG)
            nonce = head[len(_MAGIC) :] + number.to_bytes(4, "big")
            try:
                plain.write(cipher.decrypt(nonce, block, _last(not following)))
            except InvalidTag as problem:
                raise ResultRefused(
                    "A sealed file was changed or the key is wrong.", "Submit the job again."
                ) from problem
            if not following:
                return
            number, block = number + 1, following


def sealed_size(size: int) -> int:
    """Bytes that `seal_file` makes of `size` bytes."""
    return len(_MAGIC) + 8 + size + _TAG * max(1, -(-size // _SEGMENT))


def _last(is_last: bool) -> bytes:
    return b"last" if is_last else b"more"
