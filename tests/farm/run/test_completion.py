"""A job ends when all of its tasks are settled, says so once, and its inputs go when nobody needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_farm import SmallFarm

from NatronIExec.errors import CannotRemove, Unreachable
from NatronIExec.farm.run.completion import Completion
from NatronIExec.farm.run.work_queue import Queues, make_queues
from NatronIExec.farm.store.job import Job


@pytest.fixture
def farm(tmp_path: Path) -> Any:
    made = SmallFarm(tmp_path)
    yield made
    made.spool.close()


@pytest.fixture
def queues() -> Queues:
    return make_queues()


@pytest.fixture
def completion(farm: SmallFarm, queues: Queues) -> Completion:
    return Completion(
        farm.spool, farm.services, farm.watcher, farm.ledger, farm.ears, lambda: farm.settings, queues, farm.clock
    )


def end(farm: SmallFarm, *states: str) -> None:
    """Task by task; frames follow."""
    for index, state in enumerate(states):
        farm.spool.change_tasks("job-1", {index: {"state": state}})
        farm.spool.change_frames("job-1", [index], state={"done": "imported", "refused": "failed"}.get(state, state))


@pytest.mark.parametrize(
    ("states", "job"),
    [
        (("waiting", "waiting"), "waiting"),
        (("rendering", "waiting"), "rendering"),
        (("delivered", "done"), "importing"),
        (("delivered", "rendering"), "rendering"),
        (("done", "done"), "done"),
        (("done", "refused"), "partly"),
        (("refused", "refunded"), "failed"),
    ],
)
def test_a_job_is_in_the_state_of_its_tasks(
    farm: SmallFarm, completion: Completion, states: tuple[str, ...], job: str
) -> None:
    farm.bought()
    end(farm, *states)
    completion.refresh("job-1")
    found = farm.spool.job("job-1")
    assert found.state == job
    assert (found.step == "over") == (found.ended_s is not None) == (job in ("done", "partly", "failed"))


def test_its_end_is_said_once_and_its_refund_recorded(farm: SmallFarm, completion: Completion, queues: Queues) -> None:
    job = farm.bought()
    farm.spool.change_tasks("job-1", {1: {"dealid": job.deals[0].dealid}})
    end(farm, "done", "refunded")
    completion.refresh("job-1")
    completion.refresh("job-1")
    assert [level for level, _ in farm.ears.notices] == ["warning"]
    assert queues.clear.busy
    assert not queues.rest.busy
    (entry,) = farm.ledger.sheet()["entries"]
    assert entry["refunded_nrlc"] == job.deals[0].task_price_nrlc


@pytest.mark.parametrize(
    ("test_frames", "state", "follows"), [("auto", "held", False), ("auto-continue", "done", True)]
)
def test_what_follows_a_test(
    farm: SmallFarm, completion: Completion, queues: Queues, test_frames: str, state: str, follows: bool
) -> None:
    job = farm.ordered()
    asked = replace(job.submission, test_frames=test_frames)
    farm.spool.update("job-1", submission=asked, rest=replace(asked, test_frames="none"))
    farm.buyer.buy(farm.spool.job("job-1"))
    end(farm, "done", "done")
    completion.refresh("job-1")
    assert farm.spool.job("job-1").state == state
    assert queues.rest.busy == follows
    assert queues.clear.busy == (state != "held")


def test_a_job_that_waits_for_a_person_stays_so(farm: SmallFarm, completion: Completion) -> None:
    farm.bought()
    farm.spool.update("job-1", state="paused")
    end(farm, "done", "done")
    completion.refresh("job-1")
    assert farm.spool.job("job-1").state == "paused"


def test_an_import_after_the_end_mends_it(farm: SmallFarm, completion: Completion) -> None:
    farm.bought()
    end(farm, "done", "refused")
    completion.refresh("job-1")
    end(farm, "done", "done")
    completion.refresh("job-1")
    assert farm.spool.job("job-1").state == "done"


def over(farm: SmallFarm, completion: Completion) -> Job:
    farm.bought()
    farm.spool.plan_uploads("job-1", "local", ["one", "two"])
    end(farm, "done", "done")
    completion.refresh("job-1")
    return farm.spool.job("job-1")


def test_inputs_go_when_the_job_is_over(farm: SmallFarm, completion: Completion) -> None:
    farm.ordered("job-2")
    farm.spool.plan_uploads("job-2", "local", ["two"])
    over(farm, completion)
    assert completion.clear("job-1") is None
    assert farm.services.storage.removed == ["one"]
    assert farm.spool.job("job-1").inputs_cleared
    assert completion.clear("job-2") is None
    assert farm.services.storage.removed == ["one"]


def test_inputs_are_kept_as_long_as_was_asked(farm: SmallFarm, completion: Completion) -> None:
    farm.settings = replace(farm.settings, keep_inputs_days=1)
    over(farm, completion)
    assert completion.clear("job-1") == 3600
    farm.node.advance(86_400 - 60)
    assert completion.clear("job-1") == 60
    farm.node.advance(60)
    assert completion.clear("job-1") is None
    assert farm.services.storage.removed == ["one", "two"]


def test_a_storage_that_is_away_is_asked_again_and_less_often(farm: SmallFarm, completion: Completion) -> None:
    over(farm, completion)
    farm.services.storage.problem = Unreachable("away")
    assert [completion.clear("job-1") for _ in range(3)] == [2, 4, 8]
    assert not farm.spool.job("job-1").inputs_cleared
    farm.services.storage.problem = None
    assert completion.clear("job-1") is None
    assert farm.services.storage.removed == ["one", "two"]


def test_a_storage_that_never_forgets_is_said_once(farm: SmallFarm, completion: Completion) -> None:
    over(farm, completion)
    farm.services.storage.problem = CannotRemove("It stays there.")
    assert completion.clear("job-1") is None
    assert completion.clear("job-1") is None
    assert [title for level, title in farm.ears.notices if "stays there" in title] == ["shot: It stays there."]
