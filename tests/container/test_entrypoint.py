from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from NatronIExec import __version__, images, seal
from NatronIExec.errors import BadInput
from NatronIExec.manifest import MAX_RESULT_NAME, FrameList, ManifestWriter, sha256_hex


def test_a_chunk_comes_back_as_proven_frames(job, capsys) -> None:
    assert job.run(1) == 0
    listed = job.frames()
    assert [f.frame for f in listed.frames] == [4, 5, 6]
    for frame in listed.frames:
        content = (job.out / frame.file).read_bytes()
        assert sha256_hex(content) == frame.sha256
        assert len(content) == frame.size
        assert len(Path(frame.file).name) <= 31
    computed = json.loads((job.out / "computed.json").read_text())
    assert computed == {"deterministic-output-path": str(job.out / "frames.json")}
    report = json.loads((job.out / "report.json").read_text())
    assert report["renderer"] == "slate"
    assert report["renderer_version"].endswith(f"slate renderer version {__version__}")
    said = capsys.readouterr().out
    assert "slate renderer" in said
    assert said.count("rendered") >= 3


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "exr"])
def test_every_format_is_proven_by_decoding_it(job, extension: str) -> None:
    job.change(writers=(ManifestWriter("Write1", extension),))
    assert job.run() == 0
    assert {Path(f.file).suffix for f in job.frames().frames} == {f".{extension}"}


@pytest.mark.parametrize("one_size", [True, False])
def test_a_frame_of_another_size_is_right_only_where_sizes_may_differ(job, one_size: bool, capsys) -> None:
    job.change(writers=(ManifestWriter("Write1", "png", one_size=one_size),))
    assert job.run(NATRON_IEXEC_SLATE="small=2") == int(one_size)
    odd = "Frame 2: it is 320x180, the others are 640x360"
    report = json.loads((job.out / "report.json").read_text())
    assert report["log"].count("Write1 ==> Frame: 2") >= 2
    if one_size:
        assert odd in capsys.readouterr().out.splitlines()[-1]
    else:
        assert odd in report["warnings"]


def test_every_view_is_a_file_whatever_it_is_called(job, project: str) -> None:
    views = ("Left", "the right eye of the second camera")
    table = "".join(f"&lt;Name&gt;{view}&lt;/Name&gt;" for view in views)
    knob = f"<item><Name>viewsList</Name><item><Value>{table}</Value></item></item>"
    job.replace(0, project.replace("</Project>", knob + "</Project>").encode())
    job.change(writers=(ManifestWriter("Write1", "exr", views),))
    assert job.run() == 0
    listed = job.frames().frames
    assert [(f.frame, f.view) for f in listed] == [(frame, view) for frame in (1, 2, 3) for view in views]
    assert all(len(Path(f.file).name) <= MAX_RESULT_NAME for f in listed)
    assert len({images.pixel_hash(job.out / f.file) for f in listed}) == 6


def test_a_movie_is_one_file(job) -> None:
    job.change(writers=(ManifestWriter("Write1", "mov", movie=True),))
    assert job.run() == 0
    (listed,) = job.frames().frames
    assert (listed.frame, listed.file) == (1, "frames/movie.mov")
    assert (job.out / listed.file).read_bytes().count(b"\xff\xd8\xff") == 3


@pytest.mark.parametrize("drill", ["crash=2", "stall=2", "quit=end"])
def test_a_movie_is_made_again_from_its_beginning(job, drill: str, capsys) -> None:
    job.change(writers=(ManifestWriter("Write1", "mov", movie=True),), stall_s=3)
    assert job.run(NATRON_IEXEC_SLATE=drill) == 0
    assert (job.out / "frames" / "movie.mov").read_bytes().count(b"\xff\xd8\xff") == 3
    assert ("rendering 1-3 again" in capsys.readouterr().out) == (drill != "quit=end")


@pytest.mark.parametrize("drill", ["crash=2", "skip=2", "cut=2"])
def test_a_frame_that_went_wrong_once_is_rendered_again(job, drill: str) -> None:
    assert job.run(NATRON_IEXEC_SLATE=drill) == 0
    assert [f.frame for f in job.frames().frames] == [1, 2, 3]
    for frame in job.frames().frames:
        images.check(job.out / frame.file)


