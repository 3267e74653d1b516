from __future__ import annotations

import pytest
from fileseq import FrameSet
from hypothesis import given
from hypothesis import strategies as st

from NatronIExec import frames

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
