"""The local network as the process that people start: up, found, ended, and found again as it was."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from NatronIExec import paths
from NatronIExec.devnet import network as network_module
from NatronIExec.devnet.network import LocalNetwork
from NatronIExec.errors import Conflict, ServiceError, Unreachable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.network import load_networks
from NatronIExec.iexec.transport import Transport

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel for children")


@pytest.fixture
def network(home: Path, modules: Path) -> Iterator[LocalNetwork]:
    network = LocalNetwork(home / "devnet")
    yield network
    network.down()


def _hub() -> Hub:
    return Hub(load_networks(paths.networks_file())["local"], Transport(tries=1))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        if task.name != str(pid)
        for child in (task / "children").read_text().split()
    ]


def _wait_for_the_end_of(pids: list[int]) -> None:
    for pid in pids:
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([process], [], [], 30)[0], f"{pid} lives on"
        os.close(process)


def test_it_is_found_ended_and_found_again_as_it_was(network: LocalNetwork, home: Path) -> None:
    assert not network.status()["running"]
    first = network.up(workers=1)
    assert network.status() == network.up(workers=1) == first
    hub = _hub()
    hub.check()
    people = json.loads((home / "devnet" / "accounts.json").read_text())
    transport, buyer = Transport(), people["buyer"]["address"]
    transport.rpc(first["rpc"], "anvil_setBalance", [buyer, hex(12345)])
    children = _children(first["pid"])
    assert children
    network.down()
    _wait_for_the_end_of([first["pid"], *children])
    assert not network.status()["running"]
    second = network.up(workers=1)
    assert second["pid"] != first["pid"]
    assert _hub().balances(buyer).eth_wei == 12345
    assert _hub().network.hub == hub.network.hub


def test_time_passes_by_itself_and_on_demand(network: LocalNetwork) -> None:
    """Nobody sends anything, and refunds are due all the same; a clock that was moved never goes back."""
    running = network.up(workers=1)
    hub = _hub()
    began = hub.block()
    until = time.monotonic() + 60
    while hub.block().number == began.number:
        assert time.monotonic() < until, "an idle chain stands still"
    moved = network.pass_time(36000)
    assert moved >= began.timestamp_s + 36000
    network.down()
    network.up(workers=1)
    Transport().rpc(running["rpc"], "evm_mine", [])
    assert _hub().block().timestamp_s >= moved


def test_other_workers_are_started_again_with_stakes(network: LocalNetwork, home: Path) -> None:
    first = network.up(workers=1)
    second = network.up(workers=3)
    assert (second["workers"], second["pid"] != first["pid"]) == (3, True)
    people = json.loads((home / "devnet" / "accounts.json").read_text())
    stakes = [_hub().account(people[f"worker{number}"]["address"]).stake_nrlc for number in range(3)]
    assert all(stakes)


def test_a_chain_that_died_is_started_again_where_it_was(network: LocalNetwork, home: Path) -> None:
    running = network.up(workers=1)
    hub = _hub()
    transport, buyer = Transport(), json.loads((home / "devnet" / "accounts.json").read_text())["buyer"]["address"]
    transport.rpc(running["rpc"], "anvil_setBalance", [buyer, hex(777)])
    transport.rpc(running["rpc"], "evm_mine", [])
    state, before = home / "devnet" / "chain.json", hub.block().number
    until = time.monotonic() + 60
    while before > int(json.loads(state.read_text())["block"]["number"], 16):
        assert time.monotonic() < until, "it is not saved"
    (anvil,) = [pid for pid in _children(running["pid"]) if b"anvil" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(anvil, signal.SIGKILL)
    while True:
        with contextlib.suppress(Unreachable):
            assert hub.balances(buyer).eth_wei == 777
            break
        assert time.monotonic() < until + 60, "it is not started again"
    hub.check()


def test_its_children_never_outlive_it(network: LocalNetwork) -> None:
    running = network.up(workers=1)
    children = _children(running["pid"])
    os.kill(running["pid"], signal.SIGKILL)
    _wait_for_the_end_of([running["pid"], *children])
    assert not network.status()["running"]
    network.up(workers=1)
    _hub().check()


def test_a_stale_record_ends_nobody(network: LocalNetwork, home: Path) -> None:
    """After a crash the number may be somebody else's."""
    innocent = subprocess.Popen(["sleep", "1000"])
    try:
        (home / "devnet").mkdir(parents=True)
        (home / "devnet" / "running.json").write_text(json.dumps({"pid": innocent.pid, "rpc": "", "services": ""}))
        network.down()
        assert not network.status()["running"]
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("record", ["{", "[]", '{"pid": "x"}'])
def test_a_damaged_record_is_none(network: LocalNetwork, home: Path, record: str) -> None:
    (home / "devnet").mkdir(parents=True)
    (home / "devnet" / "running.json").write_text(record)
    assert not network.status()["running"]


def test_two_do_not_share_a_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "STOP_S", 0)
    home.mkdir()
    with network_module._holding(home), pytest.raises(Conflict, match="runs in this"), network_module._holding(home):
        pass
    with network_module._holding(home):
        pass


def test_one_that_cannot_start_says_where_to_look(
    network: LocalNetwork, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing: Any = lambda what: tmp_path / "nowhere"  # noqa: E731
    monkeypatch.setattr(network_module, "install", nothing)
    with pytest.raises(ServiceError, match="did not start") as said:
        network.up()
    assert "devnet.log" in said.value.remedy
