"""What a task printed, with the reason that a sealed job's task tells nobody but the artist."""

from __future__ import annotations

from collections.abc import Sequence

from NatronIExec import seal
from NatronIExec.errors import ResultRefused
from NatronIExec.manifest import SEALED_REASON


def in_clear(lines: Sequence[str], artist_key: str) -> list[str]:
    """`artist_key` is the job's private one. What it does not open stays as it is."""
    return [_opened(line, artist_key) if artist_key else line for line in lines]


def _opened(line: str, artist_key: str) -> str:
    if not line.startswith(SEALED_REASON):
        return line
    try:
        return "FAILED: " + seal.open_words_with(artist_key, line[len(SEALED_REASON) :].strip())
    except ResultRefused:
        return line
