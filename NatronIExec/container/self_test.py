"""`--self-test`: the image renders one frame of a project of its own and checks it, as a task of a job would.

No network is needed: the inputs are served by this very process. For whoever has built or pulled an image.
"""

from __future__ import annotations

import http.server
import json
import tempfile
import threading
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from NatronIExec import images
from NatronIExec.container.voice import Voice
from NatronIExec.errors import BadInput
from NatronIExec.manifest import Chunk, FrameList, InputFile, Manifest, ManifestWriter, sha256_hex

PROJECT = Path(__file__).with_name("self_test.ntp")
SIZE = (64, 36)
LIMIT_S = 300
_WRITER = "Write1"

Run = Callable[[Sequence[str], Mapping[str, str]], int]


def self_test(run: Run, environ: Mapping[str, str]) -> int:
    """Run one task with `run` (the entrypoint's own main); 0 when its frame is there and a whole picture."""
    with tempfile.TemporaryDirectory(prefix="natron-iexec-self-test-") as made:
        folder = Path(made)
        plate = folder / "plate.0001.png"
        images.draw_slate(plate, SIZE, ["self-test"], 0.5)
        inputs = {"project.ntp": PROJECT.read_bytes(), "in/plate.0001.png": plate.read_bytes()}
        with _Served({f"/ipfs/{number}": content for number, content in enumerate(inputs.values())}) as gateway:
            manifest = _manifest(inputs, gateway)
            code = run(*_task(folder, manifest, environ))
        if code:
            return code
        try:
            _check(folder / "out", manifest)
        except (BadInput, OSError, ValueError, StopIteration) as problem:
            Voice().failed(f"the frame is not what was asked for: {problem}")
            return 1
    Voice().say("Self-test passed: one frame was rendered and checked.")
    return 0


def _manifest(inputs: Mapping[str, bytes], gateway: str) -> Manifest:
    files = tuple(
        InputFile(path, sha256_hex(content), len(content), str(number))
        for number, (path, content) in enumerate(inputs.items())
    )
    return Manifest(
        job="self-test",
        project=0,
        writers=(ManifestWriter(_WRITER, "png"),),
        files=files,
        chunks=(Chunk(0, 0, (1,), (1,)),),
        gateways=(gateway,),
        clips=((1,),),
        stall_s=LIMIT_S,
    )


def _task(folder: Path, manifest: Manifest, environ: Mapping[str, str]) -> Tuple[List[str], Dict[str, str]]:
    """What a worker would start the program with."""
    content = manifest.to_bytes()
    for name in ("in", "out"):
        (folder / name).mkdir()
    (folder / "in" / "manifest").write_bytes(content)
    told = {
        "IEXEC_IN": str(folder / "in"),
        "IEXEC_OUT": str(folder / "out"),
        "IEXEC_INPUT_FILE_NAME_1": "manifest",
        "IEXEC_BOT_TASK_INDEX": "0",
        "IEXEC_BOT_SIZE": "1",
    }
    return ["--manifest", "self-test", "--sha256", sha256_hex(content)], {**environ, **told}


def _check(out: Path, manifest: Manifest) -> None:
    """Raises BadInput, or what reading a damaged result raises."""
    json.loads((out / "computed.json").read_text())
    frames = FrameList.from_bytes((out / "frames.json").read_bytes())
    (frame,) = frames.frames
    file = out / frame.file
    if sha256_hex(file.read_bytes()) != frame.sha256:
        raise BadInput("its hash is another one", "Build the image again.")
    images.check(file)


class _Served:
    """`content` by path, on a free port of this machine alone."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = content.get(self.path)
                self.send_response(200 if found is not None else 404)
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, *_: object) -> None:
                """Requests are no news."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
