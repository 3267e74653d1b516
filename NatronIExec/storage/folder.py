"""A folder that the artist's machine and the workers of the local network share: a local one, or a file server's."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput, Cancelled, OutputError, ResultRefused, Unreachable
from NatronIExec.storage.base import Content, Progress, no_progress
from NatronIExec.storage.cid import cid_of_bytes, cid_of_file


class FolderStorage:
    """Implements `Storage` below `folder`: `ipfs/CID` holds what goes out, `left/JOB/` what workers leave. Workers read
    only folders that are named to them (`NATRON_IEXEC_FOLDERS`)."""

    def __init__(self, folder: str) -> None:
        if not folder or not os.path.isabs(folder):
            raise BadInput("The storage is a folder, and none is named.", "Set storage_folder to a whole path.")
        self._folder = Path(folder)

    @property
    def gateways(self) -> tuple[str, ...]:
        return ()

    @property
    def links_last_s(self) -> int:
        return 0

    def put(
        self,
        contents: Sequence[Content],
        progress: Progress = no_progress,
        cancel: Callable[[], bool] = lambda: False,
        done: Callable[[Sequence[str]], None] = lambda cids: None,
    ) -> list[str]:
        cids: list[str] = []
        sent, total = 0, sum(_size(content) for content in contents)
        for content in contents:
            if cancel():
                raise Cancelled("Cancelled.")
            cid = cid_of_bytes(content) if isinstance(content, bytes) else cid_of_file(content)
            self._copy(content, self._path(cid))
            done([cid])
            cids.append(cid)
            sent += _size(content)
            progress(sent, total, f"{len(cids)} of {len(contents)} files")
        return cids

    def has(self, cids: Sequence[str]) -> set[str]:
        return {cid for cid in cids if self._path(cid).is_file()}

    def remove(self, cids: Sequence[str]) -> None:
        for cid in cids:
            try:
                self._path(cid).unlink(missing_ok=True)
            except OSError as problem:
                raise Unreachable(f"{self._folder} does not let go of a file: {problem.strerror}.", "") from problem

    def url(self, cid: str) -> str:
        return self.link(cid)

    def link(self, cid: str) -> str:
        return self._path(cid).as_uri()

    def drop(self, job: str) -> Mapping[str, Any]:
        return {"kind": "folder", "path": str(self._left(job))}

    def fetch(self, job: str, name: str, to: Path, max_bytes: int, cancel: Callable[[], bool] = lambda: False) -> None:
        source = self._left(job) / name
        if not source.is_file():
            raise Unreachable(f"{source} is not there yet.", "It is tried again.")
        if source.stat().st_size > max_bytes:
            raise ResultRefused(f"What a worker left is larger than {max_bytes} bytes.", "It was not kept.")
        shutil.copyfile(source, to)

    def clear_drop(self, job: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._left(job))

    def _path(self, cid: str) -> Path:
        return self._folder / "ipfs" / cid

    def _left(self, job: str) -> Path:
        return self._folder / "left" / job

    def _copy(self, content: Content, to: Path) -> None:
        """Under its name only when it is whole."""
        part = to.with_name(f".{to.name}-{os.getpid()}")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                part.write_bytes(content)
            else:
                shutil.copyfile(content, part)
            part.replace(to)
        except OSError as problem:
            with contextlib.suppress(OSError):
                part.unlink()
            raise OutputError(
                f"{self._folder} cannot be written: {problem.strerror or problem}.", "Make room or allow writing there."
            ) from problem


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
