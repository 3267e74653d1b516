"""A result as it was packed on the worker, also when iExec's post-compute encrypted it for this job."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from NatronIExec import log, seal
from NatronIExec.iexec.results import MAX_UNPACKED, ResultArchive


@contextlib.contextmanager
def opened_result(archive: Path, private_pem: str) -> Iterator[ResultArchive]:
    """Raises ResultRefused for what is in the file, OSError when files cannot be opened or written beside it."""
    with ResultArchive(archive) as outer:
        if not private_pem or seal.ENCRYPTED_RESULT not in outer.names:
            if private_pem:
                log.get_logger("farm").warning(
                    "%s came back unencrypted: its worker group does not do so", archive.name
                )
            yield outer
            return
        sealed, plain = archive.with_suffix(".aes"), archive.with_suffix(".plain")
        try:
            wrapped = outer.read(seal.ENCRYPTED_KEY, seal.MAX_KEY_BYTES)
            outer.extract(seal.ENCRYPTED_RESULT, sealed, MAX_UNPACKED)
            seal.decrypt_result(sealed, wrapped, private_pem, plain)
            with ResultArchive(plain) as inner:
                yield inner
        finally:
            for part in (sealed, plain):
                part.unlink(missing_ok=True)
