"""No child, and no child of a child, outlives whoever started it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable, Iterator

import pytest

from NatronIExec.container.renderer import Bounds, run
from NatronIExec.devnet import processes, sandbox
from NatronIExec.devnet.processes import spawn, stop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")

#: A renderer as Natron's own is: a script that starts a program. Both hold the pipe open while they live.
RENDERER = """#!/bin/sh
exec 3>"$PIPE"
sleep 1000 &
echo up >&3
wait
"""
#: Like the container program: runs the renderer and follows it.
CONTAINER = """
import os, pathlib, sys
from NatronIExec.container.renderer import Bounds, run
run([sys.argv[1]], os.environ, pathlib.Path.cwd(), Bounds(1000), print)
"""


class Renderers:
    """`command` runs one below a container program. `ended` says whether all that it began ended in time."""

    def __init__(self, folder: Path) -> None:
        self.pipe = folder / "pipe"
        os.mkfifo(self.pipe)
        script = folder / "renderer"
        script.write_text(RENDERER)
        script.chmod(0o755)
        self.script = script
        self.command = [sys.executable, "-c", CONTAINER, str(script)]
        self.environment = {**os.environ, "PIPE": str(self.pipe)}
        self._reading = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)

    def wait_until_up(self) -> None:
        assert select.select([self._reading], [], [], 60)[0]
        assert os.read(self._reading, 100) == b"up\n"

    def ended(self) -> bool:
        """The pipe has no writer left."""
        return bool(select.select([self._reading], [], [], 20)[0]) and os.read(self._reading, 100) == b""

    def close(self) -> None:
        os.close(self._reading)


@pytest.fixture
def renderers(tmp_path: Path) -> Iterator[Renderers]:
    made = Renderers(tmp_path)
    yield made
    made.close()


def test_a_task_is_ended_with_its_renderer(renderers: Renderers, tmp_path: Path) -> None:
    stopping = threading.Event()
    how = (renderers.command, renderers.environment, tmp_path, sandbox.Terms(1000), stopping)
    task = threading.Thread(target=sandbox._run, args=how)
    task.start()
    renderers.wait_until_up()
    stopping.set()
    task.join(60)
    assert renderers.ended()


def test_a_network_that_is_killed_takes_the_renderers_along(renderers: Renderers, tmp_path: Path) -> None:
    network = f"""
import pathlib, signal, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # as the daemon does
from NatronIExec.devnet import sandbox
folder, terms = pathlib.Path({str(tmp_path)!r}), sandbox.Terms(1000)
sandbox._run({renderers.command!r}, {renderers.environment!r}, folder, terms, threading.Event())
"""
    daemon = subprocess.Popen([sys.executable, "-c", network])
    renderers.wait_until_up()
    daemon.kill()
    daemon.wait()
    assert renderers.ended()


def test_a_container_that_is_asked_to_end_ends_its_renderer(renderers: Renderers, tmp_path: Path) -> None:
    container = subprocess.Popen(renderers.command, env=renderers.environment, cwd=tmp_path)
    renderers.wait_until_up()
    container.terminate()
    assert container.wait(60) == 128 + signal.SIGTERM
    assert renderers.ended()


def test_a_renderer_also_runs_where_no_signal_can_be_caught(tmp_path: Path) -> None:
    found: list[object] = []
    before = signal.getsignal(signal.SIGTERM)
    say: Callable[[], None] = lambda: found.append(run(["true"], os.environ, tmp_path, Bounds(10), print))  # noqa: E731
    aside = threading.Thread(target=say)
    aside.start()
    aside.join()
    say()
    assert len(found) == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_child_lives_as_long_as_the_process_not_as_its_thread(tmp_path: Path) -> None:
    children: list[subprocess.Popen[bytes]] = []
    aside = threading.Thread(target=lambda: children.append(spawn(["sleep", "1000"], tmp_path / "log")))
    aside.start()
    aside.join()
    with pytest.raises(subprocess.TimeoutExpired):
        children[0].wait(1)
    stop(children[0])


def test_a_parent_that_died_meanwhile_is_noticed() -> None:
    another = processes._dying_with(os.getppid(), signal.SIGKILL)
    assert subprocess.run(["true"], preexec_fn=another, check=False).returncode == 1


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "rpc.port"
    port = processes.kept_port(file)
    assert processes.kept_port(file) == port
    with socket.create_server(("127.0.0.1", port)):
        assert processes.kept_port(file) != port
    file.write_text("99999999")
    assert 0 < processes.kept_port(file) < 65536
