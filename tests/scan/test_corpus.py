"""Small projects with what a real Natron 2.6 opened for them (tests/samples/corpus): all of it is sent, hardly more."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.farm.pack.project_copy import snapshot
from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.scan.project_scan import Scan, scan

CORPUS = Path(__file__).parents[1] / "samples" / "corpus"
TRUTH: dict[str, list[dict[str, Any]]] = json.loads((CORPUS / "truth.json").read_text())
RUNS = [(name, number) for name, runs in TRUTH.items() for number in range(len(runs))]
#: Sent and opened, over all of the corpus.
MOST_SENT = 1.1


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all projects, with their inputs as a byte each: a scan only looks at names."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in json.loads((CORPUS / "footage.json").read_text()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    for packed in CORPUS.glob("*.ntp.gz"):
        (folder / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return folder


def of_run(shot: Path, name: str, number: int) -> tuple[Scan, set[str], set[str], set[str]]:
    """The scan, what it sends, what the render opened, and what Natron opened while it loaded the project."""
    run = TRUTH[name][number]
    found = scan(shot / f"{name}.ntp", writers=[run["writer"]], frames=run["frames"], environment={})
    sent = {os.path.relpath(file.path, shot) for file in found.files if file.exists}
    return found, sent, set(run["opened"]), set(run["loading"])


@pytest.mark.parametrize(("name", "number"), RUNS)
def test_sends_all_that_the_render_opens(shot: Path, name: str, number: int) -> None:
    found, sent, opened, _ = of_run(shot, name, number)
    assert opened <= sent
    assert not [check for check in found.errors if check.code == "missing-file"]


def test_sends_hardly_more(shot: Path) -> None:
    sent_in_all = used = 0
    for name, number in RUNS:
        _, sent, opened, loading = of_run(shot, name, number)
        sent_in_all += len(sent)
        used += len(sent & (opened | loading))
    assert sent_in_all <= MOST_SENT * used


@pytest.mark.parametrize("name", TRUTH)
def test_the_copy_holds_what_takes_part_and_nothing_else(shot: Path, tmp_path: Path, name: str) -> None:
    """What is left out is gone without a trace, what stays is as it was, and needs the same files."""
    run = TRUTH[name][0]
    project = shot / f"{name}.ntp"
    found = scan(project, writers=[run["writer"]], frames=run["frames"], environment={})
    copy = parse_project(snapshot(found, tmp_path / "to").project)
    before = dict(parse_project(project).walk())
    after = dict(copy.walk())
    assert set(after) == found.copied
    feeding, waiting = {run["writer"]}, [run["writer"]]
    while waiting:
        above = set(before[waiting.pop()].inputs.values()) - feeding
        feeding |= above
        waiting += above
    assert feeding <= set(after)
    for node_name, node in after.items():
        assert node.inputs == before[node_name].inputs
        assert {knob: [value.keys for value in held.values] for knob, held in node.knobs.items()} == {
            knob: [value.keys for value in held.values] for knob, held in before[node_name].knobs.items()
        }
    again = scan(copy.path, original=project, writers=[run["writer"]], frames=run["frames"], environment={})
    assert again.copied == found.copied
