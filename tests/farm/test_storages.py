"""Whole jobs whose inputs go elsewhere than to an IPFS node, and who may read a job that does not say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec.iexec.network import TDX_TAG
from NatronIExec.storage.folder import FolderStorage

DAY_S = 86400


@pytest.fixture
def nas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NATRON_IEXEC_FOLDERS", str(tmp_path / "nas"))
    return tmp_path / "nas"


def test_a_shared_folder_is_a_storage_that_forgets(farm: Any, submission: dict[str, Any], nas: Path) -> None:
    farm.call("settings.set", changes={"storage": "folder", "storage_folder": str(nas)})
    assert [row["forgets"] for row in farm.call("networks") if row["name"] == "local"] == [True]
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    farm.engine.farm.queues.stop()  # waits for what runs; clearing is queued before the job is told to be over
    farm.engine.farm.completion.clear(job)
    assert [path for path in nas.rglob("*") if path.is_file()] == []


def test_links_that_would_end_before_the_job_are_made_again(
    farm: Any, submission: dict[str, Any], nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that waits for its artist keeps its files packed, with links that are good for a week."""
    monkeypatch.setattr(FolderStorage, "links_last_s", property(lambda storage: 7 * DAY_S))
    farm.call("settings.set", changes={"storage": "folder", "storage_folder": str(nas)})
    nas.mkdir()
    (nas / "ipfs").write_text("in the way")
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "paused"
    packed = farm.engine.farm.spool.job_folder(job) / "sent" / "manifest.json"
    before = packed.read_bytes()
    os.utime(packed, (packed.stat().st_mtime - 8 * DAY_S,) * 2)
    (nas / "ipfs").unlink()
    farm.call("retry", job=job)
    assert farm.until(lambda row: row["state"] in ("done", "partly", "failed"), job)["state"] == "done"
    assert packed.read_bytes() != before


@pytest.mark.parametrize(
    ("tag", "said", "sealed"), [(TDX_TAG, None, True), (TDX_TAG, False, False), ("", None, False), ("", True, True)]
)
def test_a_render_is_confidential_where_deals_run_in_an_enclave(
    start_farm: Callable[..., Any], submission: dict[str, Any], tag: str, said: bool | None, sealed: bool
) -> None:
    farm = start_farm(**({"tag": tag} if tag else {}))
    assert farm.call("plan", **{**submission, "frames": "1", "confidential": said})["confidential"] is sealed
    assert [row["confidential"] for row in farm.call("networks") if row["name"] == "local"] == [bool(tag)]
    if said is None:
        assert farm.call("plan", **{**submission, "frames": "1"})["confidential"] is sealed


def test_live_networks_are_confidential_and_do_not_forget(farm: Any) -> None:
    live = {row["name"]: row for row in farm.call("networks")}
    for name in ("arbitrum", "arbitrum-sepolia"):
        assert (live[name]["confidential"], live[name]["forgets"]) == (True, False)
