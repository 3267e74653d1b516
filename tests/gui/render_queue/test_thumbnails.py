"""Pictures of frames: each of its own writer, asked for again when it failed, and shown."""

import pytest

from NatronIExec.gui.render_queue.thumbnails import AGAIN_S, Thumbnails


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def thumbnails(bridge, now):
    return Thumbnails(bridge, clock=lambda: now[0])


def wait_for(thumbnails, until, *frame):
    until(lambda: thumbnails.icon(*frame) is not None, "for the picture")
    return thumbnails.icon(*frame)


def test_a_picture_comes_and_is_kept(thumbnails, engine, until):
    assert thumbnails.icon("job-1", 7) is None
    icon = wait_for(thumbnails, until, "job-1", 7)
    colour = icon.pixmap(4, 4).toImage().pixel(1, 1) & 0xFFFFFF
    assert colour == 0x4080C0
    assert len(engine.args_of("thumbnail")) == 1


def test_two_writers_have_two_pictures(thumbnails, engine, until):
    for writer in ("Left", "Right"):
        wait_for(thumbnails, until, "job-1", 7, "", writer)
    assert [args["writer"] for args in engine.args_of("thumbnail")] == ["Left", "Right"]


def test_what_failed_is_asked_for_again_later(thumbnails, engine, until, now):
    works = engine.answers["thumbnail"]
    engine.refuse("thumbnail", "conflict", "Frame 7 is not here.")
    thumbnails.icon("job-1", 7)
    until(lambda: thumbnails._not_before, "for the refusal")
    engine.answers["thumbnail"] = works
    assert thumbnails.icon("job-1", 7) is None
    assert len(engine.args_of("thumbnail")) == 1
    now[0] += AGAIN_S + 1
    wait_for(thumbnails, until, "job-1", 7)


def test_what_is_no_picture_has_failed(thumbnails, engine, until):
    engine.answers["thumbnail"] = lambda args: {"png": "bm8gcGljdHVyZQ=="}
    thumbnails.icon("job-1", 7)
    until(lambda: thumbnails._not_before, "for the answer")


def test_another_file_has_another_picture(thumbnails, engine, until):
    wait_for(thumbnails, until, "job-1", 7, "", "Left")
    wait_for(thumbnails, until, "job-1", 8, "", "Left")
    thumbnails.forget("job-1", 7)
    wait_for(thumbnails, until, "job-1", 7, "", "Left")
    wait_for(thumbnails, until, "job-1", 8, "", "Left")
    assert [args["frame"] for args in engine.args_of("thumbnail")] == [7, 8, 7]
