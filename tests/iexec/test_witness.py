"""The official SDK reads what we made, and we take what it signed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec import seal
from NatronIExec.devnet.install import install
from NatronIExec.devnet.side_services import SecretService
from NatronIExec.farm.run.encrypted_result import opened_result
from NatronIExec.iexec.network import TDX_TAG
from NatronIExec.iexec.orders import NULL_DATASET, from_json, hash_order
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import Match, RequestOrder
from NatronIExec.manifest import FrameList

SCRIPT = Path(__file__).with_name("witness.mjs")
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def witness_modules(modules: Path) -> Path:
    return install("witness")


@pytest.fixture
def ask(local: Any, witness_modules: Path) -> Ask:
    node = shutil.which("node")
    assert node, "scripts/test installs Node.js"

    def question(name: str, **more: Any) -> Any:
        network = local.network
        asked = {
            "question": name,
            "modules": str(witness_modules),
            "rpc": network.rpc,
            "hub": network.hub,
            "services": local.web.url,
            "key": local.people["requester"].key,
            "app": network.app,
            **more,
        }
        done = subprocess.run(
            [node, str(SCRIPT)],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return question


def test_the_sdk_reads_our_deal_and_its_tasks(ask: Ask, farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    sheet = farm.call("show", job=job)
    deal = ask("deal", dealid=sheet["deals"][0]["dealid"])
    assert deal["app"].lower() == farm.local.network.app.lower()
    assert deal["size"] == "2"
    assert deal["tasks"] == [task["taskid"] for task in sheet["tasks"]]
    task = ask("task", taskid=sheet["tasks"][0]["taskid"])
    assert (task["status"], task["location"]) == (3, sheet["tasks"][0]["result"])


def test_the_sdk_reads_our_orders(ask: Ask, hub: Any, market: Any, local: Any) -> None:
    found = ask("orders")
    ours = {hash_order(row.order, hub.domain) for row in market.app_orders(local.network.app)}
    assert ours
    assert set(found["apps"]) == ours
    assert set(found["pools"]) <= {row.order_hash for row in market.workerpool_orders(category=0)}


def test_an_order_that_the_sdk_signed_is_matched_by_us(
    ask: Ask, hub: Any, market: Any, local: Any, buy: Callable[..., Any]
) -> None:
    local.faults.every = "never-initialized"
    signed = ask("sign", args="--nothing")
    request = from_json("request", signed["order"])
    assert isinstance(request, RequestOrder)
    assert hash_order(request, hub.domain) == signed["hash"]
    app = next(row.order for row in market.app_orders(local.network.app) if row.order.tag == TDX_TAG)
    match = Match(
        app, NULL_DATASET, market.workerpool_orders(workerpool=local.network.workerpool, category=0)[0].order, request
    )
    assert preflight(hub, match).volume == 2
    assert buy(match)[0].bot_size == 2


def test_the_sdk_buys_here(ask: Ask, hub: Any, local: Any, requester: Any) -> None:
    """It never deposits by itself."""
    local.faults.every = "never-initialized"
    deposit = hub.build_deposit(requester.address, 10**9).signed_by(requester)
    hub.send(deposit)
    assert hub.wait(deposit.hash)
    bought = ask("submit", volume=3, args="--nothing")
    deal = hub.deal(bought["dealid"])
    assert deal is not None
    assert (deal.bot_size, deal.tag) == (3, TDX_TAG)


def test_the_sdk_opens_a_confidential_result(
    ask: Ask, farm: Any, submission: dict[str, Any], tmp_path: Path, local: Any
) -> None:
    secrets = next(one for one in local.web.services if isinstance(one, SecretService))
    requester = local.people["requester"].address
    theirs = secrets.result_key(requester)
    job = farm.call("submit", **submission, confidential=True)["job"]
    assert farm.settled(job)["state"] == "done"
    task = farm.call("show", job=job)["tasks"][0]
    pem, to = farm.engine.farm.spool.job(job).results_pem, tmp_path / "plain.zip"
    answer = ask("result", taskid=task["taskid"], pem=pem, to=str(to))
    assert answer["pushed"] is True
    with zipfile.ZipFile(to) as packed:
        listed = packed.read("frames.json")
        assert "0x" + hashlib.sha256(listed).hexdigest() == answer["digest"]
        home = Path(submission["project"]).parent / "renders"
        for frame in FrameList.from_bytes(listed).frames:
            assert packed.read(frame.file) == (home / f"orbit_{frame.frame:04d}.png").read_bytes()
    assert secrets.result_key(requester) == theirs, "the account's own key is not ours to change"


def test_we_open_what_is_encrypted_for_the_sdk(ask: Ask, local: Any, tmp_path: Path) -> None:
    pem = ask("keys")["pem"]
    secrets = next(one for one in local.web.services if isinstance(one, SecretService))
    key = secrets.result_key(local.people["requester"].address)
    assert key
    plain, encrypted = tmp_path / "plain.zip", tmp_path / "result.zip"
    with zipfile.ZipFile(plain, "w") as packed:
        packed.writestr("frames.json", "[]")
    seal.encrypt_result(plain, encrypted, key)
    with opened_result(encrypted, pem) as opened:
        assert opened.read("frames.json", 10) == b"[]"
