"""What is never written: passwords, keys and phrases, those that are known and what looks like one. Light, since the
plug-in's own log uses it inside Natron."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import Iterator, List, Set

from NatronIExec.errors import NatronIExecError

_HIDDEN = "[hidden]"
#: A private key, with or without 0x, after a word that says it is secret; hashes of the same length stay readable.
_KEY = re.compile(r"(?i)(key|secret|password|mnemonic|seed)(\W{1,4})(0x)?[0-9a-f]{64}\b")
_BARE_KEY = re.compile(r"(?i)(0x)?[0-9a-f]{64}\Z")
_PAIR = re.compile(
    r"(?i)([\"']?\b\w*(?:password|mnemonic|private_key|authkey)\w*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,}]+)"
)


class Redactor:
    """Hides secrets in log messages and tracebacks: those that it was given, and text that looks like a password or a
    key."""

    def __init__(self) -> None:
        self._kept: Set[str] = set()
        self._hidden: List[str] = []
        self._lock = threading.Lock()

    def add_secret(self, secret: str) -> None:
        """Hide `secret` until `forget`. Secrets of less than four characters are left to the patterns, as they would
        hide parts of ordinary words."""
        with self._lock:
            self._kept.update(_spellings(secret))

    @contextmanager
    def hiding(self, *secrets: str) -> Iterator[None]:
        """Hide `secrets` inside the block and drop them from memory afterwards. After an unexpected exception they stay
        hidden until `forget`, because its traceback is logged outside the block."""
        spelled = [spelling for secret in secrets for spelling in _spellings(secret)]
        with self._lock:
            self._hidden += spelled
        try:
            yield
        except NatronIExecError:
            raise
        except BaseException:
            with self._lock:
                self._kept.update(spelled)
            raise
        finally:
            with self._lock:
                for spelling in spelled:
                    self._hidden.remove(spelling)

    def forget(self) -> None:
        """Drop what `add_secret` was given. Secrets inside a running `hiding` block stay hidden."""
        with self._lock:
            self._kept.clear()

    def redact(self, text: str) -> str:
        with self._lock:
            secrets = sorted(self._kept.union(self._hidden), key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        text = _PAIR.sub(lambda found: found.group(1) + _HIDDEN, text)
        return _KEY.sub(lambda found: found.group(1) + found.group(2) + _HIDDEN, text)


def _spellings(secret: str) -> Set[str]:
    """The forms in which a program may print the secret: as typed, without surrounding spaces, a key without 0x and in
    upper or lower case."""
    bare = secret.strip()
    found = {secret, bare, " ".join(bare.split())}
    if _BARE_KEY.match(bare):
        digits = bare[-64:]
        found.update((digits, digits.lower(), digits.upper()))
    return {spelling for spelling in found if len(spelling) >= 4}
