"""The fake Natron and the real one keep the same promises."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from fake_natron import App
from natron_contract import PROMISES

HERE = Path(__file__).parent
PATIENCE_S = 150


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_fake_keeps_it(promise, tmp_path, application):
    promise(App(panes=("pane1", "pane2", "pane3")), tmp_path)


@pytest.mark.natron
@pytest.mark.skipif(not os.environ.get("NATRON"), reason="NATRON is not set to the Natron program")
@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="xvfb-run is not installed")
def test_the_real_natron_keeps_it(tmp_path):
    settings = tmp_path / "home" / ".Natron"
    settings.mkdir(parents=True)
    shutil.copy(HERE / "natron_inside.py", settings / "initGui.py")
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "NATRON_CONTRACT_OUT": str(tmp_path)}
    environment["NATRON_CONTRACT_PATH"] = os.pathsep.join((str(HERE.parents[1]), str(HERE)))
    for of_the_tests in ("QT_API", "QT_QPA_PLATFORM"):
        environment.pop(of_the_tests, None)
    with (tmp_path / "natron.log").open("wb") as log:
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", os.environ["NATRON"]]
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            running.wait(PATIENCE_S)
        finally:
            if running.poll() is None:  # the screen and Natron, too
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert report.splitlines() == [promise.__name__ for promise in PROMISES], report
