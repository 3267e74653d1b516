"""Building the image of one edition, and what it turned out to hold."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from NatronIExec import __version__
from NatronIExec.errors import BadInput, ServiceError
from NatronIExec.manifest import sha256_of_file
from NatronIExec.publish.build_folder import (
    BASE_PACKAGES,
    NATRON_PACKAGES,
    checked,
    lay_out,
    python_packages,
)
from NatronIExec.publish.container_tools import ContainerTool

EDITIONS = ("free", "distributed")
#: All files of an image have this time, so that two builds are alike: 2024-01-01.
MADE_S = 1704067200
CONTENTS = "/opt/natron-iexec.json"
STAND_IN, NATRON = "stand-in", "natron"


@dataclass(frozen=True)
class BuildOrder:
    """What to build. `base` is an image's name or a root file system as a tarball, "" for the Containerfile's own;
    `natron` a tarball of Natron with its SHA-256, None for the stand-in; `packages` Debian packages that this Natron
    needs beside those of the official one."""

    edition: str
    tag: str
    base: str = ""
    natron: Path | None = None
    sha256: str = ""
    packages: Sequence[str] = ()


@dataclass(frozen=True)
class BuiltImage:
    """`id` identifies the content: same inputs, same id. `contents` is the image's own list of plug-ins, formats, fonts
    and colour configs (`container.contents`)."""

    tag: str
    id: str
    edition: str
    renderer: str
    natron_sha256: str
    contents: Mapping[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def build(
    order: BuildOrder,
    tool: ContainerTool,
    say: Callable[[str], None] = lambda line: None,
    fetch_packages: Callable[[Path], None] = python_packages,
) -> BuiltImage:
    """Raises BadInput for what cannot be built, ServiceError when the tool cannot."""
    if order.edition not in EDITIONS:
        raise BadInput(f"There is no edition {order.edition}.", f"Choose one of {', '.join(EDITIONS)}.")
    natron = checked(order.natron, order.sha256) if order.natron else None
    renderer = NATRON if natron else STAND_IN
    with tempfile.TemporaryDirectory(prefix="natron-iexec-build-") as made:
        folder = Path(made)
        say("Laying out the files of the image")
        lay_out(folder, natron, fetch_packages)
        arguments = {
            "PACKAGES": " ".join([*BASE_PACKAGES, *(NATRON_PACKAGES if natron else ()), *order.packages]),
            "EDITION": order.edition,
            "RENDERER": renderer,
            "VERSION": __version__,
        }
        if order.base:
            say(f"Base: {order.base}")
            arguments["BASE"] = _base(order.base, tool)
        say(f"Building {order.tag} with {tool.name}")
        tool.build(folder, order.tag, arguments, MADE_S)
    return BuiltImage(
        order.tag,
        tool.image_id(order.tag),
        order.edition,
        renderer,
        sha256_of_file(natron) if natron else "",
        contents_of_image(order.tag, tool),
    )


def contents_of_image(tag: str, tool: ContainerTool) -> dict[str, Any]:
    """The list that the image made of itself while it was built."""
    said = tool.run(tag, ["-c", f"print(open({CONTENTS!r}).read())"], entrypoint="python3")
    try:
        return dict(json.loads(said))
    except ValueError as problem:
        raise ServiceError(f"The image {tag} holds no list of its contents.", "Build it again.") from problem


def _base(base: str, tool: ContainerTool) -> str:
    """The image to begin with; a tarball becomes one, named by its hash so that it is imported once."""
    file = Path(base)
    if not file.is_file():
        return base
    tag = f"localhost/natron-iexec-base:{sha256_of_file(file)[:16]}"
    if not tool.cache or not tool.has(tag):
        with tempfile.TemporaryDirectory(prefix="natron-iexec-base-", dir=file.parent) as made:
            folder = Path(made)
            (folder / "Containerfile").write_text("FROM scratch\nADD base.tar /\n")
            os.link(file, folder / "base.tar")
            tool.build(folder, tag, {}, MADE_S)
    return tag


def make_base(to: Path, packages: Sequence[str], suite: str = "bookworm") -> Path:
    """A root file system of Debian with what an image needs, by mmdebstrap, for builds that reach no image registry."""
    wanted = ",".join(packages)
    how = ["--variant=minbase", f"--include={wanted}", "--quiet", suite, str(to)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(MADE_S)}
    try:
        done = subprocess.run(["mmdebstrap", *how], env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as problem:
        raise ServiceError("mmdebstrap is not installed.", "Debian: apt install mmdebstrap.") from problem
    if done.returncode:
        raise ServiceError("The base cannot be made.", f"mmdebstrap said: {done.stderr.strip()[-600:]}")
    return to
