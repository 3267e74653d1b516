"""Downloads that go wrong on the way, from a gateway that does so for real."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator

import pytest

from NatronIExec import seal
from NatronIExec.container.inputs import Inputs
from NatronIExec.errors import BadInput, ResultRefused, Unreachable
from NatronIExec.manifest import Chunk, InputFile, Manifest, ManifestWriter, sha256_hex

CONTENT = bytes(range(256)) * 4000
MANIFEST = Manifest(
    job="j",
    project=0,
    writers=(ManifestWriter("W", "png"),),
    files=(InputFile("in/a.png", sha256_hex(CONTENT), len(CONTENT), "Qm1"),),
    chunks=(Chunk(0, 0, (1,), (0,)),),
    gateways=(),
)


@contextmanager
def gateway(*sends: bytes) -> Iterator[str]:
    """Announces the length of the last of `sends` and answers with one after the other; the last again and again."""
    left = list(sends)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(sends[-1])))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetched(folder: Path, manifest: Manifest, key: str = "") -> tuple[bytes, list[float]]:
    """What arrived, and the pauses before it did."""
    pauses: list[float] = []
    there = Inputs(manifest, folder, key, pauses.append)
    there.fetch({0})
    return there.path(0).read_bytes(), pauses


def test_a_connection_that_ends_early_is_tried_again(tmp_path: Path) -> None:
    with gateway(CONTENT[:5000], CONTENT[:-1], CONTENT) as url:
        content, pauses = fetched(tmp_path, replace(MANIFEST, gateways=(url,)))
    assert content == CONTENT
    assert len(pauses) == 2


def test_what_one_gateway_damages_comes_from_the_next(tmp_path: Path) -> None:
    with gateway(CONTENT[::-1]) as damaged, gateway(CONTENT) as whole:
        content, pauses = fetched(tmp_path, replace(MANIFEST, gateways=(damaged, whole)))
    assert content == CONTENT
    assert pauses == []


def test_what_never_comes_whole_says_so(tmp_path: Path) -> None:
    with gateway(CONTENT[:-1]) as short, pytest.raises(Unreachable, match=r"in/a\.png .* ended after \d+ of \d+ bytes"):
        fetched(tmp_path, replace(MANIFEST, gateways=(short,)))
    with gateway(CONTENT[::-1]) as damaged, pytest.raises(BadInput, match="not what the manifest says"):
        fetched(tmp_path, replace(MANIFEST, gateways=(damaged,)))
    with pytest.raises(BadInput, match="no web address"):
        fetched(tmp_path, replace(MANIFEST, gateways=("file:///etc/passwd",)))


def test_sealed_inputs_are_whole_before_they_are_opened(tmp_path: Path) -> None:
    plain, shut = tmp_path / "plain", tmp_path / "shut"
    plain.write_bytes(CONTENT)
    key = seal.new_key()
    seal.seal_file(plain, shut, key)
    sealed = shut.read_bytes()
    files = (replace(MANIFEST.files[0], sealed_size=len(sealed)),)
    with gateway(sealed[:-9], sealed) as url:
        manifest = replace(MANIFEST, gateways=(url,), files=files, sealed=True)
        content, pauses = fetched(tmp_path / "job", manifest, key)
        assert content == CONTENT
        assert len(pauses) == 1
        with pytest.raises(ResultRefused):
            fetched(tmp_path / "wrong", manifest, seal.new_key())
