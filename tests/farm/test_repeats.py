"""What is asked twice, changes in between, or meets itself: one purchase, one folder, nothing lost."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec import images
from NatronIExec.devnet.web import Answer, answer_json
from NatronIExec.engine.client import EngineClient
from NatronIExec.errors import Conflict, PriceAboveCap
from NatronIExec.farm.run.collector import Collector


def renders(submission: dict[str, Any]) -> Path:
    return Path(submission["project"]).parent / "renders"


def folders(submission: dict[str, Any]) -> dict[str, list[str]]:
    found = sorted(renders(submission).parent.glob("renders*"))
    return {folder.name: sorted(path.name for path in folder.iterdir()) for folder in found}


def old_frames(submission: dict[str, Any], *frames: int) -> None:
    renders(submission).mkdir()
    for frame in frames:
        (renders(submission) / f"orbit_{frame:04d}.png").write_bytes(b"another picture")


def change(submission: dict[str, Any], before: str, after: str) -> None:
    project = Path(submission["project"])
    text = project.read_text()
    assert before in text
    project.write_text(text.replace(before, after))


# the same thing twice


def test_a_plan_is_bought_once(start_farm: Callable[..., Any], submission: dict[str, Any]) -> None:
    """Also when whoever asked did not hear the answer, and the engine was started again."""
    farm = start_farm()
    farm.pay_from()
    plan = farm.call("plan", **submission)["plan"]
    job = farm.call("submit", **submission, plan=plan)["job"]
    assert farm.call("submit", **submission, plan=plan)["job"] == job
    farm.settled(job)
    farm.close()
    farm = start_farm()
    farm.call("wallet.unlock", password="correct horse battery")
    assert farm.call("submit", **submission, plan=plan)["job"] == job
    assert len(farm.call("jobs")) == 1


def test_lost_frames_are_bought_again_once(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.by_index[1] = "garbage"
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "partly"
    farm.local.faults.by_index.clear()
    again = farm.call("retry", job=job)["job"]
    with pytest.raises(Conflict, match=f"with job {again}"):
        farm.call("retry", job=job)
    assert farm.settled(again)["state"] == "done"
    with pytest.raises(Conflict, match=f"with job {again}"):
        farm.call("plan", retry=job)
    assert farm.call("plan", retry=job, frames="3")["frames"] == 1


def test_a_test_that_lost_a_frame_still_has_its_rest(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.by_index[0] = "garbage"
    asked = {**submission, "frames": "1-9", "test_frames": "auto-continue", "chunk": 1}
    job = farm.call("submit", **asked)["job"]
    assert farm.settled(job)["state"] == "partly"
    farm.local.faults.by_index.clear()
    assert farm.call("plan", retry=job)["frames"] == 7
    again = farm.call("retry", job=job)["job"]
    assert farm.settled(again)["frames_done"] == 7
    assert len(list(renders(submission).iterdir())) == 9


def test_the_cap_of_a_day_holds_for_all_who_ask_at_once(farm: Any, submission: dict[str, Any]) -> None:
    price = farm.call("plan", **submission)["total_nrlc"]
    farm.call("settings.set", changes={"day_cap_nrlc": price + 1})
    together = threading.Barrier(3)
    answers: list[Any] = []

    def ask() -> None:
        client = EngineClient()
        client.connect(start=False)
        together.wait()
        try:
            answers.append(client.call("submit", submission)["job"])
        except PriceAboveCap as problem:
            answers.append(problem)
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, PriceAboveCap) for answer in answers) == 2
    (job,) = [answer for answer in answers if isinstance(answer, str)]
    farm.settled(job)


# what changes between the price and the purchase


def test_a_project_that_was_saved_with_another_format(farm: Any, submission: dict[str, Any]) -> None:
    plan = farm.call("plan", **submission)["plan"]
    change(submission, "orbit_####.png", "orbit_####.exr")
    job = farm.call("submit", **submission, plan=plan)["job"]
    row = farm.settled(job)
    assert (row["state"], row["paid_nrlc"]) == ("failed", 0)
    assert "saved meanwhile; nothing was spent" in row["error"]["remedy"]


def test_missing_frames_are_those_that_were_missing_when_the_price_was_shown(
    farm: Any, submission: dict[str, Any]
) -> None:
    old_frames(submission, 1)
    asked = {**submission, "only_missing": True}
    plan = farm.call("plan", **asked)
    assert plan["frames"] == 3
    (renders(submission) / "orbit_0001.png").unlink()
    job = farm.call("submit", **asked, plan=plan["plan"])["job"]
    assert farm.settled(job)["frames_done"] == 3
    assert folders(submission) == {"renders": ["orbit_0002.png", "orbit_0003.png", "orbit_0004.png"]}


# where frames go


def test_frames_of_one_job_stay_together(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tasks come home at the same time, and each meets an old frame."""
    old_frames(submission, 1, 3)
    both, seen, other = threading.Barrier(2), set(), Collector._other_folder

    def meet(self: Collector, job: Any, folder: str, taken: str) -> str:
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            both.wait(30)
        return other(self, job, folder, taken)

    monkeypatch.setattr(Collector, "_other_folder", meet)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    new = sorted(name for folder, names in folders(submission).items() if folder != "renders" for name in names)
    assert list(folders(submission)) == ["renders", "renders_v002"]
    assert set(new) >= {"orbit_0001.png", "orbit_0003.png"}


