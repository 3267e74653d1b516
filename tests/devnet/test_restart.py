"""What was under way when the local network ended goes on when it begins again."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec.devnet.local_iexec import LocalIexec
from NatronIExec.devnet.sandbox import Faults
from NatronIExec.errors import ServiceError


@pytest.fixture
def local(modules: Path, tmp_path: Path) -> Iterator[LocalIexec]:
    """One of this test's own, whose first task is never initialized and whose second is begun by nobody."""
    local = LocalIexec(tmp_path / "iexec", modules, 2, Faults({0: "never-initialized", 1: "nothing"}))
    local.start()
    yield local
    local.stop(keep_state=False)


def test_a_confidential_job_goes_on(
    local: LocalIexec,
    start_farm: Callable[..., Any],
    submission: dict[str, Any],
    known: Callable[..., None],
    modules: Path,
    tmp_path: Path,
) -> None:
    farm = start_farm()
    farm.pay_from()
    job = farm.call("submit", **submission, confidential=True)["job"]
    farm.until(lambda row: row["state"] == "rendering", job)
    assert stat.S_IMODE(os.stat(tmp_path / "iexec" / "secrets.json").st_mode) == 0o600
    local.stop()
    with LocalIexec(tmp_path / "iexec", modules, 2) as again:
        known(again)
        assert farm.settled(job)["state"] == "done"


def test_a_deal_that_cannot_be_begun_keeps_no_other_back(
    local: LocalIexec, start_farm: Callable[..., Any], submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    local.faults.by_index.clear()
    assert local._pool
    send, begun = local._pool._send, set()

    def trouble(who: Any, name: str, *args: Any, **how: Any) -> None:
        """The first try for each deal fails."""
        if name == "initializeArray" and args[0][0] not in begun:
            begun.add(args[0][0])
            raise ServiceError("the chain is busy", "")
        send(who, name, *args, **how)

    monkeypatch.setattr(local._pool, "_send", trouble)
    farm = start_farm()
    farm.pay_from()
    jobs = [farm.call("submit", **{**submission, "frames": frames})["job"] for frames in ("1-2", "3-4")]
    assert [farm.settled(job)["state"] for job in jobs] == ["done", "done"]
    assert len(begun) == 2
