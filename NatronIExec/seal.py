"""Files that only the enclave can read, and files that only the artist can: AES-256-GCM in segments, so that size does
not matter; and iExec's own encryption of results. The only importer of cryptography.

Format: magic, 8-byte nonce prefix, then segments of 4 MiB plain text as cipher text + tag. A segment's nonce is prefix
+ number, its associated data says whether it is the last: reordering, cutting and joining are noticed. What is sealed
for a public key (X25519) begins with the sender's one-time public key; the two give the rest's key (HKDF-SHA256).

The plain text is the content's length (8 bytes, big endian), the content, and zeros up to `padded_size`: nobody can
tell a clip or a picture by its exact size. What was sealed without (NIEX1) is still opened.

iExec's post-compute makes, and its SDK reads, an archive of two files: the result's archive under AES-256-CBC (16 bytes
IV first, PKCS 7) and its key under the beneficiary's RSA key (PKCS #1 v1.5). That cipher text is not authenticated:
what is in it is proven by the digest on chain. Sources: tee-worker-post-compute-rust src/compute/encryption.rs;
iexec-sdk src/common/utils/result-utils.js.
"""

from __future__ import annotations

import base64
import io
import os
import zipfile
from pathlib import Path
from typing import BinaryIO, Protocol, Tuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from NatronIExec.errors import BadInput, ResultRefused

_MAGIC_BARE = b"NIEX1"
_MAGIC = b"NIEX3"
_MAGIC_FOR = b"NIEX2"
_LENGTH = 8
#: Smaller files are all of this size.
LEAST_SIZE = 16 * 1024
#: Of a line of words.
LEAST_WORDS = 1024
_PUBLIC = 32
_SEGMENT = 4 * 1024 * 1024
_TAG = 16

#: The two files, and where the SMS keeps the public key (base 64 of its PEM) of a beneficiary.
ENCRYPTED_RESULT, ENCRYPTED_KEY = "iexec_out.zip.aes", "aes-key.rsa"
KEY_NAME = "iexec-result-encryption-public-key"
#: What the SDK accepts.
MAX_KEY_BYTES = 1000
_KEY_BITS = 4096
_IV = 16


def new_key() -> str:
    """32 random bytes in hex: one key a job."""
    return os.urandom(32).hex()


