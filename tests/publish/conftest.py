"""Images built for real by podman or buildah, pushed to a real registry on this machine; apps on the local chain."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from NatronIExec.devnet.install import modules_folder
from NatronIExec.errors import ServiceError
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.transport import Transport
from NatronIExec.publish.app_registry import AppDetails, AppRegistry
from NatronIExec.publish.build_folder import BASE_PACKAGES
from NatronIExec.publish.container_tools import ContainerTool, find_tool
from NatronIExec.publish.image_build import BuildOrder, BuiltImage, build, make_base

#: What a machine without systemd and its own groups of processes needs (as in a build server's container).
CONTAINERS = """[engine]
cgroup_manager="cgroupfs"
runtime="runc"
[containers]
netns="host"
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
"""
STORAGE = '[storage]\ndriver="overlay"\ngraphroot="{folder}/graph"\nrunroot="{folder}/run"\n'
#: Made once for a user: a Debian from its packages takes half a minute.
BASE = modules_folder().parent / "image-base" / f"{'-'.join(BASE_PACKAGES)}.tar"
#: For a registry that was started to answer.
PATIENCE_S = 30


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerTool]:
    """Podman with its images in a folder of its own, removed afterwards."""
    for needed in ("podman", "runc"):
        if not shutil.which(needed):
            pytest.skip(f"{needed} is not installed")
    if os.geteuid() != 0:
        pytest.skip("images are built as root here")
    folder = tmp_path_factory.mktemp("containers")
    (folder / "containers.conf").write_text(CONTAINERS)
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    os.environ["CONTAINERS_CONF"] = str(folder / "containers.conf")
    os.environ["CONTAINERS_STORAGE_CONF"] = str(folder / "storage.conf")
    try:
        yield find_tool("podman")
    except ServiceError as problem:
        pytest.skip(f"podman does not work here: {problem}")
    finally:
        subprocess.run(["podman", "rmi", "--all", "--force"], capture_output=True, check=False)
        subprocess.run(["umount", str(folder / "graph" / "overlay")], capture_output=True, check=False)


@pytest.fixture(scope="session")
def base() -> Path:
    """A small Debian as a tarball."""
    if not BASE.exists():
        if not shutil.which("mmdebstrap"):
            pytest.skip("mmdebstrap is not installed")
        BASE.parent.mkdir(parents=True, exist_ok=True)
        part = BASE.with_name(f"{os.getpid()}-{BASE.name}")
        make_base(part, BASE_PACKAGES)
        part.replace(BASE)
    return BASE


@pytest.fixture(scope="session")
def image(tool: ContainerTool, base: Path) -> BuiltImage:
    """The distributed edition with the stand-in renderer."""
    return build(BuildOrder("distributed", "localhost/natron-iexec-test:distributed", str(base)), tool)


@pytest.fixture(scope="session")
def free_image(tool: ContainerTool, base: Path, image: BuiltImage) -> BuiltImage:
    return build(BuildOrder("free", "localhost/natron-iexec-test:free", str(base)), tool)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real image registry."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    child = subprocess.Popen([program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(address, child)
        yield address
    finally:
        child.terminate()
        child.wait()


def _wait_for(address: str, child: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            assert child.poll() is None, "the registry has ended"
            assert time.monotonic() < give_up, "the registry does not listen"


@pytest.fixture
def hub(local: Any) -> Hub:
    return Hub(local.network, Transport())


@pytest.fixture
def market(hub: Hub) -> Market:
    return Market(hub.network, hub.transport)


@pytest.fixture
def publisher(local: Any) -> Any:
    return local.signer("app_owner")


@pytest.fixture
def fresh_app(hub: Hub, publisher: Any, request: pytest.FixtureRequest) -> str:
    """An app of this test alone."""
    details = AppDetails(publisher.address, request.node.name, "example/render:1", "0x" + "ab" * 32)
    return AppRegistry(hub).deploy(details, publisher)
