"""natron-iexec as a person types it, against an engine in this process."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable, Iterator

import click
import pytest

from NatronIExec.cli.amount_type import Rlc
from NatronIExec.cli.connection import FRAMES_MISSING, exit_code, report, unless_interrupted
from NatronIExec.cli.devnet_commands import stand_in_words
from NatronIExec.errors import Cancelled, NatronIExecError, from_wire

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


class Shell:
    """Runs the command line in this process; keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.password = folder / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(PASSWORD + "\n")
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        from NatronIExec.cli.commands import run

        arguments = ["natron-iexec", "--password-file", str(self.password), *map(str, words)]
        self._monkeypatch.setattr(sys, "argv", arguments)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        self.out, self.err = self._capsys.readouterr()
        return int(ended.value.code or 0)

    def json(self, *words: str) -> Any:
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    return Shell(capsys, monkeypatch, tmp_path)


def test_a_render_from_the_command_line(shell: Shell, farm: Any, orbit: Path, tmp_path: Path) -> None:
    asked = (str(orbit), "--frames", "1-4", "--chunk", "2", "--out", str(tmp_path / "frames"))
    assert shell("scan", *asked) == 0
    assert "4 input files" in shell.out
    assert shell.out.count("Read1") == 4
    sheet = shell.json("scan", *asked)
    assert set(sheet) == {"writers", "files", "chunks", "missing", "checks", "bytes"}
    assert shell("plan", *asked) == 0
    assert "4 frames in 2 tasks" in shell.out
    assert re.search(r"Most that can be spent +0\.022 RLC and \S.* ETH for gas", shell.out)
    refund = re.search(r"Refund of unfinished frames +from (\d{4}-\d\d-\d\d \d\d:\d\d) \((\d+) min", shell.out)
    assert refund
    bought = datetime.strptime(refund[1], "%Y-%m-%d %H:%M") - timedelta(minutes=int(refund[2]))
    assert abs(bought - datetime.now()) < timedelta(minutes=3)
    assert shell("submit", *asked, "--yes", "--watch") == 0
    assert "4 frames rendered" in shell.out
    assert len(list((tmp_path / "frames").iterdir())) == 4
    job = shell.json("jobs")[0]["id"]
    for words in (("jobs",), ("show", job), ("logs", job), ("logs", job, "0"), ("ledger",), ("workerpools",)):
        assert shell(*words) == 0, shell.err
        assert shell.out.strip()
    assert shell.json("show", job)["deals"][0]["tasks"] == 2
    assert shell("import", job) == 0
    assert "4 there already" in shell.out
    assert shell("claim", job) == 0
    assert shell("bundle", job, str(tmp_path / "sent")) == 0
    assert shell("watch", job) == 0
    assert shell("remove", job) == 0
    assert shell.json("jobs") == []
    assert shell("show", job) == 0  # off the list, not out of the records


def test_frames_that_are_missing_at_the_end_are_an_exit_code(shell: Shell, farm: Any, orbit: Path) -> None:
    farm.local.faults.by_index[0] = "garbage"
    assert (
        shell("submit", str(orbit), "--frames", "1-4", "--chunk", "2", "--yes", "--watch", "--json") == FRAMES_MISSING
    )
    job = json.loads(shell.out)["id"]
    farm.local.faults.by_index.clear()
    assert shell("retry", job, "--yes") == 0
    assert "2 frames in 1 task" in shell.out
    again = re.search(r"Job (\S+)", shell.out)
    assert again
    assert shell("watch", again[1]) == 0


def test_the_password_is_asked_for_only_when_it_is_needed(shell: Shell, farm: Any, orbit: Path) -> None:
    assert shell("wallet", "lock") == 0
    assert shell("plan", str(orbit), "--frames", "1") == 0
    shell.password.write_text("wrong password\n")
    assert shell("submit", str(orbit), "--frames", "1", "--yes") == of_code("wrong-password")
    assert "password is wrong" in shell.err
    shell.password.write_text(PASSWORD + "\n")
    assert shell("submit", str(orbit), "--frames", "1", "--yes", "--watch") == 0
    shell.password.chmod(0o644)
    assert shell("wallet", "unlock") == of_code("bad-input")
    assert "chmod 600" in shell.err


