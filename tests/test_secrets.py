"""The whole main job, then every file, log, database, argument list and environment is searched for key, password and
mnemonic."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from NatronIExec import log
from NatronIExec.errors import NatronIExecError

PASSWORD = "correct horse battery"
PHRASE = "test test test test test test test test test test test junk"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_secret_is_left_anywhere(start_farm: Any, submission: dict[str, Any], home: Path, local: Any) -> None:
    farm = start_farm()
    log.to_file("engine", farm.engine.redactor, home / "logs")
    key = local.people["requester"].key
    farm.call("wallet.import", name="r", password=PASSWORD, key=key)
    farm.call("wallet.import", name="m", password=PASSWORD, mnemonic=PHRASE)
    farm.call("wallet.use", address=local.people["requester"].address)
    for wrong in ({"password": "wrong " + PASSWORD}, {"password": PASSWORD, "nonsense": key}):
        with contextlib.suppress(NatronIExecError):
            farm.call("wallet.unlock", **wrong)
    seen = _processes()
    job = farm.call("submit", **submission, confidential=True, password=PASSWORD)["job"]
    row = farm.call("show", job=job)
    while row["state"] not in ("done", "partly", "failed"):
        seen |= _processes()
        row = farm.call("show", job=job)
    assert row["state"] == "done"
    secrets = [PASSWORD.encode(), key[2:].encode(), bytes.fromhex(key[2:]), PHRASE.encode()]
    for place, content in [*_files(home), *_files(Path(submission["project"]).parent), *seen]:
        for secret in secrets:
            assert secret not in content, f"{place} holds a secret"
    assert {"engine.log", "jobs.sqlite"} <= {path.name for path in home.rglob("*")}


def _files(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def _processes() -> set[tuple[str, bytes]]:
    """Arguments and environment of this process and of all below it."""
    found = set()
    mine = {os.getpid()}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent in mine or int(entry.name) in mine:
                mine.add(int(entry.name))
                found.add((f"{entry}/cmdline", (entry / "cmdline").read_bytes()))
                found.add((f"{entry}/environ", (entry / "environ").read_bytes()))
        except (OSError, ValueError):
            continue
    return found