def test_a_stalled_renderer_is_killed_and_only_the_missing_frames_are_rendered_again(job, capsys) -> None:
    job.change(stall_s=3)
    assert job.run(NATRON_IEXEC_SLATE="stall=2") == 0
    assert [f.frame for f in job.frames().frames] == [1, 2, 3]
    assert "Stalled; rendering 2-3 again" in capsys.readouterr().out


def test_a_renderer_that_stalls_again_is_not_tried_frame_by_frame(job, capsys) -> None:
    job.change(stall_s=2)
    assert job.run(NATRON_IEXEC_SLATE="stuck=2") == 1
    assert "FAILED: Frame 2: the renderer stalled 2 times" in capsys.readouterr().out.splitlines()[-1]
    report = json.loads((job.out / "report.json").read_text())
    assert report["log"].count("Rendering started") == 2
    assert sorted(report["failed"]) == ["2", "3"]


def test_a_task_ends_before_its_time_does_to_say_which_frame_failed(job, capsys) -> None:
    job.change(stall_s=60, limit_s=4)
    assert job.run(NATRON_IEXEC_SLATE="stuck=2") == 1
    assert "the time limit of the task (4 s) came first" in capsys.readouterr().out.splitlines()[-1]
    assert "2" in json.loads((job.out / "report.json").read_text())["failed"]
    assert not job.completed


def test_a_frame_whose_input_is_missing_fails_although_the_renderer_wrote_a_picture(job, capsys) -> None:
    chunk = replace(job.manifest.chunks[0], files=(1, 3))
    job.change(chunks=(chunk, job.manifest.chunks[1]), clips=())
    assert job.run() == 1
    assert not job.completed
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("FAILED: The renderer") or "Frame 2:" in last
    assert "bg.0002.png: Cannot load frame" in last


def test_an_input_that_the_scan_forgot_is_fetched_with_its_clip(job) -> None:
    chunk = replace(job.manifest.chunks[0], files=(1, 3))
    job.change(chunks=(chunk, job.manifest.chunks[1]))
    assert job.run() == 0
    assert [f.frame for f in job.frames().frames] == [1, 2, 3]


def test_a_writer_that_is_not_in_the_project_fails_in_words(job, capsys) -> None:
    job.change(writers=(ManifestWriter("Nope", "png"),))
    assert job.run() == 1
    assert "Nope does not belong to the project" in capsys.readouterr().out
    assert not job.completed


def test_a_damaged_project_fails_in_words(job, capsys) -> None:
    job.replace(0, b"<no")
    assert job.run() == 1
    assert "FAILED" in capsys.readouterr().out.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"sha256": "00" * 32}, "not what the manifest says"),
        ({"size": 5}, "larger than the manifest says"),
        ({"path": "../escape.png"}, "wants to write"),
        ({"path": "/etc/passwd"}, "wants to write"),
        ({"cid": "QmNothing"}, "could not be fetched"),
    ],
)
def test_an_input_that_is_not_what_was_bought_stops_the_task(job, capsys, monkeypatch, damage, words) -> None:
    monkeypatch.setattr("NatronIExec.container.inputs.TRIES", 1)
    monkeypatch.setattr("NatronIExec.container.inputs.random.random", lambda: -0.5)
    job.files[2] = replace(job.files[2], **damage)
    job.change(files=tuple(job.files))
    assert job.run() == 1
    assert words in capsys.readouterr().out
    assert not job.completed


def test_sealed_inputs_are_opened_with_the_key_of_the_enclave(job, tmp_path: Path) -> None:
    key = seal.new_key()
    sealed = []
    for number, file in enumerate(job.files):
        plain, shut = tmp_path / f"{number}.plain", tmp_path / f"{number}.sealed"
        plain.write_bytes((job.folder / "content" / file.cid).read_bytes())
        seal.seal_file(plain, shut, key)
        content = shut.read_bytes()
        sealed.append(replace(file, cid=job.content.add(content), sealed_size=len(content)))
    job.change(files=tuple(sealed), sealed=True)
    assert job.run() == 1, "no key came"
    assert job.run(IEXEC_REQUESTER_SECRET_1=seal.new_key()) == 1, "the wrong key came"
    assert job.run(IEXEC_REQUESTER_SECRET_1=key) == 0


