"""Networks from a file that a person wrote."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.errors import BadInput
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.network import BUILT_IN, load_networks
from NatronIExec.iexec.orders import NULL_DATASET, hash_order
from NatronIExec.iexec.transport import Transport

HUB = BUILT_IN["arbitrum"].hub
MINE = {"chain_id": 7, "hub": HUB, "rlc": HUB, "rpc": "http://127.0.0.1:1"}


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(content: Any) -> dict[str, Any]:
        file = tmp_path / "networks.json"
        file.write_text(json.dumps(content))
        return load_networks(file)

    return write


def test_addresses_may_be_spelt_in_any_way(written: Any) -> None:
    """A hub in lower case signs the same."""
    networks = written({"mine": {**MINE, "hub": HUB.lower(), "rlc": HUB.lower()}, "other": MINE})
    assert networks["mine"].hub == HUB
    assert networks["mine"].rlc == HUB
    hubs = [Hub(networks[name], Transport()) for name in ("mine", "other")]
    assert len({hash_order(NULL_DATASET, hub.domain) for hub in hubs}) == 1


def test_a_built_in_network_may_be_changed_in_part(written: Any) -> None:
    changed = written({"arbitrum": {"rpc": "https://rpc.example/key/"}})["arbitrum"]
    assert changed == replace(BUILT_IN["arbitrum"], rpc="https://rpc.example/key")
    assert load_networks(Path("/nowhere")) == BUILT_IN


def test_what_was_written_is_read(written: Any) -> None:
    whole = asdict(BUILT_IN["arbitrum-sepolia"])
    assert written({"arbitrum-sepolia": whole}) == BUILT_IN


@pytest.mark.parametrize(
    "given",
    [
        {"chain_id": "7"}, {"chain_id": True}, {"chain_id": 7.0}, {"hub": "0x12"}, {"hub": 5}, {"rlc": "zz" * 21},
        {"rpc": "127.0.0.1:8545"}, {"rpc": "http://["}, {"rpc": "ftp://x"}, {"rpc": None}, {"test": "yes"},
        {"tag": "0x09"}, {"market": "http://"}, {"colour": "red"}, {"app": "my-app"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(written: Any, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=next(iter(given))) as refused:
        written({"mine": {**MINE, **given}})
    assert refused.value.remedy


def test_a_field_of_an_earlier_version_is_no_error(written: Any) -> None:
    assert written({"mine": {**MINE, "one_tx_match": True}}) == written({"mine": MINE})


@pytest.mark.parametrize("content", [[], 5, {"mine": 5}, {"mine": {}}, {"mine": []}])
def test_what_is_no_list_of_networks(written: Any, content: Any) -> None:
    with pytest.raises(BadInput):
        written(content)


@pytest.mark.parametrize("endpoints", [{"rcp": "http://x"}, {"rpc": 5}, {"hub": "http://x"}])
def test_endpoints_of_the_settings_are_looked_at(endpoints: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        BUILT_IN["arbitrum"].with_endpoints(**endpoints)
    assert "settings" in refused.value.remedy


def test_endpoints_that_are_empty_change_nothing() -> None:
    assert BUILT_IN["arbitrum"].with_endpoints(rpc="", market="") == BUILT_IN["arbitrum"]
