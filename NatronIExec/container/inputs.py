"""The files of one chunk: fetched, checked against the manifest, laid out below the job's folder."""

from __future__ import annotations

import http.client
import os
import random
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Callable, Iterable, Sequence, Set, Tuple
from xml.sax.saxutils import escape

from NatronIExec import __version__
from NatronIExec.container.drop import allowed_folder
from NatronIExec.errors import BadInput, Unreachable
from NatronIExec.manifest import JOB_ROOT, InputFile, Manifest, sha256_of_file

TRIES = 5
THREADS = 4
TIMEOUT_S = 60
_BLOCK = 1 << 18

Pause = Callable[[float], object]


class Inputs:
    """The job's folder on the worker. `fetch` may be called again for more files; what is there stays."""

    def __init__(self, manifest: Manifest, folder: Path, key: str, pause: Pause = time.sleep) -> None:
        self._manifest = manifest
        self._folder = folder
        self._key = key
        self._pause = pause
        self._there: Set[int] = set()
        self._of_clips = {str(self.path(number)): number for clip in manifest.clips for number in clip}
        for file in manifest.files:
            _check_path(file.path)
        for url in (*manifest.gateways, *(file.url for file in manifest.files if file.url)):
            _check_url(url)

    @property
    def project(self) -> Path:
        return self.path(self._manifest.project)

    def path(self, number: int) -> Path:
        return self._folder / self._manifest.files[number].path

    def fetch(self, numbers: Iterable[int]) -> None:
        """Have these files of the manifest. Raises Unreachable or BadInput, with the file's name."""
        missing = sorted(set(numbers) - self._there)
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(self._fetch_one, missing):
                pass
        self._there.update(missing)

    def named(self, name: str) -> Sequence[int]:
        """The file `name` (an absolute path in the job's folder) of a clip, empty when it is none."""
        return [self._of_clips[name]] if name in self._of_clips else []

    def clip_of(self, name: str) -> Sequence[int]:
        """The whole clip that holds the file `name`; empty when there is none. A name that the renderer reports may be
        of a frame that is not in the manifest: then folder and spelling decide."""
        if name in self._of_clips:
            return next(clip for clip in self._manifest.clips if self._of_clips[name] in clip)
        like = _spelling(name)
        return [number for path, number in self._of_clips.items() if _spelling(path) == like]

    def is_read_by(self, writer: int, name: str) -> bool:
        """Whether the file `name` can be of a clip that any chunk of the writer reads: only then a picture of that
        writer can depend on it."""
        read = {number for chunk in self._manifest.chunks if chunk.writer == writer for number in chunk.files}
        like = _spelling(name)
        return any(_spelling(str(self.path(number))) == like for number in read) or bool(
            read.intersection(self.clip_of(name))
        )

    def left_at_home(self, name: str) -> bool:
        """Whether the manifest only names the file: its bytes were not uploaded."""
        return any(not self._manifest.files[number].cid for number in self.named(name))

    def missing_from(self, numbers: Iterable[int]) -> Set[int]:
        """Those that can be fetched and are not there."""
        return {number for number in set(numbers) - self._there if self._manifest.files[number].cid}

    def _fetch_one(self, number: int) -> None:
        file = self._manifest.files[number]
        to = self.path(number)
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(f".{number}.part")
        self._download(file, part)
        if self._manifest.sealed:
            # cryptography, which an open job has no need to load
            from NatronIExec.seal import open_file

            opened = to.with_name(f".{number}.open")
            open_file(part, opened, self._key)
            part.unlink()
            part = opened
            _check_content(file, part)
        if file.path.endswith(".ntp"):
            _localise(part, self._folder)
        part.replace(to)

    def _places(self, file: InputFile) -> Sequence[str]:
        gateways = [f"{gateway}/ipfs/{file.cid}" for gateway in self._manifest.gateways]
        return [file.url, *gateways] if file.url else gateways

    def _download(self, file: InputFile, to: Path) -> None:
        """From each gateway in turn, a few times: a fresh file may not be everywhere yet, a connection may end early,
        and one gateway may send what another does not."""
        problem: object = None
        for attempt in range(TRIES):
            for url in self._places(file):
                try:
                    _get(url, to, file.sealed_size or file.size)
                    if not self._manifest.sealed:
                        _check_content(file, to)
                    return
                except (OSError, http.client.HTTPException, BadInput) as failure:
                    problem = failure
                    if isinstance(failure, urllib.error.HTTPError):
                        failure.close()
            self._pause(min(30.0, 0.5 * 2**attempt) * (0.5 + random.random()))
        if isinstance(problem, BadInput):
            raise problem
        raise Unreachable(f"{file.path} could not be fetched: {problem}.", "Try these frames again.")


def _spelling(path: str) -> Tuple[str, str]:
    """The folder of a file, and its name without what tells one frame from another."""
    return str(Path(path).parent), re.sub(r"-?\d+", "#", Path(path).name)


def localised(text: str, folder: Path) -> str:
    """`text` of the manifest (an argument, a variable) with the job's folder in the place of its token."""
    return text.replace(JOB_ROOT, str(folder))


def _localise(project: Path, folder: Path) -> None:
    content = project.read_bytes()
    project.write_bytes(content.replace(JOB_ROOT.encode(), escape(str(folder)).encode()))


def _get(url: str, to: Path, size: int) -> None:
    """Raises OSError for less than `size` bytes (the library takes an early end for the end), BadInput for more."""
    asked = urllib.request.Request(url, headers={"User-Agent": f"NatronIExec/{__version__}"})
    with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer, to.open("wb") as file:
        count = 0
        for block in iter(lambda: answer.read(_BLOCK), b""):
            count += len(block)
            if count > size:
                raise BadInput(f"{url} is larger than the manifest says.", "Submit the job again.")
            file.write(block)
    if count < size:
        raise ConnectionError(f"it ended after {count} of {size} bytes")


def _check_content(file: InputFile, path: Path) -> None:
    if sha256_of_file(path) != file.sha256 or path.stat().st_size != file.size:
        path.unlink()
        raise BadInput(f"{file.path} is not what the manifest says.", "Submit the job again.")


def _check_url(url: str) -> None:
    """A folder only where whoever runs this worker allows it: a manifest could name any."""
    if url.startswith("file:///") and allowed_folder(Path(urllib.request.url2pathname(url[7:])), os.environ):
        return
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"{url} is no web address.", "Submit the job again.")


def _check_path(path: str) -> None:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\x00" in path:
        raise BadInput(f"The manifest wants to write {path!r}.", "Submit the job again.")
