"""Files that only the enclave can read, and files that only the artist can: AES-256-GCM in segments, so that size does
not matter. The only importer of cryptography.

Format: magic, 8-byte nonce prefix, then segments of 4 MiB plain text as cipher text + tag. A segment's nonce is prefix
+ number, its associated data says whether it is the last: reordering, cutting and joining are noticed. What is sealed
for a public key (X25519) begins with the sender's one-time public key; the two give the rest's key (HKDF-SHA256).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Tuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from NatronIExec.errors import ResultRefused

_MAGIC = b"NIEX1"
_MAGIC_FOR = b"NIEX2"
_PUBLIC = 32
_SEGMENT = 4 * 1024 * 1024
_TAG = 16


def new_key() -> str:
    """32 random bytes in hex: one key a job."""
    return os.urandom(32).hex()


def new_pair() -> Tuple[str, str]:
    """(private, public) in hex: what is sealed for the public one is opened with the private one only."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw().hex(), private.public_key().public_bytes_raw().hex()


def seal_file(source: Path, to: Path, key: str) -> None:
    with source.open("rb") as plain, to.open("wb") as sealed:
        _seal(plain, sealed, bytes.fromhex(key))


def open_file(source: Path, to: Path, key: str) -> None:
    """Raises ResultRefused when anything was changed, or the key is another."""
    with source.open("rb") as sealed, to.open("wb") as plain:
        _open(sealed, plain, bytes.fromhex(key))


def seal_for(public: str, source: Path, to: Path) -> None:
    """Who seals cannot open it again."""
    once, theirs = X25519PrivateKey.generate(), bytes.fromhex(public)
    ours = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(theirs))
    with source.open("rb") as plain, to.open("wb") as sealed:
        sealed.write(_MAGIC_FOR + ours)
        _seal(plain, sealed, _derived(shared, ours, theirs))


def open_with(private: str, source: Path, to: Path) -> None:
    """What was sealed for the public key of `private`. Raises ResultRefused when it was not, or was changed."""
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    with source.open("rb") as sealed, to.open("wb") as plain:
        head = sealed.read(len(_MAGIC_FOR) + _PUBLIC)
        theirs = head[len(_MAGIC_FOR) :]
        if len(theirs) != _PUBLIC or not head.startswith(_MAGIC_FOR):
            raise _no_sealed_file()
        try:
            shared = key.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError as problem:  # a point that gives everybody the same secret
            raise _no_sealed_file() from problem
        _open(sealed, plain, _derived(shared, theirs, key.public_key().public_bytes_raw()))


def _derived(shared: bytes, sender: bytes, receiver: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, _MAGIC_FOR + sender + receiver).derive(shared)


def _seal(plain: BinaryIO, sealed: BinaryIO, key: bytes) -> None:
    cipher, prefix = AESGCM(key), os.urandom(8)
    sealed.write(_MAGIC + prefix)
    number, block = 0, plain.read(_SEGMENT)
    while True:
        following = plain.read(_SEGMENT)
        sealed.write(cipher.encrypt(prefix + number.to_bytes(4, "big"), block, _last(not following)))
        if not following:
            return
        number, block = number + 1, following


def _open(sealed: BinaryIO, plain: BinaryIO, key: bytes) -> None:
    cipher = AESGCM(key)
    head = sealed.read(len(_MAGIC) + 8)
    if len(head) != len(_MAGIC) + 8 or not head.startswith(_MAGIC):
        raise _no_sealed_file()
    number, block = 0, sealed.read(_SEGMENT + _TAG)
    while True:
        following = sealed.read(_SEGMENT + _TAG)
        nonce = head[len(_MAGIC) :] + number.to_bytes(4, "big")
        try:
            plain.write(cipher.decrypt(nonce, block, _last(not following)))
        except InvalidTag as problem:
            raise ResultRefused("A sealed file was changed or the key is wrong.", "Submit the job again.") from problem
        if not following:
            return
        number, block = number + 1, following


def sealed_size(size: int) -> int:
    """Bytes that `seal_file` makes of `size` bytes."""
    return len(_MAGIC) + 8 + size + _TAG * max(1, -(-size // _SEGMENT))


def _last(is_last: bool) -> bytes:
    return b"last" if is_last else b"more"


def _no_sealed_file() -> ResultRefused:
    return ResultRefused("This is no sealed file.", "Submit the job again.")