def new_pair() -> Tuple[str, str]:
    """(private, public) in hex: what is sealed for the public one is opened with the private one only."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw().hex(), private.public_key().public_bytes_raw().hex()


def seal_file(source: Path, to: Path, key: str) -> None:
    with source.open("rb") as plain, to.open("wb") as sealed:
        _seal(plain, source.stat().st_size, sealed, bytes.fromhex(key), LEAST_SIZE)


def open_file(source: Path, to: Path, key: str) -> None:
    """Raises ResultRefused when anything was changed, or the key is another."""
    with source.open("rb") as sealed, to.open("wb") as plain:
        _open(sealed, plain, bytes.fromhex(key))


def seal_bytes(content: bytes, key: str) -> bytes:
    sealed = io.BytesIO()
    _seal(io.BytesIO(content), len(content), sealed, bytes.fromhex(key), LEAST_SIZE)
    return sealed.getvalue()


def open_bytes(content: bytes, key: str) -> bytes:
    """Raises ResultRefused when anything was changed, or the key is another."""
    plain = io.BytesIO()
    _open(io.BytesIO(content), plain, bytes.fromhex(key))
    return plain.getvalue()


def is_sealed(content: bytes) -> bool:
    """Whether it begins as what `seal_bytes` gives does."""
    return content.startswith((_MAGIC, _MAGIC_BARE))


def seal_for(public: str, source: Path, to: Path) -> None:
    """Who seals cannot open it again."""
    with source.open("rb") as plain, to.open("wb") as sealed:
        _seal_for(public, plain, source.stat().st_size, sealed, LEAST_SIZE)


def open_with(private: str, source: Path, to: Path) -> None:
    """What was sealed for the public key of `private`. Raises ResultRefused when it was not, or was changed."""
    with source.open("rb") as sealed, to.open("wb") as plain:
        _open_with(private, sealed, plain)


def seal_words_for(public: str, words: str) -> str:
    """A line of base 64, as long for every short text."""
    content, sealed = words.encode(), io.BytesIO()
    _seal_for(public, io.BytesIO(content), len(content), sealed, LEAST_WORDS)
    return base64.b64encode(sealed.getvalue()).decode()


def open_words_with(private: str, line: str) -> str:
    """Raises ResultRefused when the line is none of `seal_words_for`, for this key."""
    plain = io.BytesIO()
    try:
        _open_with(private, io.BytesIO(base64.b64decode(line, validate=True)), plain)
        return plain.getvalue().decode()
    except ValueError as problem:
        raise _no_sealed_file() from problem


def new_result_pair() -> Tuple[str, str]:
    """(private PKCS #8, public SPKI) as PEM, as the SDK's `generateEncryptionKeyPair` makes them."""
    private = rsa.generate_private_key(65537, _KEY_BITS)
    ours = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    theirs = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return ours.decode(), theirs.decode()


def secret_of(public_pem: str) -> str:
    """The public key as the SMS takes it."""
    return base64.b64encode(public_pem.encode()).decode()


def encrypt_result(archive: Path, to: Path, secret: str) -> None:
    """`archive` for the holder of the key that the SMS gave as `secret`. Raises BadInput when that is none."""
    try:
        public = serialization.load_pem_public_key(base64.b64decode(secret))
        if not isinstance(public, rsa.RSAPublicKey):
            raise ValueError("no RSA key")
    except ValueError as problem:
        raise BadInput(f"The beneficiary's result key cannot be read: {problem}.", "Push it again.") from problem
    key, iv = os.urandom(32), os.urandom(_IV)
    cipher, padder = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor(), PKCS7(128).padder()
    with zipfile.ZipFile(to, "w") as packed:
        packed.writestr(ENCRYPTED_KEY, public.encrypt(key, PKCS1v15()))
        with archive.open("rb") as plain, packed.open(ENCRYPTED_RESULT, "w", force_zip64=True) as sealed:
            sealed.write(iv)
            for block in iter(lambda: plain.read(_SEGMENT), b""):
                sealed.write(cipher.update(padder.update(block)))
            sealed.write(cipher.update(padder.finalize()) + cipher.finalize())


def decrypt_result(sealed: Path, wrapped_key: bytes, private_pem: str, to: Path) -> None:
    """The result's archive out of the two files. Raises ResultRefused when they were not made for this key."""
    private = serialization.load_pem_private_key(private_pem.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    try:
        key = private.decrypt(wrapped_key, PKCS1v15())
        with sealed.open("rb") as source, to.open("wb") as plain:
            cipher = Cipher(algorithms.AES(key), modes.CBC(source.read(_IV))).decryptor()
            padder = PKCS7(128).unpadder()
            for block in iter(lambda: source.read(_SEGMENT), b""):
                plain.write(padder.update(cipher.update(block)))
            plain.write(padder.update(cipher.finalize()) + padder.finalize())
    except ValueError as problem:  # another key, a length that is none, or a padding that is none
        raise ResultRefused(
            "The worker's result is encrypted for somebody else.", "Render these frames again."
        ) from problem


def _seal_for(public: str, plain: BinaryIO, size: int, sealed: BinaryIO, least: int) -> None:
    once, theirs = X25519PrivateKey.generate(), bytes.fromhex(public)
    ours = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(theirs))
    sealed.write(_MAGIC_FOR + ours)
    _seal(plain, size, sealed, _derived(shared, ours, theirs), least)


def _open_with(private: str, sealed: BinaryIO, plain: BinaryIO) -> None:
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(private))
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


