"""The program stays root, the renderer does not; results are known to be writable before the first frame."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Iterator

import pytest

from NatronIExec.container import entrypoint
from NatronIExec.container.rights import VARIABLE, prove_writable, renderers
from NatronIExec.devnet import containers
from NatronIExec.devnet.sandbox import OTHER_UID, Terms, _run
from NatronIExec.errors import BadInput

as_root = pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="only root can give rights up")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user can reach."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_what_is_no_folder_cannot_be_written_to(job) -> None:
    job.out.write_text("a file, where a folder should be")
    with pytest.raises(BadInput, match="no folder to write"):
        prove_writable(job.out)


def test_the_proof_comes_before_the_first_frame(job, monkeypatch, capsys) -> None:
    def refuse(folder: Path) -> None:
        raise BadInput("The worker gave no folder to write results to.", "")

    monkeypatch.setattr(entrypoint, "prove_writable", refuse)
    assert job.run() == 1
    said = capsys.readouterr().out
    assert "no folder to write" in said
    assert "rendered" not in said


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    prove_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


@as_root
@pytest.mark.parametrize("user", [None, OTHER_UID])
def test_who_gave_up_its_rights_before_cannot_write_results(open_folder: Path, user: int | None) -> None:
    """A real worker's /iexec_out is root's, 0755 (the image once had a USER)."""
    out = open_folder / "iexec_out"
    out.mkdir()
    assert stat.S_IMODE(out.stat().st_mode) == 0o755
    command = ["/bin/sh", "-c", f"id -u; echo done > {out}/computed.json"]
    said = _run(command, {"PATH": os.environ["PATH"]}, open_folder, Terms(30), threading.Event(), user)
    assert said.stdout.split() == [str(user or 0)]
    assert (out / "computed.json").exists() == (user is None)


@as_root
def test_the_renderer_alone_has_no_rights(open_folder: Path) -> None:
    rights = renderers({VARIABLE: str(OTHER_UID)})
    made, kept = open_folder / "out", open_folder / "ours"
    for folder in (made, kept):
        (folder / "Left").mkdir(parents=True)
    rights.give(made)
    script = f"id -u; id -G; touch {made}/Left/1.png; touch {kept}/1.png"
    done = subprocess.run(
        ["/bin/sh", "-c", script], preexec_fn=rights.give_up, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [str(OTHER_UID)] * 2
    assert (made / "Left" / "1.png").stat().st_uid == OTHER_UID
    assert not (kept / "1.png").exists()


@as_root
def test_a_user_that_is_no_number_is_said() -> None:
    with pytest.raises(BadInput):
        renderers({VARIABLE: "render"})


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("FROM a\nUSER 1000\n", "1000"),
        ("FROM a\n", ""),
        ("USER render\nUSER root\n", ""),
        ("USER  render \n", "render"),
    ],
)
def test_an_image_says_whom_it_runs_as(text: str, user: str) -> None:
    assert containers.user_of(text) == user


def test_our_image_runs_as_root() -> None:
    text = (Path(entrypoint.__file__).parent / "Containerfile").read_text()
    assert containers.user_of(text) == ""
    assert f" {VARIABLE}={OTHER_UID}" in text
