"""A job as a worker sees it: a project, its inputs on a gateway, a manifest, and iExec's variables."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest

from NatronIExec import images
from NatronIExec.container import entrypoint
from NatronIExec.devnet.content import ContentService
from NatronIExec.devnet.web import WebServer
from NatronIExec.manifest import JOB_ROOT, Chunk, FrameList, InputFile, Manifest, ManifestWriter, sha256_hex

PROJECT = """<!DOCTYPE boost_serialization>
<boost_serialization signature="serialization::archive" version="18">
<Project><NodesCollection><NodesCount>2</NodesCount>
<item><Plugin_script_name>Read1</Plugin_script_name><Plugin_id>fr.inria.built-in.Read</Plugin_id>
<item><Name>filename</Name><Type>InputFile</Type><item><Value>{root}/in/bg.####.png</Value></item></item></item>
<item><Plugin_script_name>Write1</Plugin_script_name><Plugin_id>fr.inria.built-in.Write</Plugin_id>
<item><Name>filename</Name><Type>OutputFile</Type><item><Value>/nowhere/out_####.png</Value></item></item></item>
</NodesCollection></Project></boost_serialization>
"""


class Job:
    """Build with `add`, change `manifest`, then `run` one of its chunks."""

    def __init__(self, folder: Path, content: ContentService, gateway: str) -> None:
        self.folder = folder
        self.content = content
        self.environ = {"PATH": os.environ["PATH"]}
        self.files: list[InputFile] = []
        self.add("project.ntp", PROJECT.format(root=JOB_ROOT).encode())
        for frame in range(1, 7):
            picture = folder / f"bg.{frame:04d}.png"
            images.draw_slate(picture, (32, 18), [str(frame)], 0.5)
            self.add(f"in/{picture.name}", picture.read_bytes())
        clip = tuple(range(1, 7))
        self.manifest = Manifest(
            job="job1",
            project=0,
            writers=(ManifestWriter("Write1", "png"),),
            files=tuple(self.files),
            chunks=(Chunk(0, 0, (1, 2, 3), (1, 2, 3)), Chunk(1, 0, (4, 5, 6), (4, 5, 6))),
            gateways=(gateway,),
            clips=(clip,),
            stall_s=30,
        )
        self.out = folder / "iexec_out"

    def add(self, path: str, content: bytes) -> None:
        cid = self.content.add(content)
        self.files.append(InputFile(path, sha256_hex(content), len(content), cid))

    def replace(self, number: int, content: bytes) -> None:
        path = self.files[number].path
        self.files[number] = InputFile(path, sha256_hex(content), len(content), self.content.add(content))
        self.change(files=tuple(self.files))

    def change(self, **fields: object) -> None:
        self.manifest = replace(self.manifest, **fields)  # type: ignore[arg-type]

    def run(self, index: int = 0, **environ: str) -> int:
        came_in = self.folder / "iexec_in"
        for made in (came_in, self.out):
            made.mkdir(exist_ok=True)
        content = self.manifest.to_bytes()
        (came_in / "0xabc").write_bytes(content)
        told = {
            "IEXEC_IN": str(came_in),
            "IEXEC_OUT": str(self.out),
            "IEXEC_INPUT_FILE_NAME_1": "0xabc",
            "IEXEC_BOT_TASK_INDEX": str(index),
            "IEXEC_BOT_SIZE": str(len(self.manifest.chunks)),
        }
        return entrypoint.main(
            ["--manifest", "Qm", "--sha256", sha256_hex(content)], {**self.environ, **told, **environ}
        )

    @property
    def completed(self) -> bool:
        return (self.out / "computed.json").exists()

    def frames(self) -> FrameList:
        return FrameList.from_bytes((self.out / "frames.json").read_bytes())


@pytest.fixture
def project() -> str:
    """The text of the project that `job` renders."""
    return PROJECT.format(root=JOB_ROOT)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    content = ContentService(tmp_path / "content")
    server = WebServer([content])
    server.start()
    made = Job(tmp_path, content, server.url)
    yield made
    server.stop()
    assert list(temporary.iterdir()) == [], "the task left something in its temporary storage"
