"""What the chain says of tasks is recorded once, and money comes back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from fake_chain import REQUESTER
from fake_farm import SmallFarm
from farm_records import TASK_PRICE_NRLC, TIMEREF_S

from NatronIExec.errors import Unreachable, WalletLocked
from NatronIExec.farm.run.watcher import Watcher
from NatronIExec.farm.store.job import Job

LOCATION = "/ipfs/QmToGYsXw9sdJYnLrJkJaqVnNiK6MFnxsrKr3NS4KZgkQs"
RESULTS = b'{"storage": "ipfs", "location": "%s"}' % LOCATION.encode()
DIGEST = keccak(text="frames")
WORKER = "0x" + "12" * 20
PATIENCE_S = 60


@pytest.fixture
def farm(tmp_path: Path) -> Any:
    made = SmallFarm(tmp_path)
    yield made
    made.spool.close()


@pytest.fixture
def job(farm: SmallFarm) -> Job:
    return farm.bought(volume=3)


def states(farm: SmallFarm) -> list[str]:
    return [task.state for task in farm.spool.tasks("job-1")]


def finish(farm: SmallFarm, job: Job, index: int, results: bytes = RESULTS) -> None:
    farm.node.finish(job.deals[0].dealid, index, results, DIGEST)


def again(farm: SmallFarm) -> Watcher:
    """As after the engine was started again."""
    return Watcher(farm.spool, farm.services, farm.sign)


def test_nothing_new_is_one_request(farm: SmallFarm, job: Job) -> None:
    assert farm.watcher.poll(job) == []
    before = farm.node.requests_sent
    assert farm.watcher.poll(job) == []
    assert farm.node.requests_sent == before + 1


def test_a_task_is_recorded_from_its_beginning_to_its_result(farm: SmallFarm, job: Job) -> None:
    farm.node.begin(job.deals[0].dealid, 0, WORKER)
    finish(farm, job, 1)
    finish(farm, job, 2, b"no location at all")
    assert sorted(farm.watcher.poll(job)) == [0, 1, 2]
    assert states(farm) == ["rendering", "delivered", "refused"]
    rendering, delivered, refused = farm.spool.tasks("job-1")
    assert rendering.worker.lower() == WORKER
    assert (delivered.location, delivered.digest) == (LOCATION, "0x" + DIGEST.hex())
    assert refused.note
    assert farm.spool.counts_of("job-1", "frames") == {"rendering": 4, "failed": 2}
    assert farm.watcher.poll(job) == []


def test_it_goes_on_after_a_restart_and_repeats_nothing(farm: SmallFarm, job: Job) -> None:
    finish(farm, job, 1)
    farm.watcher.poll(job)
    farm.spool.change_tasks("job-1", {1: {"state": "done"}})
    finish(farm, job, 2)
    assert again(farm).poll(farm.spool.job("job-1")) == [2]
    assert states(farm) == ["waiting", "done", "delivered"]


def test_what_could_not_be_recorded_is_seen_again(farm: SmallFarm, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(farm, job, 0)
    with monkeypatch.context() as full_disk:
        full_disk.setattr(farm.spool, "change_tasks", _full)
        with pytest.raises(OSError, match="full"):
            farm.watcher.poll(job)
    assert farm.watcher.poll(job) == [0]
    assert states(farm)[0] == "delivered"


def _full(*_: Any) -> None:
    raise OSError("the disk is full")


def test_money_of_late_tasks_comes_back_once(farm: SmallFarm, job: Job) -> None:
    finish(farm, job, 0)
    farm.watcher.poll(job)
    assert not farm.watcher.late(job)
    assert farm.watcher.claim(job) == (0, 0)
    farm.node.advance(10 * TIMEREF_S)
    farm.watcher.poll(job)
    assert farm.watcher.late(job)
    held = farm.node.world.money[REQUESTER.address].stake
    assert farm.watcher.claim(job) == (2, 2 * TASK_PRICE_NRLC)
    assert farm.node.world.money[REQUESTER.address].stake == held + 2 * TASK_PRICE_NRLC
    assert farm.watcher.claim(farm.spool.job("job-1")) == (0, 0)
    assert sorted(farm.watcher.poll(job)) == [1, 2]
    assert states(farm) == ["delivered", "refunded", "refunded"]
    assert farm.watcher.refunded_nrlc(farm.spool.job("job-1")) == 2 * TASK_PRICE_NRLC
    assert [sent.what for sent in farm.spool.job("job-1").sent][-1] == "claim"
    assert farm.spool.job("job-1").sent[-1].gas_wei > 0
    assert not farm.watcher.late(job)


def test_a_claim_needs_the_wallet(farm: SmallFarm, job: Job) -> None:
    farm.node.advance(10 * TIMEREF_S)
    farm.locked = True
    with pytest.raises(WalletLocked):
        farm.watcher.claim(job)
    farm.locked = False
    assert farm.watcher.claim(job).tasks == 3


def test_a_claim_that_is_not_mined_is_not_sent_again(farm: SmallFarm, job: Job) -> None:
    farm.node.advance(10 * TIMEREF_S)
    farm.node.holding = farm.stopping = True
    with pytest.raises(Unreachable, match="not mined"):
        farm.watcher.claim(job)
    farm.stopping = False
    farm.node.mine()
    assert farm.watcher.claim(job) == (0, 0)
    assert len([sent for sent in farm.spool.job("job-1").sent if sent.what == "claim"]) == 1


def test_a_slow_answer_about_one_job_keeps_no_other_waiting(farm: SmallFarm, job: Job) -> None:
    """Also not what forgets the job meanwhile."""
    other = farm.bought("job-2")
    asked, answer = threading.Event(), threading.Event()
    really = farm.node.hub.deals

    def slow(dealids: Any) -> Any:
        if job.deals[0].dealid in dealids and not answer.is_set():
            asked.set()
            assert answer.wait(PATIENCE_S)
        return really(dealids)

    farm.node.hub.deals = slow  # type: ignore[method-assign]
    poll = threading.Thread(target=farm.watcher.poll, args=(job,))
    poll.start()
    assert asked.wait(PATIENCE_S)
    rest = threading.Thread(target=lambda: (farm.watcher.poll(other), farm.watcher.forget("job-1")))
    rest.start()
    rest.join(PATIENCE_S)
    hung = rest.is_alive()
    answer.set()
    poll.join(PATIENCE_S)
    assert not hung


def test_who_unlocks_to_claim_comes_first(farm: SmallFarm, job: Job) -> None:
    farm.node.advance(10 * TIMEREF_S)
    by_itself: list[int] = []
    engine = threading.Thread(target=lambda: by_itself.append(farm.watcher.claim(job).tasks))
    with farm.watcher.claiming():
        engine.start()
        assert farm.watcher.claim(job).tasks == 3
    engine.join(PATIENCE_S)
    assert by_itself == [0]
