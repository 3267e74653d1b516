"""Hostile workers, absent services, empty wallets: a sentence with a remedy, and nothing spent or lost."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec import images
from NatronIExec.engine.client import EngineClient
from NatronIExec.errors import (
    BadInput,
    Conflict,
    MissingInput,
    NatronIExecError,
    NotEnoughFunds,
    OrderRefused,
    PriceAboveCap,
    ProjectError,
    Unreachable,
    WalletLocked,
    WrongChain,
)
from NatronIExec.farm.run.collector import Collector
from NatronIExec.iexec.results import ResultArchive

PASSWORD = "correct horse battery"


def pass_time(local: Any, seconds: int) -> None:
    local.chain.chain.rpc("evm_increaseTime", seconds)
    local.chain.chain.rpc("evm_mine")


# workers


@pytest.mark.parametrize("fault", ["garbage", "wrong-digest", "not-a-zip", "bomb"])
def test_a_worker_that_lies_costs_its_frames_only(farm: Any, submission: dict[str, Any], fault: str) -> None:
    farm.local.faults.by_index[1] = fault
    job = farm.call("submit", **submission)["job"]
    row = farm.settled(job)
    assert (row["state"], row["frames_done"], row["frames_failed"]) == ("partly", 2, 2)
    renders = Path(submission["project"]).parent / "renders"
    assert sorted(path.name for path in renders.iterdir()) == ["orbit_0001.png", "orbit_0002.png"]
    lost = [frame for frame in farm.call("frames", job=job) if frame["state"] == "failed"]
    assert {frame["frame"] for frame in lost} == {3, 4}
    assert all("refused" in frame["log"] for frame in lost)

    farm.local.faults.by_index.clear()
    again = farm.call("retry", job=job)["job"]
    assert farm.settled(again)["state"] == "done"
    assert len(list(renders.iterdir())) == 4


def test_what_is_not_delivered_is_refunded(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.by_index.update({0: "nothing", 1: "never-initialized"})
    before = farm.call("wallet.state")["balance"]
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    pass_time(farm.local, 3001)
    row = farm.settled(job)
    assert (row["state"], row["refunded_nrlc"]) == ("failed", row["paid_nrlc"])
    assert {frame["state"] for frame in farm.call("frames", job=job)} == {"refunded"}
    after = farm.local.hub.balances(farm.local.people["requester"].address)
    assert after.stake_nrlc >= before["stake_nrlc"]
    assert after.locked_nrlc == before["locked_nrlc"]
    assert farm.call("ledger")["entries"][0]["refunded_nrlc"] == row["paid_nrlc"]


def test_a_locked_wallet_leaves_the_refund_for_later(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.every = "nothing"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    farm.call("wallet.lock")
    pass_time(farm.local, 3001)
    row = farm.until(lambda row: bool(row["error"]), job)
    assert row["error"]["code"] == "wallet-locked"
    with pytest.raises(WalletLocked):
        farm.call("claim", job=job)
    assert farm.call("claim", job=job, password=PASSWORD)["tasks"] == 2
    assert farm.settled(job)["refunded_nrlc"] == row["paid_nrlc"]


# services


def test_results_that_are_not_there_yet_are_asked_for_again(farm: Any, submission: dict[str, Any]) -> None:
    seen: list[str] = []
    web, answer = farm.local.web, farm.local.web.answer

    def late(request: Any) -> Any:
        if request.path.startswith("/ipfs/") and request.method == "GET" and request.path not in seen:
            watched = {task["result"] for task in farm.call("show", job=job)["tasks"]} if job else set()
            if request.path in watched:
                seen.append(request.path)
                return web_answer_404()
        return answer(request)

    from NatronIExec.devnet.web import answer_json

    def web_answer_404() -> Any:
        return answer_json({"ok": False}, 404)

    job = ""
    web.answer = late
    try:
        job = farm.call("submit", **submission)["job"]
        assert farm.settled(job)["state"] == "done"
    finally:
        web.answer = answer
    assert len(seen) == 2


def test_a_market_in_trouble_is_said(farm: Any, submission: dict[str, Any]) -> None:
    farm.engine.farm.transport._tries = 1
    farm.local.web.faults["/apporders"] = 500
    with pytest.raises(Unreachable, match="not ready"):
        farm.call("plan", **submission)


def test_an_rpc_that_is_down_is_said(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm(rpc="http://127.0.0.1:9")
    farm.engine.farm.transport._tries = 1
    with pytest.raises(Unreachable, match="does not answer"):
        farm.call("plan", **submission)
    state = farm.call("wallet.state")
    assert state["balance"] is None


def test_another_chain_is_refused(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm(chain_id=1234)
    with pytest.raises(WrongChain, match="31337"):
        farm.call("plan", **submission)


def test_another_hub_is_refused(start_farm: Callable[..., Any], submission: dict[str, Any], local: Any) -> None:
    farm = start_farm(hub=local.network.rlc)
    with pytest.raises(NatronIExecError):
        farm.call("plan", **submission)


# money


def test_no_account(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm()
    assert farm.call("plan", **submission)["problems"][0]["code"] == "wallet"
    with pytest.raises(NatronIExecError, match="no account"):
        farm.call("submit", **submission)
    assert farm.call("jobs") == []


def test_no_money(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    farm = start_farm()
    farm.call("wallet.create", name="empty", password=PASSWORD)
    problems = farm.call("plan", **submission)["problems"]
    assert {problem["code"] for problem in problems} == {"funds"}
    assert any("RLC" in problem["title"] for problem in problems)
    assert any("ETH" in problem["title"] for problem in problems)
    with pytest.raises(NotEnoughFunds):
        farm.call("submit", **submission, password=PASSWORD)


def test_the_cap_of_a_job(farm: Any, submission: dict[str, Any]) -> None:
    with pytest.raises(PriceAboveCap, match="the cap is 0.02"):
        farm.call("submit", **submission, max_price_nrlc=20_000_000)
    farm.call("settings.set", changes={"job_cap_nrlc": 21_999_999})
    with pytest.raises(PriceAboveCap, match="cap a job"):
        farm.call("submit", **submission)
    farm.call("settings.set", changes={"job_cap_nrlc": None, "day_cap_nrlc": 30_000_000})
    assert farm.settled(farm.call("submit", **submission)["job"])["state"] == "done"
    with pytest.raises(PriceAboveCap, match="cap a day"):
        farm.call("submit", **submission)


def test_a_price_that_rose_since_it_was_shown(farm: Any, submission: dict[str, Any]) -> None:
    with pytest.raises(PriceAboveCap, match="were shown"):
        farm.call("submit", **submission, max_total_nrlc=1_000_000)
    assert farm.call("jobs") == []


def test_a_locked_wallet_is_asked_for_before_anything(farm: Any, submission: dict[str, Any]) -> None:
    farm.call("wallet.lock")
    with pytest.raises(WalletLocked):
        farm.call("submit", **submission)
    assert farm.call("jobs") == []


def test_nobody_sells(farm: Any, submission: dict[str, Any]) -> None:
    plan = farm.call("plan", **submission, workerpool="0x" + "12" * 20)
    assert plan["problems"][0]["code"] == "order-refused"
    assert plan["workerpool"] is None
    assert plan["total_nrlc"] is None
    with pytest.raises(OrderRefused, match="another worker group"):
        farm.call("submit", **submission, workerpool="0x" + "12" * 20)


# what is asked


def test_not_a_project(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    for name, content in (("a.ntp", b"hello"), ("b.ntp", Path(submission["project"]).read_bytes()[:5000])):
        broken = tmp_path / name
        broken.write_bytes(content)
        with pytest.raises(ProjectError):
            farm.call("plan", **{**submission, "project": str(broken)})
    with pytest.raises(NatronIExecError):
        farm.call("plan", **{**submission, "project": str(tmp_path / "nowhere.ntp")})


@pytest.mark.parametrize("frames", ["10-1", "a", "1-", "", ",", "-5-3", "1-999999999", "1-10x0"])
def test_frames_that_are_none(farm: Any, submission: dict[str, Any], frames: str) -> None:
    with pytest.raises(BadInput) if frames else pytest.raises(BadInput, match="frame range"):
        farm.call("plan", **{**submission, "frames": frames or " "})


def test_unknown_things_are_named(farm: Any, submission: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="Write9"):
        farm.call("plan", **submission, writers=["Write9"])
    with pytest.raises(BadInput, match="colour"):
        farm.call("plan", **submission, colour="red")
    with pytest.raises(BadInput, match="network mars"):
        farm.call("plan", **{**submission, "network": "mars"})
    with pytest.raises(Conflict, match="no job nothing"):
        farm.call("show", job="nothing")


def test_a_missing_input_is_said_before_anything_is_spent(farm: Any, submission: dict[str, Any]) -> None:
    gone = Path(submission["project"]).parent / "plates" / "orbit.0003.png"
    gone.unlink()
    plan = farm.call("plan", **submission)
    assert plan["problems"][0]["code"] in ("missing-input", "bad-input")
    assert plan["scan"]["missing"][0]["path"] == str(gone)
    assert plan["scan"]["missing"][0]["chunks"] == [1]
    with pytest.raises((MissingInput, BadInput), match="orbit"):
        farm.call("submit", **submission)


def test_names_that_are_awkward(farm: Any, submission: dict[str, Any]) -> None:
    """Spaces, quotes, per cent, Unicode, an apostrophe."""
    folder = Path(submission["project"]).parent
    odd = folder.with_name("shöt 'one' 100% \"x\" & co")
    shutil.copytree(folder, odd)
    project = odd / "orbit.ntp"
    job = farm.call("submit", **{**submission, "project": str(project)})["job"]
    assert farm.settled(job)["state"] == "done"
    assert len(list((odd / "renders").iterdir())) == 4


# frames and folders


def test_frames_that_are_there_are_not_overwritten(farm: Any, submission: dict[str, Any]) -> None:
    renders = Path(submission["project"]).parent / "renders"
    assert farm.settled(farm.call("submit", **submission)["job"])["state"] == "done"
    same = farm.settled(farm.call("submit", **submission)["job"])
    assert same["out"] == str(renders)
    (renders / "orbit_0002.png").write_bytes(b"painted by hand")
    other = farm.settled(farm.call("submit", **submission)["job"])
    assert other["state"] == "done"
    assert other["out"] == str(renders) + "_v002"
    assert (renders / "orbit_0002.png").read_bytes() == b"painted by hand"
    assert (renders.with_name("renders_v002") / "orbit_0002.png").exists()


def test_only_what_is_missing(farm: Any, submission: dict[str, Any]) -> None:
    renders = Path(submission["project"]).parent / "renders"
    renders.mkdir()
    (renders / "orbit_0001.png").write_bytes(b"there")
    plan = farm.call("plan", **submission, only_missing=True)
    assert (plan["frames"], plan["tasks"]) == (3, 2)
    for frame in range(2, 5):
        (renders / f"orbit_{frame:04d}.png").write_bytes(b"there")
    with pytest.raises(BadInput, match="No frame is missing"):
        farm.call("plan", **submission, only_missing=True)


def test_an_output_folder_that_goes_away(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    """After the price was shown: what is bought is kept until there is a folder again."""
    blocked = tmp_path / "blocked"
    asked = {**submission, "out": str(blocked / "frames")}
    plan = farm.call("plan", **asked)
    blocked.write_text("a file where a folder should be")
    job = farm.call("submit", **asked, plan=plan["plan"])["job"]
    row = farm.settled(job)
    assert (row["state"], row["error"]["code"]) == ("paused", "output")
    blocked.unlink()
    assert farm.call("import", job=job)["folder"] == str(blocked / "frames")
    assert farm.until(lambda row: row["state"] == "done", job)["frames_done"] == 4
    assert len(list((blocked / "frames").iterdir())) == 4


def _a_file_in_the_way(folder: Path) -> Path:
    folder.write_text("")
    return folder / "frames"


def _a_folder_of_somebody_else(folder: Path) -> Path:
    if os.access("/", os.W_OK):
        pytest.skip("this user may write anywhere")
    return Path("/natron-iexec-test")


def _a_long_name(folder: Path) -> Path:
    return folder / ("x" * 300)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (_a_file_in_the_way, "is a file"),
        (_a_folder_of_somebody_else, "cannot be written"),
        (_a_long_name, "too long"),
    ],
)
def test_an_output_folder_that_cannot_be_is_said_before_anything_is_spent(
    farm: Any, submission: dict[str, Any], tmp_path: Path, out: Callable[[Path], Path], words: str
) -> None:
    asked = {**submission, "out": str(out(tmp_path / "out"))}
    (found,) = [check for check in farm.call("scan", **asked)["checks"] if check["level"] == "error"]
    assert words in found["title"]
    with pytest.raises(NatronIExecError, match=words):
        farm.call("submit", **asked)
    assert farm.call("jobs") == []


def test_the_longest_names_that_a_disk_takes(farm: Any, submission: dict[str, Any]) -> None:
    project = Path(submission["project"])
    name = "n" * 245
    project.write_text(project.read_text().replace("orbit_####.png", f"{name}####.png"))
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    assert sorted(path.name for path in (project.parent / "renders").iterdir()) == [
        f"{name}{frame:04d}.png" for frame in range(1, 5)
    ]


@pytest.mark.parametrize(
    ("owner", "method", "trouble"),
    [
        (ResultArchive, "extract", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
        (Collector, "collect", sqlite3.OperationalError("database or disk is full")),
    ],
)
def test_a_full_disk_loses_no_frame(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch, owner: type, method: str, trouble: Exception
) -> None:
    """Full when frames arrive, in the frames' folder or in ours."""

    def no_room(*args: Any) -> None:
        raise trouble

    with monkeypatch.context() as disk:
        disk.setattr(owner, method, no_room)
        job = farm.call("submit", **submission)["job"]
        row = farm.settled(job)
        assert (row["state"], row["error"]["code"]) == ("paused", "output")
        assert "room" in row["error"]["remedy"]
    farm.call("import", job=job)
    done = farm.until(lambda row: row["state"] == "done", job)
    assert (done["frames_done"], done["frames_failed"]) == (4, 0)
    assert done["paid_nrlc"] == row["paid_nrlc"]


