"""The image, built and run for real, with the stand-in renderer; the real one is `natron`."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from NatronIExec import __version__
from NatronIExec.errors import BadInput, ServiceError
from NatronIExec.manifest import sha256_of_file
from NatronIExec.publish.build_folder import checked
from NatronIExec.publish.container_tools import ContainerTool, find_tool
from NatronIExec.publish.image_build import MADE_S, BuildOrder, BuiltImage, build

#: The first build on a machine makes a Debian from its packages.
pytestmark = pytest.mark.timeout(1200)


def inside(tool: ContainerTool, image: BuiltImage, code: str) -> str:
    return tool.run(image.tag, ["-c", code], entrypoint="python3").strip()


def test_it_says_what_it_is(tool: ContainerTool, image: BuiltImage, free_image: BuiltImage) -> None:
    assert (image.renderer, image.edition, free_image.edition) == ("stand-in", "distributed", "free")
    labels = json.loads(tool._do(["image", "inspect", "--format", "{{json .Labels}}", image.tag], "labels"))
    assert labels["natron-iexec.renderer"] == "stand-in"
    assert labels["org.opencontainers.image.version"] == __version__
    assert inside(tool, free_image, "import os; print(os.environ['NATRON_IEXEC_EDITION'])") == "free"


def test_its_contents_are_what_it_holds(tool: ContainerTool, image: BuiltImage) -> None:
    assert image.contents["renderer"] == "slate"
    assert image.contents["plugins"] == {}
    said = inside(
        tool, image, "import subprocess; print(subprocess.check_output(['dpkg-query','-W','python3']).decode())"
    )
    assert image.contents["debian"]["python3"] == said.split()[1]


def test_it_starts_as_root_and_has_a_user_for_the_renderer(tool: ContainerTool, image: BuiltImage) -> None:
    assert inside(tool, image, "import os; print(os.geteuid())") == "0"
    assert inside(tool, image, "import pwd; print(pwd.getpwnam('render').pw_uid)") == "1000"


def test_the_same_inputs_make_the_same_image(tool: ContainerTool, base: Path, image: BuiltImage) -> None:
    """Without the layers of the first build: only its content could make them equal."""
    again = build(BuildOrder("distributed", "localhost/natron-iexec-test:again", str(base)), replace(tool, cache=False))
    assert again.id == image.id


def test_licences_are_in_it(tool: ContainerTool, image: BuiltImage) -> None:
    listed = inside(tool, image, "import os; print(sorted(os.listdir('/usr/share/doc/natron-iexec')))")
    assert "'LICENSE'" in listed
    for package in ("numpy", "cryptography", "openimageio"):
        assert f"'{package}-" in listed.lower()


def test_a_tarball_that_is_not_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "natron.tar.xz"
    with pytest.raises(BadInput, match="no file"):
        checked(file, "")
    file.write_bytes(b"half a download")
    with pytest.raises(BadInput, match="not the file that was meant"):
        checked(file, "0" * 64)
    assert checked(file, "sha256:" + sha256_of_file(file)) == file


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_a_damaged_tarball_is_said(tool: ContainerTool, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "natron.tar.xz"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="cannot be unpacked"):
        build(BuildOrder("free", "x", natron=file), tool, fetch_packages=lambda to: None)


def test_a_tarball_of_something_else_is_said(tool: ContainerTool, tmp_path: Path) -> None:
    file = tmp_path / "other.tar"
    with tarfile.open(file, "w") as packed:
        packed.add(__file__, "other/readme.txt")
    with pytest.raises(BadInput, match="holds no NatronRenderer"):
        build(BuildOrder("free", "x", natron=file), tool, fetch_packages=lambda to: None)


def test_an_edition_that_there_is_not(tool: ContainerTool) -> None:
    with pytest.raises(BadInput, match="no edition"):
        build(BuildOrder("golden", "x"), tool)


def test_a_tool_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="builds images"):
        find_tool()
    with pytest.raises(BadInput, match="builds no images"):
        find_tool("tar")


def test_files_of_the_image_have_one_time(tool: ContainerTool, image: BuiltImage) -> None:
    where = "/usr/lib/python3/dist-packages/NatronIExec/manifest.py"
    assert inside(tool, image, f"import os; print(int(os.stat({where!r}).st_mtime))") == str(MADE_S)


def test_it_tests_itself_without_network_and_with_a_read_only_root(tool: ContainerTool, image: BuiltImage) -> None:
    said = tool.run(image.tag, ["--self-test"])
    assert "stand-in" in said
    assert said.splitlines()[-1].startswith("Self-test passed")