def test_a_retry_goes_where_its_job_went(farm: Any, submission: dict[str, Any]) -> None:
    old_frames(submission, 1, 2, 3, 4)
    farm.local.faults.by_index[1] = "garbage"
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "partly"
    farm.local.faults.by_index.clear()
    again = farm.call("retry", job=job)["job"]
    assert farm.settled(again)["state"] == "done"
    assert list(folders(submission)) == ["renders", "renders_v002"]
    assert len(folders(submission)["renders_v002"]) == 4


def test_the_same_picture_with_another_date_is_the_same(farm: Any, submission: dict[str, Any]) -> None:
    change(submission, "orbit_####.png", "orbit_####.exr")
    first = farm.call("submit", **submission)["job"]
    assert farm.settled(first)["state"] == "done"
    frame = renders(submission) / "orbit_0002.exr"
    before = images.pixel_hash(frame)
    oiio = pytest.importorskip("OpenImageIO")
    picture = oiio.ImageBuf(str(frame))
    picture.specmod().attribute("DateTime", "1999:12:31 23:59:59")
    assert picture.write(str(frame))
    assert images.pixel_hash(frame) == before
    again = farm.call("submit", **submission)["job"]
    assert farm.settled(again)["state"] == "done"
    assert list(folders(submission)) == ["renders"]


def test_one_frame_of_a_still_keeps_its_name(farm: Any, submission: dict[str, Any]) -> None:
    change(submission, "orbit_####.png", "poster.png")
    job = farm.call("submit", **{**submission, "frames": "3"})["job"]
    assert farm.settled(job)["state"] == "done"
    assert folders(submission) == {"renders": ["poster.png"]}


def test_writers_that_would_meet_in_one_folder_are_refused(farm: Any, tmp_path: Path) -> None:
    shot = Path(__file__).parents[1] / "samples" / "shot010" / "two_writers.ntp"
    project = tmp_path / "two.ntp"
    text = shot.read_text().replace("/srv/show/shot010", str(shot.parent))
    words = {word for word in text.replace("<", ">").split(">") if "#" in word and "/plates/" not in word}
    one, other = sorted(Path(word).name for word in words if word.endswith((".png", ".exr")))
    project.write_text(text.replace(one, "same_####.png").replace(other, "same_####.png"))
    asked = {"project": str(project), "network": "local", "frames": "3-4", "out": str(tmp_path / "all")}
    titles = [problem["title"] for problem in farm.call("plan", **asked)["problems"]]
    assert any("the same names as those of" in title for title in titles), titles


