"""Faults on demand: written by a command, suffered by tasks and services, over by themselves."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator

import pytest

from NatronIExec.devnet import drills
from NatronIExec.devnet.sandbox import FAULTS, Faults
from NatronIExec.errors import BadInput


@pytest.fixture
def folder(local: Any) -> Iterator[Path]:
    yield local.faults.folder
    drills.end(local.faults.folder)


def test_every_kind_is_something(tmp_path: Path) -> None:
    faults = Faults(folder=tmp_path)
    for kind in drills.KINDS:
        drills.end(tmp_path)
        drills.begin(tmp_path, kind)
        assert (faults.of(3) in FAULTS) != (kind in drills.of_services(tmp_path))


def test_of_one_task_and_for_a_time(tmp_path: Path) -> None:
    drills.begin(tmp_path, "task-fails", task=1)
    drills.begin(tmp_path, "result-wrong", task=2, for_s=-1)
    faults = Faults(folder=tmp_path)
    assert [faults.of(index) for index in range(3)] == ["", "nothing", ""]
    with pytest.raises(BadInput, match="no fault"):
        drills.begin(tmp_path, "earthquake")
    with pytest.raises(BadInput, match="not a task's"):
        drills.begin(tmp_path, "market-500", task=1)


@pytest.mark.parametrize(("kind", "status"), [("market-500", 500), ("gateway-html", 502)])
def test_a_service_out_of_order(local: Any, folder: Path, kind: str, status: int) -> None:
    path = f"/ipfs/{local.content.add(b'x')}" if "gateway" in kind else "/workerpoolorders?chainId=31337"
    drills.begin(folder, kind)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(local.web.url + path)
    assert refused.value.code == status
    refused.value.close()
    drills.end(folder)
    with urllib.request.urlopen(local.web.url + path) as answer:
        assert answer.status == 200


def test_the_worker_group_sells_nothing(local: Any, folder: Path) -> None:
    drills.begin(folder, "pool-gone")
    with urllib.request.urlopen(local.web.url + "/workerpoolorders?chainId=31337") as answer:
        assert json.loads(answer.read())["orders"] == []


def test_a_slow_gateway(local: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as soon as the fault does."""
    monkeypatch.setattr("NatronIExec.devnet.web.SLOW_S", 0.01)
    url = f"{local.web.url}/ipfs/{local.content.add(b'0123456789')}"
    drills.begin(folder, "gateway-slow")
    with urllib.request.urlopen(url) as answer:
        assert answer.read(1) == b"0"
        drills.end(folder)
        assert answer.read() == b"123456789"


def test_a_result_that_nobody_has(farm: Any, submission: dict[str, Any], folder: Path) -> None:
    drills.begin(folder, "task-fails", task=0)
    drills.begin(folder, "result-missing", task=1)
    job = farm.call("submit", **submission)["job"]
    hub, row = farm.local.hub, farm.until(lambda row: bool(row["paid_nrlc"]), job)
    assert row
    deal = farm.call("show", job=job)["deals"][0]["dealid"]
    while hub.tasks([(deal, 1)])[0].status.name != "COMPLETED":
        pass
    assert hub.tasks([(deal, 0)])[0].status.name == "ACTIVE"
    assert farm.call("show", job=job)["frames_done"] == 0
