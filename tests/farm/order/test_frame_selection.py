"""Frame ranges as people type them."""

from __future__ import annotations

import pytest

from NatronIExec.errors import BadInput
from NatronIExec.farm.order.frame_selection import MAX_FRAME, parse_frames


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1-10x3", (1, 4, 7, 10)),
        ("1-10:3", (1, 4, 7, 10)),
        (" 1 - 10 : 4 , 3, 3", (1, 3, 5, 9)),
        ("20,1-3", (1, 2, 3, 20)),
        ("0007", (7,)),
        (str(MAX_FRAME), (MAX_FRAME,)),
    ],
)
def test_ranges(text: str, frames: tuple[int, ...]) -> None:
    assert parse_frames(text) == frames


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9-1", "backwards"),
        ("-5", "negative"),
        ("1-300000", "too many"),
        ("3000000000", "cannot number"),
        (f"1-{MAX_FRAME + 1}", "cannot number"),
        ("9" * 20, "cannot number"),
        ("9" * 5000, "cannot number"),
        ("-" + "9" * 5000, "cannot number"),
        ("1-10x" + "9" * 5000, "no frame range"),
        ("1-10x0", "no frame range"),
        ("1-10y2", "no frame range"),
        ("١-٣", "no frame range"),
        ("1-", "no frame range"),
        ("", "no frame range"),
        ("one" * 2000, "no frame range"),
    ],
)
def test_what_is_refused_and_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        parse_frames(text)
    assert refused.value.remedy
    assert len(str(refused.value)) < 200