def test_frames_go_where_the_settings_say(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    farm.call("settings.set", changes={"output_folder": str(tmp_path / "all renders")})
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    assert len(list((tmp_path / "all renders").iterdir())) == 4
    assert not renders(submission).exists()


# what meets itself


def test_inputs_that_the_next_job_needs_are_not_removed_under_it(farm: Any, submission: dict[str, Any]) -> None:
    web, answer = farm.local.web, farm.local.web.answer
    removing, go_on = threading.Event(), threading.Event()

    def slow(request: Any) -> Any:
        if request.path == "/api/v0/pin/rm":
            removing.set()
            go_on.wait(60)
        return answer(request)

    web.answer = slow
    try:
        first = farm.call("submit", **submission)["job"]
        farm.settled(first)
        assert removing.wait(60)
        second = farm.call("submit", **submission)["job"]
        go_on.set()
        row = farm.settled(second)
    finally:
        go_on.set()
        web.answer = answer
    assert (row["state"], row["frames_done"]) == ("done", 4)


def test_a_poll_that_could_not_be_written_is_repeated(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("NatronIExec.farm.run.work_queue.AFTER_ERROR_S", 0.1)
    spool = farm.engine.farm.spool
    write, failed = spool.change_tasks, []

    def full_once(job: str, changes: Any) -> None:
        if not failed and any(values.get("state") == "delivered" for values in changes.values()):
            failed.append(job)
            raise sqlite3.OperationalError("database or disk is full")
        write(job, changes)

    monkeypatch.setattr(spool, "change_tasks", full_once)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    assert failed == [job]


# lists and reports that were made to break us


def _surrogate(listed: Any, report: Any) -> None:
    listed["frames"][0]["file"] = "frames/\ud800.png"


def _escape(listed: Any, report: Any) -> None:
    listed["frames"][0]["file"] = "frames/\x1b]0;owned\x07.png"


def _endless(listed: Any, report: Any) -> None:
    listed["frames"][0]["file"] = "frames/" + "A" * 3_000_000 + ".png"


def _infinite(listed: Any, report: Any) -> None:
    listed["frames"][0]["frame"] = float("inf")


@pytest.mark.parametrize("spoil", [_surrogate, _escape, _endless, _infinite])
def test_a_list_that_was_made_to_break_us_costs_its_task_only(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Any, Any], None]
) -> None:
    _hostile(farm, monkeypatch, spoil)
    job = farm.call("submit", **submission)["job"]
    row = farm.settled(job)
    assert (row["state"], row["frames_done"], row["frames_failed"]) == ("partly", 2, 2)
    notes = [task["note"] for task in farm.call("show", job=job)["tasks"]]
    notes += [frame["log"] for frame in farm.call("frames", job=job)]
    assert all(len(note) < 200 and note.isprintable() for note in notes)


def test_a_report_that_was_made_to_break_us_is_no_reason_to_lose_frames(
    farm: Any, submission: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(listed: Any, report: Any) -> None:
        report["frame_seconds"] = {"1": 10**400}
        report["log"] = "\x1b]52;c;b3duZWQ=\x07\x1b[2Jhello"

    _hostile(farm, monkeypatch, spoil)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    (line,) = farm.call("logs", job=job, task=0)["lines"]
    assert line.isprintable()
    assert line.endswith("hello")


def _hostile(farm: Any, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Any, Any], None]) -> None:
    """The worker of task 0 changes its list and report before they are hashed."""

    def misbehave(fault: str, out: Path) -> None:
        listed, report = json.loads((out / "frames.json").read_text()), json.loads((out / "report.json").read_text())
        spoil(listed, report)
        (out / "frames.json").write_text(json.dumps(listed).replace("Infinity", "1e400"))
        (out / "report.json").write_text(json.dumps(report))

    monkeypatch.setattr("NatronIExec.devnet.sandbox._misbehave", misbehave)
    farm.local.faults.by_index[0] = "garbage"


@pytest.fixture
def gateway(farm: Any) -> Iterator[Callable[[Answer, int], list[str]]]:
    """Answers some requests for results with something else; gives the list of those."""
    web, answer = farm.local.web, farm.local.web.answer

    def instead(other: Answer, times: int) -> list[str]:
        seen: list[str] = []

        def twisted(request: Any) -> Answer:
            found: Answer = answer(request)
            if found.file and found.file.read_bytes()[:2] == b"PK" and len(seen) < times:
                seen.append(request.path)
                return other
            return found

        web.answer = twisted
        return seen

    yield instead
    web.answer = answer


def test_a_page_of_the_gateway_is_no_result(farm: Any, submission: dict[str, Any], gateway: Any) -> None:
    """A captive portal answers 200 and something else: nobody's frames are lost for it."""
    pages = gateway(Answer(200, b"<html>Please log in", "text/html"), 2)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done"
    assert len(pages) == 2


def test_a_result_that_came_too_late_can_still_be_imported(farm: Any, submission: dict[str, Any], gateway: Any) -> None:
    """The gateway is away for more than a day; then it is back, and the person asks for the frames."""
    pipeline = farm.engine.farm.pipeline
    clock, late = pipeline._clock, iter(range(10**9))
    gateway(answer_json({"ok": False}, 404), 10**9)
    pipeline._clock = lambda: clock() + 40_000 * next(late)
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "failed"
    pipeline._clock = clock
    gateway(answer_json({"ok": False}, 404), 0)
    assert farm.call("import", job=job)["imported"] == 4
    assert farm.call("show", job=job)["state"] == "done"


def test_logs_of_a_task_that_failed_come_from_its_worker_group(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.by_index[1] = "nothing"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: row["frames_done"] == 2, job)
    lines: list[str] = []
    while not any("worker 0x" in line for line in lines):
        lines = farm.call("logs", job=job, task=1)["lines"]
    farm.call("wallet.lock")
    assert any("Unlock the wallet" in line for line in farm.call("logs", job=job, task=1)["lines"])
