from __future__ import annotations

import pytest
from fileseq import FrameSet
from hypothesis import given
from hypothesis import strategies as st

from NatronIExec import frames
from NatronIExec.errors import BadInput
from NatronIExec.frames import MAX_FRAME, parse_frames

ANY_FRAMES = st.lists(st.integers(-500, 500), max_size=60)


@pytest.mark.parametrize(
    ("given_frames", "written"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2], "1-2"),
        ([1, 3], "1,3"),
        ([1, 3, 5], "1-5x2"),
        ([3, 1, 2, 2], "1-3"),
        ([1, 2, 3, 10, 20, 30, 31], "1-3,10-30x10,31"),
    ],
)
def test_frames_are_written_as_the_shortest_ranges(given_frames: list[int], written: str) -> None:
    assert frames.format_frames(given_frames) == written


@given(ANY_FRAMES)
def test_what_is_written_is_read_back_by_fileseq(some: list[int]) -> None:
    written = frames.format_frames(some)
    assert sorted(set(some)) == (sorted(FrameSet(written)) if written else [])


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60))
def test_what_is_written_is_read_back(some: list[int]) -> None:
    assert parse_frames(frames.format_frames(some)) == frames.FrameSet(some)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(1, 120)), min_size=1, max_size=6))
def test_ranges_are_read_as_fileseq_reads_them(ranges: list[tuple[int, int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}x{step}" for first, more, step in ranges)
    assert list(parse_frames(text)) == sorted(set(FrameSet(text)))


def test_the_renderer_takes_colons_for_steps() -> None:
    assert frames.renderer_range([1, 3, 5, 9]) == "1-5:2,9"


def test_the_renderer_cannot_be_given_negative_frames() -> None:
    with pytest.raises(ValueError, match="negative"):
        frames.renderer_range([-1, 2])


@given(ANY_FRAMES, st.integers(1, 20))
def test_cutting_loses_and_repeats_nothing(some: list[int], size: int) -> None:
    chunks = frames.cut(some, size)
    assert [frame for chunk in chunks for frame in chunk] == some
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


def test_a_chunk_is_never_empty() -> None:
    with pytest.raises(ValueError, match="at least one"):
        frames.cut([1], 0)


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
    assert tuple(parse_frames(text)) == frames


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
        ("1-150000,200000-350000", "too many"),
        ("", "no frame range"),
        ("one" * 2000, "no frame range"),
    ],
)
def test_what_is_refused_and_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        parse_frames(text)
    assert refused.value.remedy
    assert len(str(refused.value)) < 200