def test_frames_and_report_are_sealed_for_the_artist(job, tmp_path: Path) -> None:
    private, public = seal.new_pair()
    job.change(results_for=public)
    assert job.run() == 0
    listed = FrameList.from_bytes((job.out / "frames.json").read_bytes())
    for frame in listed.frames:
        sealed, opened = job.out / frame.file, tmp_path / Path(frame.file).name
        assert (hashlib.sha256(sealed.read_bytes()).hexdigest(), sealed.stat().st_size) == (frame.sha256, frame.size)
        with pytest.raises(BadInput):
            images.check(sealed)
        seal.open_with(private, sealed, opened)
        images.check(opened)
    seal.open_with(private, job.out / "report.json", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["renderer"]


def test_two_workers_agree_on_pixels_where_file_headers_differ(job) -> None:
    job.change(writers=(ManifestWriter("Write1", "exr"),), hashes="pixels")
    lists = []
    for _ in range(2):
        assert job.run() == 0
        lists.append((job.out / "frames.json").read_bytes())
    assert lists[0] == lists[1]
    assert b'"sha256":""' in lists[0]


def test_the_free_edition_renders_one_task_only(job, capsys) -> None:
    assert job.run(NATRON_IEXEC_EDITION="free") == 1
    assert "free edition" in capsys.readouterr().out


@pytest.mark.parametrize(
    "missing", ["IEXEC_IN", "IEXEC_OUT", "IEXEC_INPUT_FILE_NAME_1", "IEXEC_BOT_TASK_INDEX", "IEXEC_BOT_SIZE"]
)
def test_started_by_something_else_it_says_so(job, capsys, missing: str) -> None:
    assert job.run(**{missing: ""}) == 1
    assert capsys.readouterr().out.startswith("FAILED")


def test_an_index_beyond_the_manifest_is_refused(job, capsys) -> None:
    assert job.run(7) == 1
    assert "no chunk 7" in capsys.readouterr().out


def test_after_a_complaint_only_the_file_that_is_named_is_fetched(job, capsys) -> None:
    chunk = replace(job.manifest.chunks[0], files=(1, 3))
    job.change(chunks=(chunk, job.manifest.chunks[1]))
    assert job.run() == 0
    assert "Fetching 1 more input files" in capsys.readouterr().out


def test_a_complaint_about_a_file_of_another_writer_is_harmless_and_recorded(job, capsys) -> None:
    """Natron looks at the size of what hangs beside the nodes that it renders."""
    job.add("beside/matte.0001.png", b"x")
    other = len(job.files) - 1
    writers = (*job.manifest.writers, ManifestWriter("Write2", "png"))
    chunks = (job.manifest.chunks[0], replace(job.manifest.chunks[1], writer=1, files=(other,)))
    job.change(files=tuple(job.files), clips=(*job.manifest.clips, (other,)), chunks=chunks, writers=writers)
    assert job.run(NATRON_IEXEC_SLATE="beside=2") == 0
    assert [f.frame for f in job.frames().frames] == [1, 2, 3]
    report = json.loads((job.out / "report.json").read_text())
    assert any("matte.0001.png" in line and "no picture of this writer" in line for line in report["warnings"])


def test_a_file_that_stayed_with_the_artist_is_named(job, capsys) -> None:
    job.files[2] = replace(job.files[2], cid="", sha256="")
    chunk = replace(job.manifest.chunks[0], files=(1, 3))
    job.change(files=tuple(job.files), chunks=(chunk, job.manifest.chunks[1]))
    assert job.run() == 1
    assert "bg.0002.png is needed, but was not uploaded" in capsys.readouterr().out.splitlines()[-1]
