"""What we send against what a real Natron opened (tests/samples/shot010/opened.json)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.scan.project_scan import scan

SAMPLES = Path(__file__).parents[1] / "samples" / "shot010"
OPENED = json.loads((SAMPLES / "opened.json").read_text())
CASES = [
    (project, writer, frames)
    for project, writers in sorted(OPENED.items())
    for writer, ranges in sorted(writers.items())
    for frames in sorted(ranges)
]


def frames_of(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    return tuple(range(int(first), int(last or first) + 1))


def load_time_files(project: Path) -> set[str]:
    """First frames of all readers: Natron opens them when it loads the project, whatever is rendered."""
    found = set()
    for _, node in parse_project(project).walk():
        if "Read" in node.plugin:
            text = node.knobs["filename"].text.replace("[Project]", str(project.parent))
            found.add(text.replace("####", "0001").replace("###", "001"))
    return found


@pytest.mark.parametrize(("project", "writer", "frames"), CASES)
def test_sends_what_natron_opened_and_nothing_else(shot: Path, project: str, writer: str, frames: str) -> None:
    path = shot / f"{project}.ntp"
    golden = OPENED[project][writer][frames]
    found = scan(path, writers=[writer], frames=frames_of(frames), environment={})
    sent = {file.path for file in found.files if file.exists and file.path.startswith(str(shot))}
    opened = {str(shot / name) for name in golden["opened"]}
    at_load = load_time_files(path)
    assert opened - at_load <= sent
    assert sent <= opened
    missing = {gap.path for gap in found.missing}
    assert {str(shot / name) for name in golden["missing"]} - at_load <= missing
    assert {os.path.dirname(gap) for gap in missing} == {os.path.dirname(shot / name) for name in golden["missing"]}