def _seal(content: BinaryIO, size: int, sealed: BinaryIO, key: bytes, least: int) -> None:
    cipher, prefix, plain = AESGCM(key), os.urandom(8), _Padded(content, size, least)
    sealed.write(_MAGIC + prefix)
    number, block = 0, plain.read(_SEGMENT)
    while True:
        following = plain.read(_SEGMENT)
        sealed.write(cipher.encrypt(prefix + number.to_bytes(4, "big"), block, _place(_MAGIC, not following)))
        if not following:
            return
        number, block = number + 1, following


def _open(sealed: BinaryIO, plain: BinaryIO, key: bytes) -> None:
    cipher = AESGCM(key)
    head = sealed.read(len(_MAGIC) + 8)
    magic, prefix = head[: len(_MAGIC)], head[len(_MAGIC) :]
    if len(prefix) != 8 or magic not in (_MAGIC, _MAGIC_BARE):
        raise _no_sealed_file()
    to: _Writer = _Unpadded(plain) if magic == _MAGIC else plain
    number, block = 0, sealed.read(_SEGMENT + _TAG)
    while True:
        following = sealed.read(_SEGMENT + _TAG)
        nonce = prefix + number.to_bytes(4, "big")
        try:
            to.write(cipher.decrypt(nonce, block, _place(magic, not following)))
        except InvalidTag as problem:
            raise ResultRefused("A sealed file was changed or the key is wrong.", "Submit the job again.") from problem
        if not following:
            return
        number, block = number + 1, following


class _Writer(Protocol):
    def write(self, content: bytes, /) -> object: ...


class _Padded:
    """Reads as the length, the content, and zeros."""

    def __init__(self, content: BinaryIO, size: int, least: int) -> None:
        self._content = content
        self._head = size.to_bytes(_LENGTH, "big")
        self._left = size
        self._zeros = padded_size(size, least) - _LENGTH - size

    def read(self, count: int) -> bytes:
        """`count` bytes, fewer only at the end."""
        head, self._head = self._head, b""
        block = self._content.read(min(count - len(head), self._left))
        self._left -= len(block)
        zeros = 0 if self._left and block else min(count - len(head) - len(block), self._zeros + self._left)
        if zeros and self._left:  # the file became shorter: the hash of its content will tell
            self._zeros, self._left = self._zeros + self._left, 0
        self._zeros -= zeros
        return head + block + bytes(zeros)


class _Unpadded:
    """Writes what `_Padded` read without the length and the zeros."""

    def __init__(self, plain: BinaryIO) -> None:
        self._plain = plain
        self._head = b""
        self._left = -1

    def write(self, block: bytes) -> None:
        if self._left < 0:
            self._head += block
            if len(self._head) < _LENGTH:
                return
            self._left, block = int.from_bytes(self._head[:_LENGTH], "big"), self._head[_LENGTH:]
        self._plain.write(block[: self._left])
        self._left -= min(len(block), self._left)


def padded_size(size: int, least: int = LEAST_SIZE) -> int:
    """What `size` bytes and their length become: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
    and Communication with PURBs", 2019), at most 12 % more and less for large files, never below `least`."""
    size = max(size + _LENGTH, least)
    exponent = size.bit_length() - 1
    free = exponent - exponent.bit_length()
    return (size + (1 << free) - 1) >> free << free


def sealed_size(size: int) -> int:
    """Bytes that `seal_file` makes of `size` bytes."""
    padded = padded_size(size)
    return len(_MAGIC) + 8 + padded + _TAG * -(-padded // _SEGMENT)


def sealed_for_size(size: int) -> int:
    """Bytes that `seal_for` makes of `size` bytes."""
    return len(_MAGIC_FOR) + _PUBLIC + sealed_size(size)


def _place(magic: bytes, is_last: bool) -> bytes:
    """A segment belongs to its kind of file, and to its end or not."""
    return (b"" if magic == _MAGIC_BARE else magic) + (b"last" if is_last else b"more")


def _no_sealed_file() -> ResultRefused:
    return ResultRefused("This is no sealed file.", "Submit the job again.")
