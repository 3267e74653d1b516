"""Running a task as the container that real workers run, where a Docker engine answers and an image was named.

Nothing of it runs in our own tests but the command line: there is no engine where they run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, Sequence

from NatronIExec.errors import ServiceError

#: Names the image, e.g. natron-iexec/render:0.1.0; without it tasks run as child processes.
VARIABLE = "NATRON_IEXEC_DEVNET_IMAGE"
#: Where a worker mounts them (common IexecFileHelper.java).
IN, OUT = Path("/iexec_in"), Path("/iexec_out")
ANSWER_S = 30


def image() -> str:
    """Raises ServiceError when one is named that cannot be run."""
    named = os.environ.get(VARIABLE, "")
    if named and not _engine_answers():
        raise ServiceError(
            f"{VARIABLE} names {named}, and no Docker engine answers.",
            "Start Docker, or unset it: tasks then run as child processes.",
        )
    return named


def command(
    named: str, name: str, arguments: Sequence[str], variables: Sequence[str], folder: Path, memory_bytes: int = 0
) -> list[str]:
    """`docker run` for one task whose folders are below `folder`. Variables are passed by name, so that no secret is an
    argument. As on real workers no user is said and /iexec_in cannot be written to (AppComputeService.java). It has the
    machine's network, since the local one listens on the loopback only."""
    passed = [word for variable in sorted(variables) for word in ("--env", variable)]
    task = folder.absolute()
    mounts = ["--volume", f"{task / 'iexec_in'}:{IN}:ro", "--volume", f"{task / 'iexec_out'}:{OUT}"]
    how = ["--rm", "--init", "--name", name, "--network", "host"]
    how += ["--memory", str(memory_bytes)] if memory_bytes else []
    return ["docker", "run", *how, *mounts, *passed, named, *arguments]


def reclaim(named: str, folder: Path) -> None:
    """Make what a container left below `folder` our user's: it was root's, and could not be removed."""
    if os.getuid() == 0:
        return
    mounted = ["--volume", f"{folder.absolute()}:/task", "--entrypoint", "chown", named]
    owner = f"{os.getuid()}:{os.getgid()}"
    command = ["docker", "run", "--rm", "--network", "none", *mounted, "-R", owner, "/task"]
    subprocess.run(command, capture_output=True, timeout=ANSWER_S, check=False)


def user_of(containerfile: str) -> str:
    """Whom the program of an image runs as by its Containerfile: a name or number, "" for root."""
    found = re.findall(r"^USER\s+(\S+)", containerfile, re.MULTILINE)
    return "" if not found or found[-1] in ("root", "0") else str(found[-1])


def open_to_all(*paths: Path) -> bool:
    """Whether every user can reach these."""
    return all(part.stat().st_mode & 0o005 == 0o005 for path in paths for part in (path, *path.parents))


def inside(environment: Mapping[str, str]) -> dict[str, str]:
    """Of a task's `environment`, what a worker gives a container: no more than iExec's own variables, its paths."""
    ours = {name: value for name, value in environment.items() if name.startswith("IEXEC_")}
    ours.update({"IEXEC_IN": str(IN), "IEXEC_OUT": str(OUT)})
    if "IEXEC_INPUT_FILES_FOLDER" in ours:
        ours["IEXEC_INPUT_FILES_FOLDER"] = str(IN)
    return ours


def client() -> dict[str, str]:
    """What `docker` itself needs of our environment."""
    keep = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in keep if name in os.environ}


def remove(name: str) -> None:
    """End the container: it is the engine's child, not ours. One that has ended is no error."""
    subprocess.run(["docker", "rm", "--force", name], capture_output=True, timeout=ANSWER_S, check=False)


def _engine_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(asked, capture_output=True, timeout=ANSWER_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
