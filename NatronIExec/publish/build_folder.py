"""The folder that an image is built from: Containerfile, Python packages, Natron, our program, licence texts.

Everything that needs a network is fetched here, checked against a hash that is known beforehand, so that the build
itself needs none and two builds hold the same bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from NatronIExec.errors import BadInput, ServiceError
from NatronIExec.manifest import sha256_of_file

PACKAGE = Path(__file__).resolve().parents[1]
#: Debian packages that every image needs, and those that the official NatronRenderer needs besides.
BASE_PACKAGES = ("ca-certificates", "python3")
NATRON_PACKAGES = (
    *("fontconfig", "fonts-dejavu-core", "libfontconfig1", "libgl1", "libglu1-mesa", "libopengl0", "libxrender1"),
)
#: The Python of Debian 12, for which `requirements.txt` names files.
_PYTHON, _PLATFORMS = "3.11", ("manylinux_2_28_x86_64", "manylinux2014_x86_64")


def lay_out(folder: Path, natron: Path | None, fetch_packages: Callable[[Path], None]) -> None:
    """Fill `folder`. `natron` is an unchanged tarball of Natron, None for the stand-in renderer; `fetch_packages` puts
    the unpacked Python packages into a folder (`python_packages`)."""
    shutil.copy(PACKAGE / "container" / "Containerfile", folder / "Containerfile")
    for name in ("python", "natron", "program", "licenses"):
        (folder / name).mkdir()
    fetch_packages(folder / "python")
    if natron is not None:
        _unpack(natron, folder / "natron")
    _program(folder / "program" / "NatronIExec")
    _licenses(folder)


def python_packages(to: Path) -> None:
    """The files that `container/requirements.txt` names by hash, unpacked. Raises ServiceError when one is gone."""
    wanted = ["--requirement", str(PACKAGE / "container" / "requirements.txt"), "--require-hashes", "--no-deps"]
    where = ["--python-version", _PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    how = ["--quiet", "--no-compile", "--disable-pip-version-check", "--target", str(to)]
    command = [sys.executable, "-m", "pip", "install", *how, *wanted, *where, *platforms]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceError("The image's Python packages cannot be fetched.", f"pip said: {done.stderr.strip()[-600:]}")
    shutil.rmtree(to / "bin", ignore_errors=True)  # scripts name this machine's Python in their first line


def checked(tarball: Path, sha256: str) -> Path:
    """The tarball, when it is whole and the one that was meant. Raises BadInput."""
    if not tarball.is_file():
        raise BadInput(f"There is no file {tarball}.", "Give the tarball of NatronRenderer, or none for a stand-in.")
    found = sha256_of_file(tarball)
    if sha256 and found != sha256.lower().removeprefix("sha256:"):
        raise BadInput(
            f"{tarball.name} is not the file that was meant: its SHA-256 is {found}.",
            "It is damaged or another version: fetch it again, or correct --sha256.",
        )
    return tarball


def _unpack(tarball: Path, to: Path) -> None:
    """Without the one folder that all official tarballs hold everything in."""
    try:
        with tarfile.open(tarball) as packed:
            packed.extractall(to, filter="tar")
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise BadInput(f"{tarball.name} cannot be unpacked: {problem}.", "Fetch it again.") from problem
    inside = list(to.iterdir())
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "bin":
        for part in inside[0].iterdir():
            shutil.move(str(part), str(to / part.name))
        inside[0].rmdir()
    if not any((to / place / "NatronRenderer").exists() for place in (".", "bin")):
        raise BadInput(f"{tarball.name} holds no NatronRenderer.", "Give a Linux tarball of Natron.")


def _program(to: Path) -> None:
    """What a task runs: the container program and the leaves that it imports."""
    shutil.copytree(PACKAGE / "container", to / "container", ignore=shutil.ignore_patterns("__pycache__"))
    for module in sorted(PACKAGE.glob("*.py")):
        shutil.copy(module, to / module.name)


def _licenses(folder: Path) -> None:
    """Of our program, of the Python packages, of Natron; Debian keeps its own in /usr/share/doc."""
    ours = (PACKAGE.parent / "LICENSE", *PACKAGE.parent.glob("natron_iexec-*.dist-info/licenses/LICENSE"))
    for text in ours:
        if text.is_file():
            shutil.copy(text, folder / "licenses" / "LICENSE")
    for info in sorted((folder / "python").glob("*.dist-info")):
        for text in sorted(path for path in info.rglob("*") if path.is_file() and _is_licence(path)):
            shutil.copy(text, folder / "licenses" / f"{info.name.split('-')[0]}-{text.name}")
    for text in sorted(path for path in (folder / "natron").glob("*") if path.is_file() and _is_licence(path)):
        shutil.copy(text, folder / "licenses" / f"natron-{text.name}")


def _is_licence(path: Path) -> bool:
    return path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
