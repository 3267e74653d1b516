"""Spools of earlier versions open, whole: nothing that was bought is forgotten."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import farm_records as made
import pytest

from NatronIExec.errors import Conflict
from NatronIExec.farm.store.job import FolderMove, Job, JobError
from NatronIExec.farm.store.migrations import SCHEMA
from NatronIExec.farm.store.spool import Spool
from NatronIExec.frames import FrameSet
from NatronIExec.iexec.records import BagState

#: `schema_N.sql` is what an engine of that schema left: done, lost a task, held after a test, waiting for the wallet.
SPOOLS = Path(__file__).parent / "spools"
OLD = range(1, SCHEMA)


def opened(folder: Path, script: str) -> Spool:
    folder.mkdir()
    db = sqlite3.connect(folder / "jobs.sqlite")
    db.executescript(script)
    db.close()
    return Spool(folder)


@pytest.fixture
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    spool = opened(tmp_path / "spool", (SPOOLS / f"schema_{request.param}.sql").read_text())
    yield spool
    spool.close()


def by_state(spool: Spool) -> dict[str, Job]:
    return {job.state: job for job in spool.all_jobs()}


def test_each_schema_has_a_spool_to_open() -> None:
    assert sorted(path.name for path in SPOOLS.iterdir()) == [f"schema_{number}.sql" for number in OLD]


@pytest.mark.parametrize("old", OLD, indirect=True)
def test_what_was_bought_is_still_known(old: Spool) -> None:
    jobs = by_state(old)
    assert set(jobs) == {"done", "partly", "held", "paused"}
    done = jobs["done"]
    assert done.paid_nrlc == 22_000_000 == done.most_nrlc
    assert [deal.task_price_nrlc for deal in done.deals] == [11_000_000]
    assert done.quote.task_price_nrlc == 11_000_000
    assert done.quote.gas_wei > 10**15
    assert 0 < sum(sent.gas_wei for sent in done.sent) <= done.quote.gas_wei
    assert done.refund_at_s == done.deals[0].start_s + 3000
    assert done.request is not None
    assert [writer.name for writer in done.writers] == ["Write1"]
    assert done.watch == BagState(done.watch.next_block if done.watch else -1, (0, 1))
    assert jobs["partly"].watch is not None


@pytest.mark.parametrize("old", OLD, indirect=True)
def test_what_was_to_follow_still_follows(old: Spool) -> None:
    jobs = by_state(old)
    held = jobs["held"]
    assert held.rest is not None
    assert str(held.rest.frames_of["Write1"]) == "3,7"
    assert held.moves == (FolderMove("/show/renders", "/show/renders_v002"),)
    assert held.folder_for("/show/renders") == "/show/renders_v002"
    waiting = jobs["paused"]
    assert waiting.error == JobError("wallet-locked", "The wallet is locked.", "Unlock it.")
    assert not waiting.bought
    assert waiting.reached("ordered")
    assert [job.id for job in old.open_jobs()] == [waiting.id]


@pytest.mark.parametrize("old", OLD, indirect=True)
def test_tasks_frames_and_money_stay(old: Spool) -> None:
    jobs = by_state(old)
    assert [task.frames for task in old.tasks(jobs["done"].id)] == [FrameSet([1, 2]), FrameSet([3, 4])]
    assert old.counts_of(jobs["partly"].id, "tasks") == {"done": 1, "refused": 1}
    assert old.counts_of(jobs["done"].id, "frames") == {"imported": 4}
    assert len(old.ledger()) == 3
    assert old.update(jobs["done"].id, removed=True).removed
    assert len(old.jobs()) == 3


def test_it_is_brought_up_once(tmp_path: Path) -> None:
    opened(tmp_path / "spool", (SPOOLS / "schema_1.sql").read_text()).close()
    db = sqlite3.connect(tmp_path / "spool" / "jobs.sqlite")
    before = db.execute("SELECT * FROM jobs").fetchall()
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    Spool(tmp_path / "spool").close()
    assert db.execute("SELECT * FROM jobs").fetchall() == before
    db.close()


def test_a_spool_that_cannot_be_brought_up_stays_as_it_was(tmp_path: Path) -> None:
    script = (SPOOLS / "schema_1.sql").read_text().replace("PRAGMA user_version=1;", "")
    broken = script + "INSERT INTO jobs VALUES('zz', 0, 0, 0, '{}'); PRAGMA user_version=1;"
    with pytest.raises(KeyError):
        opened(tmp_path / "spool", broken)
    db = sqlite3.connect(tmp_path / "spool" / "jobs.sqlite")
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    records = [json.loads(text) for (text,) in db.execute("SELECT record FROM jobs WHERE id<>'zz'")]
    assert all("price_nrlc" in deal for record in records for deal in record["deals"])
    db.close()


def test_a_state_of_the_first_engines_is_read_again_from_the_chain(tmp_path: Path) -> None:
    script = (SPOOLS / "schema_1.sql").read_text()
    assert '"watch": {"over"' in script
    spool = opened(tmp_path / "spool", script.replace('"watch": {"over"', '"watch": {"status": {}, "older"'))
    assert by_state(spool)["done"].watch is None
    assert by_state(spool)["done"].from_block > 0
    spool.close()


def test_a_newer_spool_is_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add(made.job(), [], [])
    spool.close()
    db = sqlite3.connect(tmp_path / "spool" / "jobs.sqlite")
    db.execute(f"PRAGMA user_version={SCHEMA + 1}")
    db.close()
    with pytest.raises(Conflict, match="newer version"):
        Spool(tmp_path / "spool")
