"""The program that builds, runs and pushes images: docker, podman or buildah, whichever of them works here."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from NatronIExec.errors import BadInput, ServiceError

#: In order of preference. Docker needs a service that answers; the others need none.
TOOLS = ("docker", "podman", "buildah")
#: For a tool to say whether it works; a Docker client waits for a service that is not there.
ANSWER_S = 30
PLATFORM = "linux/amd64"


@dataclass(frozen=True)
class ContainerTool:
    """`name` is one of TOOLS; `cache` allows layers of earlier builds to be used. Methods raise ServiceError with the
    end of what the tool said."""

    name: str
    cache: bool = True

    def build(self, folder: Path, tag: str, arguments: Mapping[str, str], made_s: int) -> None:
        """Build `folder`/Containerfile as `tag`. `made_s` is the time that all files of the image get, so that the same
        inputs make the same image."""
        given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        given += [] if self.cache else ["--no-cache"]
        common = ["--platform", PLATFORM, "--file", str(folder / "Containerfile"), "--tag", tag, *given]
        labels = [word for name, value in _labels(arguments).items() for word in ("--label", f"{name}={value}")]
        if self.name == "docker":
            how = ["build", "--build-arg", f"SOURCE_DATE_EPOCH={made_s}", "--provenance=false"]
        else:
            # Without this isolation a build needs rights over the machine's limits that root in a container lacks.
            how = ["build", "--isolation", "chroot", "--timestamp", str(made_s), "--format", "oci", "--layers"]
        self._do([*how, *common, *labels, str(folder)], "The image cannot be built.")

    def run(self, tag: str, command: Sequence[str], entrypoint: str = "", network: bool = False) -> str:
        """What a command in the image prints. The root file system is read-only, as a strict worker has it."""
        if self.name == "buildah":
            return self._run_by_buildah(tag, command, entrypoint)
        how = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--network", "host" if network else "none"]
        how += ["--entrypoint", entrypoint] if entrypoint else []
        return self._do([*how, tag, *command], f"The image {tag} does not run.")

    def _run_by_buildah(self, tag: str, command: Sequence[str], entrypoint: str) -> str:
        container = self._do(["from", tag], f"The image {tag} does not run.").strip()
        try:
            first = [entrypoint] if entrypoint else self._config(container)["Entrypoint"]
            how = ["run", "--isolation", "chroot", container, "--"]
            return self._do([*how, *first, *command], f"The image {tag} does not run.")
        finally:
            self._do(["rm", container], "The working container cannot be removed.")

    def _config(self, container: str) -> dict[str, Any]:
        found = json.loads(self._do(["inspect", "--type", "container", container], "The image cannot be read."))
        return dict(found["OCIv1"]["config"])

    def image_id(self, tag: str) -> str:
        """The id of the image's configuration: the same for the same content, wherever it was built."""
        kind = ["inspect", "--type", "image"] if self.name == "buildah" else ["image", "inspect"]
        pattern = "{{.FromImageID}}" if self.name == "buildah" else "{{.Id}}"
        found = self._do([*kind, "--format", pattern, tag], f"There is no image {tag}.").strip()
        return found.removeprefix("sha256:")

    def has(self, tag: str) -> bool:
        try:
            return bool(self.image_id(tag))
        except ServiceError:
            return False

    def push(self, tag: str, to: str, insecure: bool) -> str:
        """Push an image to a registry under the name `to`; returns the digest of its manifest there, "sha256:…"."""
        self._do(["tag", tag, to], f"The image {tag} cannot be named {to}.")
        if self.name == "docker":
            self._do(["push", to], f"{to} cannot be pushed.")
            said = self._do(["image", "inspect", "--format", "{{json .RepoDigests}}", to], "No digest was said.")
            wanted = to.rsplit(":", 1)[0] + "@"
            return next(str(known)[len(wanted) :] for known in json.loads(said) if str(known).startswith(wanted))
        with tempfile.TemporaryDirectory(prefix="natron-iexec-") as folder:
            digest = Path(folder) / "digest"
            how = ["push", "--digestfile", str(digest), *(["--tls-verify=false"] if insecure else []), to]
            self._do(how, f"{to} cannot be pushed.")
            return digest.read_text().strip()

    def _do(self, arguments: Sequence[str], title: str) -> str:
        done = subprocess.run([self.name, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise ServiceError(title, f"{self.name} said: {' '.join(said[-3:])[-600:]}")
        return done.stdout


def find_tool(wanted: str = "") -> ContainerTool:
    """The first of TOOLS that works, or the one that is `wanted`. Raises BadInput or ServiceError without one."""
    if wanted and wanted not in TOOLS:
        raise BadInput(f"{wanted} builds no images.", f"Use one of {', '.join(TOOLS)}.")
    for name in (wanted,) if wanted else TOOLS:
        if shutil.which(name) and _works(name):
            return ContainerTool(name)
    raise ServiceError(
        f"{wanted or 'No program that builds images'} does not work on this machine.",
        "Install podman or buildah (Debian: apt install podman), or start Docker.",
    )


def _works(name: str) -> bool:
    asked = {"docker": ["docker", "version", "--format", "{{.Server.Version}}"]}.get(name, [name, "info"])
    try:
        return subprocess.run(asked, capture_output=True, timeout=ANSWER_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _labels(arguments: Mapping[str, str]) -> dict[str, str]:
    """What the image says of itself to whoever inspects it."""
    return {
        "org.opencontainers.image.title": "Natron render task for iExec",
        "org.opencontainers.image.licenses": "GPL-2.0-or-later",
        "org.opencontainers.image.version": arguments.get("VERSION", ""),
        "natron-iexec.edition": arguments.get("EDITION", ""),
        "natron-iexec.renderer": arguments.get("RENDERER", ""),
    }
