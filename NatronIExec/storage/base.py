"""Where inputs go so that workers can fetch them. `ipfs` and `s3` fit this; one contract test runs on both."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Mapping, Protocol, Sequence

#: What is sent: a file on disk, or bytes.
Content = Path | bytes
Progress = Callable[[int, int, str], None]
#: Settings.storage of which it is true that inputs are removed when their job is over. An IPFS node may be anybody's,
#: and iExec's takes what is added and lets nobody remove it.
FORGETTING = ("s3", "folder")


def no_progress(done: int, total: int, what: str) -> None:
    """For callers that show nothing."""


class Storage(Protocol):
    """A content-addressed store: files are named by their CIDs (IPFS, CIDv0). Methods raise Unreachable, ServiceError,
    Cancelled."""

    def put(
        self,
        contents: Sequence[Content],
        progress: Progress = no_progress,
        cancel: Callable[[], bool] = lambda: False,
        done: Callable[[Sequence[str]], None] = lambda cids: None,
    ) -> list[str]:
        """Store all and return their CIDs, in order. `progress` counts bytes; `done` is told the CIDs of each request
        that went through, so that an upload that breaks off does not begin again."""

    def has(self, cids: Sequence[str]) -> set[str]:
        """Those of the CIDs that workers can fetch now."""

    def remove(self, cids: Sequence[str]) -> None:
        """Remove these CIDs; missing ones are no error. Raises CannotRemove if the storage never allows it."""

    def url(self, cid: str) -> str:
        """What a worker fetches: `gateway` + /ipfs/CID."""

    def link(self, cid: str) -> str:
        """The file's own URL for a manifest; "" where `gateways` are enough."""

    def drop(self, job: str) -> Mapping[str, Any]:
        """Where workers may leave frames that are too large for the network (`Manifest.drop`)."""

    def fetch(self, job: str, name: str, to: Path, max_bytes: int, cancel: Callable[[], bool] = lambda: False) -> None:
        """What a worker left in the job's drop. Raises Unreachable while it is not there."""

    def clear_drop(self, job: str) -> None:
        """Let the storage forget what was left for the job. Raises CannotRemove when it never will."""

    @property
    def gateways(self) -> tuple[str, ...]:
        """Bases of URLs that end in /ipfs/CID, in the order in which workers try them."""

    @property
    def links_last_s(self) -> int:
        """Seconds for which `link` is good; 0: for good."""