def test_saying_no_spends_nothing(shell: Shell, farm: Any, orbit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "n")
    assert shell("submit", str(orbit), "--frames", "1") == of_code("cancelled")
    assert shell.json("jobs") == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("plan", "nowhere.ntp"), "project", "nowhere.ntp"),
        (("show", "nothing"), "conflict", "no job nothing"),
        (("plan", "{orbit}", "--network", "mars"), "bad-input", "mars"),
        (("plan", "{orbit}", "--frames", "9-1"), "bad-input", "backwards"),
        (("submit", "{orbit}", "--max-price", "0.001", "--yes"), "price-cap", "the cap is 0.001 RLC"),
        (("wallet", "import"), "bad-input", "exactly one"),
        (("settings", "colour"), "bad-input", "NAME=VALUE"),
        (("settings", "colour=red"), "bad-input", "no setting colour"),
    ],
)
def test_errors_say_what_to_do(
    shell: Shell, farm: Any, orbit: Path, words: tuple[str, ...], code: str, says: str
) -> None:
    filled = [word.replace("{orbit}", str(orbit)) for word in words]
    assert shell(*filled) == of_code(code)
    assert says in shell.err
    assert shell(*filled, "--json") == of_code(code)
    wire = json.loads(shell.err)["error"]
    assert wire["code"] == code
    assert wire["remedy"]


def test_a_plan_that_cannot_be_bought_is_an_exit_code(shell: Shell, farm: Any, orbit: Path) -> None:
    asked = ("plan", str(orbit), "--max-price", "0.001")
    assert shell(*asked) == of_code("price-cap")
    assert shell.out.count("the cap is 0.001 RLC") == 1
    assert shell(*asked, "--json") == of_code("price-cap")
    assert json.loads(shell.out)["problems"][0]["code"] == "price-cap"
    assert shell("plan", str(orbit), "--json") == 0


def test_wrong_use_is_two(shell: Shell) -> None:
    assert shell("dance") == 2
    assert shell("plan", "x.ntp", "--chunk", "0") == 2
    assert shell("plan", "x.ntp", "--max-price", "-1") == 2


def test_wrong_use_is_json_too(shell: Shell) -> None:
    for words in (("dance",), ("plan", "x.ntp", "--chunk", "0"), ("show",), ("plan", "x.ntp", "--no-such-option")):
        assert shell(*words, "--json") == of_code("usage") == 2
        assert shell.out == ""
        wire = json.loads(shell.err)["error"]
        assert wire["code"] == "usage"
        assert "--help" in wire["remedy"]


