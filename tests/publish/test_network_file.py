"""What a publisher hands out is believed only when the account that owns the apps signed it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import BadInput, Conflict
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.network import load_networks
from NatronIExec.manifest import canonical
from NatronIExec.publish.app_registry import AppRegistry
from NatronIExec.publish.network_file import NetworkFile, add, check, read

CHECKSUM = "0x" + "ab" * 32


@pytest.fixture
def made(local: Any, publisher: Any, fresh_app: str) -> NetworkFile:
    apps = {"distributed": fresh_app, "free": local.network.app_single}
    images = {CHECKSUM: {"plugins": {"a.b": [1]}}}
    return NetworkFile("local", local.network.chain_id, apps, images, publisher.address).signed_by(publisher)


def test_it_is_read_checked_and_used(made: NetworkFile, hub: Hub, fresh_app: str, tmp_path: Path) -> None:
    file = read(made.to_bytes())
    assert file == made
    check(file, hub.network, AppRegistry(hub))
    networks = tmp_path / "state" / "networks.json"
    networks.parent.mkdir()
    networks.write_text(json.dumps({"local": {"chain_id": 31337, "hub": hub.network.hub, "rlc": hub.network.rlc,
                                              "rpc": hub.network.rpc, "title": "mine"}}))  # fmt: skip
    add(file, networks, tmp_path / "state" / "images")
    known = load_networks(networks)["local"]
    assert (known.app, known.title) == (fresh_app, "mine")
    assert json.loads((tmp_path / "state" / "images" / f"{CHECKSUM}.json").read_text()) == made.images[CHECKSUM]


def test_a_stranger_cannot_sign_for_apps_of_others(made: NetworkFile, hub: Hub, local: Any) -> None:
    stranger = local.signer("buyer")
    theirs = replace(made, publisher=stranger.address).signed_by(stranger)
    with pytest.raises(Conflict, match="not to"):
        check(read(theirs.to_bytes()), hub.network, AppRegistry(hub))


def test_what_was_changed_afterwards_is_refused(made: NetworkFile, local: Any) -> None:
    with pytest.raises(BadInput, match="is signed by"):
        read(replace(made, apps={"distributed": local.network.workerpool}).to_bytes())
    with pytest.raises(BadInput, match="signature is damaged|is signed by|no network file"):
        read(replace(made, signature="0x" + "11" * 65).to_bytes())


def test_the_file_of_another_chain(made: NetworkFile, hub: Hub) -> None:
    with pytest.raises(BadInput, match="is for chain"):
        check(made, replace(hub.network, chain_id=1), AppRegistry(hub))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format": 1}', b"\xff", canonical({"format": 2, "apps": {}}), b"[" * 10_000],
)
def test_what_is_no_network_file(content: bytes) -> None:
    with pytest.raises(BadInput, match="no network file|too large|damaged"):
        read(content)


@pytest.mark.parametrize(
    "change",
    [
        {"network": "../x", "apps": {"distributed": "0x1"}},
        {"images": {"../../etc/passwd": {}}},
        {"apps": {"golden": "0x" + "11" * 20}},
        {"apps": {}},
    ],
)
def test_fields_that_nobody_should_write(made: NetworkFile, publisher: Any, change: dict[str, Any]) -> None:
    signed = replace(made, **change).signed_by(publisher)
    with pytest.raises(BadInput, match="no network file"):
        read(signed.to_bytes())