def test_a_project_that_is_deleted_meanwhile(farm: Any, submission: dict[str, Any]) -> None:
    """What was submitted is rendered; what is not there any more cannot be."""
    project = Path(submission["project"])
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    project.unlink()
    assert farm.settled(job)["state"] == "done"
    assert len(list((project.parent / "renders").iterdir())) == 4
    with pytest.raises(ProjectError, match="orbit.ntp"):
        farm.call("plan", **submission)


def test_whoever_submitted_may_leave(farm: Any, submission: dict[str, Any]) -> None:
    """Natron is closed while its job is packed and uploaded; another one sees the frames come."""
    other = EngineClient()
    other.connect(start=False)
    job = other.call("submit", submission)["job"]
    other.close()
    assert farm.settled(job)["state"] == "done"


def test_importing_again_brings_back_what_was_deleted(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    lost = Path(submission["project"]).parent / "renders" / "orbit_0003.png"
    content = lost.read_bytes()
    lost.unlink()
    answer = farm.call("import", job=job)
    assert (answer["imported"], answer["skipped"]) == (1, 3)
    assert lost.read_bytes() == content


# cancel, test frames, list


def test_cancel_before_anything_is_bought(farm: Any, submission: dict[str, Any]) -> None:
    farm.engine.farm.queues.stop()  # nothing moves
    job = farm.call("submit", **submission)["job"]
    answer = farm.call("cancel", job=job)
    assert answer == {"stopped": ["Nothing was bought; nothing is spent."], "bought": []}
    farm.engine.farm.pipeline._do_submit(job)
    row = farm.call("show", job=job)
    assert (row["state"], row["paid_nrlc"]) == ("cancelled", 0)
    with pytest.raises(Conflict, match="over"):
        farm.call("cancel", job=job)


def test_cancel_of_what_is_bought_is_honest(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    answer = farm.call("cancel", job=job)
    assert answer["stopped"] == []
    assert "2 tasks bought, which cannot be given back" in answer["bought"][0]
    assert farm.settled(job)["frames_done"] == 4


def test_test_frames_first_then_the_rest(farm: Any, submission: dict[str, Any]) -> None:
    wanted = {**submission, "frames": "1-9", "test_frames": "auto", "chunk": 3}
    plan = farm.call("plan", **wanted)
    assert plan["tasks"] == 1
    job = farm.call("submit", **wanted, plan=plan["plan"])["job"]
    row = farm.settled(job)
    assert (row["state"], row["frames_done"], row["held"]) == ("held", 3, True)
    renders = Path(submission["project"]).parent / "renders"
    assert sorted(path.name for path in renders.iterdir()) == [f"orbit_{frame:04d}.png" for frame in (1, 5, 9)]
    price = farm.call("plan", retry=job)
    assert price["frames"] == 6
    rest = farm.call("retry", job=job, plan=price["plan"], max_total_nrlc=price["total_nrlc"])["job"]
    assert farm.settled(rest)["state"] == "done"
    assert len(list(renders.iterdir())) == 9
    assert farm.call("show", job=job)["state"] == "done"


def test_test_frames_then_the_rest_by_itself(farm: Any, submission: dict[str, Any]) -> None:
    wanted = {**submission, "frames": "1-9", "test_frames": "auto-continue", "chunk": 3}
    plan = farm.call("plan", **wanted)
    assert (plan["tasks"], plan["frames"]) == (3, 9)
    job = farm.call("submit", **wanted, plan=plan["plan"], max_total_nrlc=plan["total_nrlc"])["job"]
    assert farm.settled(job)["state"] == "done"
    rest = next(row["id"] for row in iter(lambda: _newest(farm, job), None))
    assert farm.settled(rest)["state"] == "done"
    assert len(list((Path(submission["project"]).parent / "renders").iterdir())) == 9
    paid = sum(row["paid_nrlc"] for row in farm.call("jobs"))
    assert paid <= plan["total_nrlc"]


def _newest(farm: Any, other: str) -> Any:
    found = [row for row in farm.call("jobs") if row["id"] != other]
    if not found:
        farm.events.get(timeout=60)
        return _newest(farm, other)
    return found[0]


def test_removing_keeps_frames(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    farm.call("remove", job=job)
    assert farm.call("jobs") == []
    assert len(list((Path(submission["project"]).parent / "renders").iterdir())) == 4


def test_the_bundle_can_be_taken_out(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    folder = Path(farm.call("bundle", job=job, to=str(tmp_path / "out"))["path"])
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    clip = {f"in/d0001/orbit.{number:04d}.png" for number in range(1, 25)}  # a small clip goes along whole
    assert names == {"manifest.json", "project.ntp"} | clip
    with pytest.raises(Conflict, match="there already"):
        farm.call("bundle", job=job, to=str(folder))


def test_what_would_be_sent_can_be_looked_at_before(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    folder = Path(farm.call("bundle", **submission, to=str(tmp_path / "out"))["path"])
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"manifest.json", "project.ntp"} < names
    assert farm.call("jobs") == []
    with pytest.raises(Conflict, match="there already"):
        farm.call("bundle", **submission, to=str(folder))


# several deals, trust, enclave, the free edition


def test_the_free_edition_takes_one_task(farm: Any, submission: dict[str, Any]) -> None:
    plan = farm.call("plan", **{**submission, "chunk": 10})
    assert (plan["tasks"], plan["app_price_nrlc"]) == (1, 0)
    assert farm.settled(farm.call("submit", **{**submission, "chunk": 10})["job"])["state"] == "done"


def test_what_goes_out_and_comes_back_of_a_confidential_job_is_sealed(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission, confidential=True)["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    deal = farm.local.hub.deal(farm.call("show", job=job)["deals"][0]["dealid"])
    assert deal is not None
    assert deal.tag.endswith("09")
    assert "iexec_secrets" in deal.params
    for path in (Path(submission["project"]).parent / "renders").iterdir():
        images.check(path)
    net = farm.engine.farm.services.of("local")
    for task in farm.call("show", job=job)["tasks"]:
        content = net.transport.request("GET", f"{net.network.gateway}{task['result']}").content
        assert b"PNG" not in content
        assert b"Rendering" not in content
    assert any("Frame: 1" in line for line in farm.call("logs", job=job, task=0)["lines"])


def test_workers_that_must_agree(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission, trust=2)["job"]
    assert farm.settled(job)["state"] == "done"


def test_an_order_that_is_too_small_makes_two_deals(
    farm: Any, submission: dict[str, Any], two_small_orders: int
) -> None:
    plan = farm.call("plan", **submission)
    assert (plan["deals"], plan["workerpool_price_nrlc"]) == (2, two_small_orders)
    job = farm.call("submit", **submission, plan=plan["plan"])["job"]
    row = farm.settled(job)
    assert row["state"] == "done", row
    assert [deal["tasks"] for deal in farm.call("show", job=job)["deals"]] == [1, 1]
    assert row["paid_nrlc"] == plan["total_nrlc"]
