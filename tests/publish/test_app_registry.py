"""Apps on the local chain's real registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from NatronIExec.errors import BadInput, Conflict, NotEnoughFunds
from NatronIExec.iexec.hub import Hub
from NatronIExec.publish.app_registry import AppDetails, AppRegistry, checksum_of
from NatronIExec.wallet.signer import KeySigner


@pytest.fixture
def details(publisher: Any, request: pytest.FixtureRequest) -> AppDetails:
    return AppDetails(publisher.address, request.node.name, "127.0.0.1:5000/render:1", "0x" + "cd" * 32)


def test_a_deployed_app_is_what_was_said(hub: Hub, publisher: Any, details: AppDetails) -> None:
    registry = AppRegistry(hub)
    app = registry.deploy(details, publisher)
    assert app == registry.predicted(details)
    assert registry.details(app) == details
    assert hub.owners([app]) == [publisher.address]


def test_deploying_again_sends_nothing(hub: Hub, publisher: Any, details: AppDetails) -> None:
    registry = AppRegistry(hub)
    app = registry.deploy(details, publisher)
    nonce = hub.nonce(publisher.address)
    assert AppRegistry(hub).deploy(details, publisher) == app
    assert hub.nonce(publisher.address) == nonce


def test_another_image_is_another_app(hub: Hub, publisher: Any, details: AppDetails) -> None:
    registry = AppRegistry(hub)
    moved = replace(details, checksum="0x" + "ce" * 32)
    assert registry.deploy(details, publisher) != registry.deploy(moved, publisher)


def test_only_the_owner_deploys(hub: Hub, local: Any, details: AppDetails) -> None:
    with pytest.raises(Conflict, match="would belong to"):
        AppRegistry(hub).deploy(details, local.signer("buyer"))


def test_without_gas_nothing_is_sent(hub: Hub, details: AppDetails) -> None:
    poor = KeySigner(bytes([7]) * 32)
    with pytest.raises(NotEnoughFunds, match="ETH"):
        AppRegistry(hub).deploy(replace(details, owner=poor.address), poor)


def test_an_address_that_is_no_app(hub: Hub) -> None:
    with pytest.raises(BadInput, match="is no app"):
        AppRegistry(hub).details(hub.network.workerpool)


@pytest.mark.parametrize("digest", ["", "sha256:12", "sha256:" + "g" * 64, "md5:" + "0" * 64])
def test_what_is_no_digest(digest: str) -> None:
    with pytest.raises(BadInput, match="no digest"):
        checksum_of(digest)


def test_a_digest_becomes_a_checksum() -> None:
    assert checksum_of("sha256:" + "ab" * 32) == "0x" + "ab" * 32