def test_a_watched_job_that_waits_says_what_for(
    shell: Shell, farm: Any, submission: dict[str, Any], tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    asked = {**submission, "out": str(blocked / "frames")}
    plan = farm.call("plan", **asked)
    blocked.write_text("a file where a folder should be")
    job = farm.call("submit", **asked, plan=plan["plan"])["job"]
    assert shell("watch", job) == of_code("output")
    assert str(blocked) in shell.err
    assert shell("watch", job, "--json") == of_code("output")
    assert json.loads(shell.out)["state"] == "paused"
    assert json.loads(shell.err)["error"]["code"] == "output"


def test_a_watched_job_that_was_cancelled_is_no_missing_frames(
    shell: Shell, farm: Any, submission: dict[str, Any]
) -> None:
    farm.engine.farm.queues.stop()  # nothing moves
    job = farm.call("submit", **submission)["job"]
    farm.call("cancel", job=job)
    farm.engine.farm.pipeline._do_submit(job)
    assert shell("watch", job) == of_code("cancelled")


def test_who_stops_watching_is_told_that_the_job_goes_on(farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    with watching(job) as child:
        assert child.stderr is not None
        assert "frames)" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == of_code("cancelled")
    assert f"Job {job} goes on. Follow it with: natron-iexec watch {job}" in said


def test_who_stops_watching_is_told_in_json_which_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Cancelled) as stopped, unless_interrupted(True, "It goes on.", "Watch it.", job="j1"):
        raise KeyboardInterrupt
    report(stopped.value, True)
    assert json.loads(capsys.readouterr().err)["error"]["details"] == {"job": "j1"}


@contextmanager
def watching(job: str) -> Iterator[subprocess.Popen[str]]:
    """`natron-iexec watch`, ended with its block, however that ends: an open pipe would fail another test."""
    command = [sys.executable, "-m", "NatronIExec.cli", "watch", job]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()  # nothing, when it has ended


def test_accounts_from_the_command_line(shell: Shell, farm: Any, tmp_path: Path) -> None:
    state = shell.json("wallet")
    address = state["current"]
    assert shell("wallet") == 0
    assert address in shell.out
    assert shell("wallet", "export", address, str(tmp_path / "k.json")) == 0
    assert shell("wallet", "remove", address) == 0
    assert shell("wallet", "import", "--file", str(tmp_path / "k.json")) == 0
    assert shell("wallet", "use", address) == 0
    assert shell("wallet", "unlock") == 0
    assert shell("wallet", "deposit", "0.5") == 0
    assert shell("wallet", "withdraw", "0.5") == 0
    assert shell("wallet", "create", "--name", "second") == 0
    assert len(shell.json("wallet", "show")["accounts"]) == 2
    assert shell("wallet", "external") == 0


def test_the_rest_of_the_commands(shell: Shell, farm: Any, home: Path) -> None:
    assert shell("engine", "status") == 0
    assert "runs" in shell.out or "pid" in shell.out
    assert shell("engine", "start") == 0
    assert shell("networks") == 0
    assert "arbitrum" in shell.out
    assert shell("doctor") == 0, shell.out
    assert shell("settings") == 0
    assert shell.json("settings", "lock_after_s=60")["lock_after_s"] == 60
    installed = shell.json("install")
    assert json.loads((home / "install.json").read_text())["command"] == installed["command"]
    assert shell("--version") == 0


def test_cancel_is_honest_on_the_command_line(shell: Shell, farm: Any, submission: dict[str, Any]) -> None:
    farm.local.faults.every = "never-initialized"
    job = farm.call("submit", **submission)["job"]
    farm.until(lambda row: bool(row["paid_nrlc"]), job)
    assert shell("cancel", job) == 0
    assert "Bought already: 2 tasks" in shell.out


def test_no_engine_is_started_by_asking(shell: Shell) -> None:
    assert shell("engine", "status") == 0
    assert "No engine runs" in shell.out
    assert shell("engine", "stop") == 0


def of_code(code: str) -> int:
    """The exit code for an error that the engine sent with this code."""
    return exit_code(from_wire({"code": code}))


def kinds(base: type[NatronIExecError]) -> Iterator[type[NatronIExecError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_exit_codes_are_documented() -> None:
    """Of every error that the command line knows without the engine's libraries; no other has a code of its own."""
    table = (ROOT / "docs" / "cli.md").read_text().split("## Exit codes")[1]
    documented = {}
    for line in table.splitlines():
        row = re.match(r"\| (\d+) \| (.*) \|", line)
        if row:
            documented.update({code: int(row[1]) for code in re.findall(r"`([a-z-]+)`", row[2])})
    assert documented == {kind.code: of_code(kind.code) for kind in kinds(NatronIExecError)}
    assert of_code("of a newer engine") == 1


@pytest.mark.parametrize(("text", "nrlc"), [("0.25", 250_000_000), ("1", 10**9), ("0.000000001", 1)])
def test_amounts(text: str, nrlc: int) -> None:
    assert Rlc().convert(text, None, None) == nrlc


@pytest.mark.parametrize("text", ["", "-1", "1,000", "a lot"])
def test_no_amount(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Rlc().convert(text, None, None)


@pytest.fixture(autouse=True)
def _quiet_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """`engine start` must find the one that runs, never start another."""
    monkeypatch.setattr("NatronIExec.engine.client.start_engine", _refuse)


def _refuse(command: Callable[..., Any]) -> Any:
    raise AssertionError("a test started an engine")


@pytest.mark.parametrize(("renderer", "said"), [("slate", True), ("natron", False)])
def test_a_stand_in_is_said(monkeypatch: pytest.MonkeyPatch, renderer: str, said: bool) -> None:
    state = {"running": True, "renderer": renderer}
    monkeypatch.setattr("NatronIExec.devnet.network.LocalNetwork.status", lambda network: state)
    assert bool(stand_in_words("local")) == said
    assert stand_in_words("arbitrum") == ""
