"""Pictures from workers are decoded in a separate process: a hostile file may crash it, fill its memory or keep it
busy, but there are no keys in it, and the engine goes on.

`python -m NatronIExec.farm.run.image_decoder` is that program: one JSON line a question, one an answer, until its input
ends.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from NatronIExec import images, paths
from NatronIExec.errors import BadInput

#: The memory limit (address space) of one decoder in bytes: many times what a strip of pixels and a file's tables need.
MEMORY = 8 << 30
#: As many as there are threads that collect.
PROCESSES = 2
#: Time limit in seconds for one picture. The largest frames take a few; a file that takes longer is hostile.
PATIENCE_S = 600.0
_READY = "ready"
_COMMAND = (sys.executable, "-m", "NatronIExec.farm.run.image_decoder")


class Decoder:
    """The functions of `images`, run in decoder processes that `command` starts when they are first needed. Safe for
    several threads. A picture that crashes its decoder twice raises BadInput like any other bad file."""

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        self._command = command
        self._places = threading.BoundedSemaphore(PROCESSES)
        self._idle: list[_Program] = []
        self._stopped = False

    def check(self, path: Path) -> None:
        """Raises BadInput when it is not a whole picture."""
        self._ask("check", path)

    def pixel_hash(self, path: Path) -> str:
        """`images.pixel_hash`. Raises BadInput."""
        return str(self._ask("pixel_hash", path))

    def thumbnail_png(self, path: Path, size: int, to: Path) -> None:
        """`images.thumbnail_png`. Raises BadInput, or OSError when `to` cannot be written."""
        self._ask("thumbnail_png", path, size, str(to))

    def stop(self) -> None:
        """Stop the decoders; busy ones end after their answer."""
        self._stopped = True
        while self._idle:
            self._idle.pop().end()

    def _ask(self, what: str, path: Path, *more: Any) -> Any:
        with self._places:
            for _ in range(2):
                with contextlib.suppress(_Ended):
                    return self._once([what, str(path), *more])
        raise BadInput(f"{path.name} cannot be decoded.")

    def _once(self, question: list[Any]) -> Any:
        try:
            program = self._idle.pop()
        except IndexError:
            program = _Program(self._command)
        answer = program.ask(question)
        self._idle.append(program)
        if self._stopped:
            self.stop()
        if "bad" in answer:
            raise BadInput(answer["bad"])
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]), answer["file"])
        return answer["result"]


class _Ended(Exception):
    """The decoder process ended without an answer."""


class _Program:
    """One running decoder process, used by one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raises OSError if the process does not start, which is not the picture's fault."""
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Python imports from the working folder first, so it is one where nobody puts a json.py
            cwd=paths.private_folder(paths.home()),
            encoding="utf-8",
            errors="surrogatepass",
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to, self._from = self._child.stdin, self._child.stdout
        if self._from.readline().strip() != _READY:
            self.end()
            raise OSError(errno.ENOEXEC, "The picture decoder does not start", sys.executable)

    def ask(self, question: list[Any]) -> dict[str, Any]:
        """Raises _Ended."""
        limit = threading.Timer(PATIENCE_S, self._child.kill)
        limit.start()
        try:
            self._to.write(json.dumps(question) + "\n")
            self._to.flush()
            answer: dict[str, Any] = json.loads(self._from.readline())
            return answer
        except (OSError, ValueError) as problem:
            self.end()
            raise _Ended from problem
        finally:
            limit.cancel()

    def end(self) -> None:
        self._child.kill()
        self._child.wait()
        with contextlib.suppress(OSError):
            self._to.close()
        self._from.close()


def main() -> None:
    """Answer questions until the engine closes our standard input or ends."""
    _limit_memory()
    with _our_output() as out:
        print(_READY, file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), file=out, flush=True)


def _answer(question: list[Any]) -> dict[str, Any]:
    what, path, *more = question
    try:
        if what == "check":
            images.check(Path(path))
            return {"result": None}
        if what == "pixel_hash":
            return {"result": images.pixel_hash(Path(path))}
        size, to = more
        images.thumbnail_png(Path(path), size, Path(to))
        return {"result": None}
    except BadInput as problem:
        return {"bad": problem.title}
    except MemoryError:
        return {"bad": f"{Path(path).name} does not fit into memory."}
    except OSError as problem:
        return {"errno": problem.errno or errno.EIO, "file": str(problem.filename or path)}


@contextlib.contextmanager
def _our_output() -> Iterator[IO[str]]:
    """Keep standard output for answers; what libraries print is discarded."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogatepass") as out:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        yield out


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))


if __name__ == "__main__":
    main()
