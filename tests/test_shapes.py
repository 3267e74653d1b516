"""What crosses the engine's door has one description in code, and the document says the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from NatronIExec import shapes, states
from NatronIExec.errors import BadInput
from NatronIExec.kinds import complaint, kinds_of, record_complaint
from NatronIExec.submission import Submission, defaults, from_json
from NatronIExec.verb_table import VERBS

PAGE = (Path(__file__).parents[1] / "docs" / "engine-protocol.md").read_text(encoding="utf-8")
#: "**Name** … **Next**": what the page says of each.
SAID = dict(re.findall(r"\*\*(\w+)\*\*([^*].*?)(?=\n\n|\*\*[A-Z]\w+\*\*|\Z)", PAGE.split("## Shapes")[1], re.DOTALL))
ROWS = {row[0]: row[1] for row in re.findall(r"^\| ([a-z_. /]+) \| (.*?) \| .* \|$", PAGE, re.MULTILINE)}
RECORDS = sorted(set(SAID) - {"JobState", "TaskState", "FrameState"})


def said_keys(name: str) -> set[str]:
    """The keys that the page lists; what is in brackets explains them."""
    text = SAID[name]
    while re.search(r"[({\[]", text):
        shorter = re.sub(r"\([^(){}\[\]]*\)|\{[^(){}\[\]]*\}|\[[^(){}\[\]]*\]", "", text)
        assert shorter != text, f"brackets do not close in {name}"
        text = shorter
    return set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("name", RECORDS)
def test_the_page_lists_the_keys_of_each_record(name: str) -> None:
    keys = set(kinds_of(getattr(shapes, name)))
    inherited = set(kinds_of(shapes.JobRow)) if name == "JobSheet" else set()
    assert said_keys(name) == keys - inherited


@pytest.mark.parametrize("name", ["JobState", "TaskState", "FrameState"])
def test_the_page_lists_the_states(name: str) -> None:
    assert tuple(re.findall(r'"(\w+)"', SAID[name])) == getattr(states, name).__args__


def test_every_record_is_on_the_page() -> None:
    nested = {"SentBytes", "Category", "Keyring", "OfflineWallet"}
    events = {f"{name.title()}Event" for name in shapes.EVENTS}
    known = {n for n, v in vars(shapes).items() if hasattr(v, "__total__")}
    assert known - nested - events == set(RECORDS) - {"Submission", "Settings"}


def test_the_page_lists_the_verbs_with_their_arguments() -> None:
    named = {verb: args for names, args in ROWS.items() for verb in names.split(" / ") if verb != "verb"}
    assert set(named) == set(VERBS)
    for verb, shape in VERBS.items():
        for record in (record for way in shape.args for record in way if record is not Submission):
            for key in kinds_of(record):
                assert re.search(rf"\b{key}\b", named[verb]), f"{verb} takes {key}"


def test_each_event_is_on_the_page() -> None:
    for name, record in shapes.EVENTS.items():
        line = re.search(rf'`\{{"event": "{name}",(.*?)\}}`', PAGE, re.DOTALL)
        assert line, name
        assert set(re.findall(r'"(\w+)":', line.group(1))) == set(kinds_of(record)) - {"event"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"kind": "hardware"}, "it.kind"),
        ({"name": 3}, "it.name"),
        ({"colour": "red"}, "there is no 'colour'"),
    ],
)
def test_a_record_is_checked(change: dict[str, Any], wrong: str) -> None:
    account = {"address": "0x1", "name": "", "file": "/k", "kind": "keystore", **change}
    found = complaint(shapes.Account, account)
    assert wrong in found
    assert bool(found) == bool(wrong)


def test_what_is_missing_is_named() -> None:
    assert record_complaint([shapes.StepRow], {"step": "sent"}) == "it: 'at_s' is missing"
    assert complaint(shapes.SubmissionFields, {"network": "local"}) == "it: 'project' is missing"


def test_what_is_left_out_of_a_submission_has_its_default() -> None:
    asked = from_json({"project": "/a.ntp", "network": "local"})
    assert asked.to_json() == {"project": "/a.ntp", "network": "local", **defaults()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project", None),
        ("chunk", 0),
        ("chunk", True),
        ("trust", None),
        ("trust", 0),
        ("category", -1),
        ("max_price_nrlc", "5"),
        ("writers", "Write1"),
        ("extra_files", [3]),
        ("frames_of", {"Write1": 3}),
        ("test_frames", "some"),
        ("confidential", 1),
        ("colour", "red"),
    ],
)
def test_a_wrong_submission_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadInput) as refused:
        from_json({"project": "/a.ntp", "network": "local", name: value})
    assert name in refused.value.title
