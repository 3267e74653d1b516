"""What a task says on its way. A container's output is read by its worker and its worker group, and kept with the
result: that of a sealed job says nothing there, and its last words only to the artist."""

from __future__ import annotations

from NatronIExec.manifest import SEALED_REASON, Manifest

FAILED = "FAILED: "


class Voice:
    """Until the manifest is read there is nothing to hide."""

    def __init__(self) -> None:
        self._quiet = False
        self._artist_key = ""

    def follow(self, manifest: Manifest) -> None:
        self._quiet, self._artist_key = manifest.sealed, manifest.artist_key

    @property
    def quiet(self) -> bool:
        return self._quiet

    def say(self, line: str) -> None:
        if not self._quiet:
            print(line, flush=True)

    def failed(self, why: str) -> None:
        """The last line: whoever looks at the task's output finds the reason there."""
        if not self._quiet:
            print(f"{FAILED}{why}", flush=True)
        elif self._artist_key:
            # cryptography, which an open job has no need to load
            from NatronIExec.seal import seal_words_for

            print(SEALED_REASON + seal_words_for(self._artist_key, why[:1000]), flush=True)
        else:
            print("FAILED", flush=True)
