"""The real NatronRenderer behind the program that workers run: a project of an artist, packed as a job is."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec.farm.pack.bundle import Terms, make_bundle
from NatronIExec.farm.pack.file_hashes import Hashes
from NatronIExec.manifest import Manifest
from NatronIExec.scan.project_scan import scan

SAMPLES = Path(__file__).parents[1] / "samples" / "shot010"
RECORDED = "/srv/show/shot010"
RENDERER = os.environ.get("NATRON_RENDERER", "")
pytestmark = [pytest.mark.natron, pytest.mark.skipif(not RENDERER, reason="NATRON_RENDERER names no renderer")]

Pack = Callable[..., Any]


@pytest.fixture
def pack(job: Any, tmp_path: Path) -> Pack:
    """Makes `job` one of frames 1 to 3 of a sample, changed by `edit` before; its footage is named `plates`."""

    def packed(edit: Callable[[str], str] = str, plates: str = "bg", sample: str = "simple") -> Any:
        folder = tmp_path / "shot010"
        shutil.copytree(SAMPLES, folder)
        for file in (folder / "plates").glob("bg.*"):
            file.rename(file.with_name(file.name.replace("bg", plates)))
        project = folder / f"{sample}.ntp"
        text = project.read_text().replace("/plates/bg.", f"/plates/{plates}.")
        project.write_text(edit(text).replace(RECORDED, str(folder)))
        found = scan(project, frames=[1, 2, 3])
        assert found.errors == ()
        bundle = make_bundle(found, tmp_path / "job", Terms("job1", (), 1, 300), Hashes(tmp_path / "hashes.sqlite"))
        for file in bundle.contents.values():
            job.content.add(file.read_bytes())
        job.manifest = replace(Manifest.from_bytes(bundle.manifest), gateways=job.manifest.gateways)
        job.environ["NATRON_RENDERER"] = RENDERER
        return job

    return packed


def with_plugin(text: str, plugin: str) -> str:
    """The project with one more node, which feeds nothing."""
    begin, end = (text.index(f"\t\t<item>\n\t\t\t<Plugin_label>{name}") for name in ("Grade1", "Write1"))
    node = text[begin:end].replace("Grade1", "Other1").replace("net.sf.openfx.GradePlugin", plugin)
    node = node.replace(' class_id="8" tracking_level="0" version="0"', "")
    return (text[:end] + node + text[end:]).replace("<NodesCount>3<", "<NodesCount>4<")


def test_a_plugin_that_no_picture_needs_may_be_missing(pack: Pack, capsys: Any) -> None:
    """It feeds nothing, so the copy that is sent leaves it out."""
    job = pack(lambda text: with_plugin(text, "com.vendor.Magic"))
    assert job.run() == 0, capsys.readouterr().out
    assert b"com.vendor.Magic" not in (job.out / "report.json").read_bytes()


def test_a_plugin_that_a_picture_needs_ends_the_task(pack: Pack, capsys: Any) -> None:
    job = pack()
    sent = job.content._path(job.manifest.files[job.manifest.project].cid).read_text()
    job.files = list(job.manifest.files)
    job.replace(job.manifest.project, with_plugin(sent, "com.vendor.Magic").encode())
    job.change(plugins=(*job.manifest.plugins, "com.vendor.Magic"))
    assert job.run() == 1
    assert "com.vendor.Magic version 2.0 was found" in capsys.readouterr().out.splitlines()[-1]


def test_names_of_any_language_whatever_the_locale_of_the_worker(pack: Pack, capsys: Any) -> None:
    job = pack(plates="Straße 夜")
    job.environ.update(LANG="C", LC_ALL="C")
    assert job.run() == 0, capsys.readouterr().out


def test_a_renderer_that_starts_slowly_is_no_stall(pack: Pack, capsys: Any) -> None:
    job = pack()
    job.change(stall_s=1)
    assert job.run() == 0
    assert "Stalled" not in capsys.readouterr().out
    assert "Natron version" in json.loads((job.out / "report.json").read_text())["renderer_version"]


def test_a_renderer_that_hangs_is_ended_and_started_again(pack: Pack, tmp_path: Path, capsys: Any) -> None:
    job = pack()
    job.change(stall_s=3)
    hanging = tmp_path / "NatronRenderer"
    hang = f'[ "$1" = --version ] || {{ mkdir "{tmp_path}/hung" 2>/dev/null && kill -STOP $$; }}'
    hanging.write_text(f'#!/bin/sh\n{hang}\nexec "{RENDERER}" "$@"\n')
    hanging.chmod(0o755)
    job.environ["NATRON_RENDERER"] = str(hanging)
    assert job.run() == 0
    assert "Stalled; rendering 1-3 again" in capsys.readouterr().out


def with_views(text: str) -> str:
    begin = text.index("\n\t<item>", text.index("<ProjectKnobsCount>4"))
    end = text.index("\n\t</item>", begin) + len("\n\t</item>")
    knob = re.sub(r"<Name>\w+</Name>", "<Name>viewsList</Name>", text[begin:end], count=1)
    table = "<Value>&lt;Name&gt;Left&lt;/Name&gt;&lt;Name&gt;Right eye&lt;/Name&gt;</Value>"
    knob = re.sub(r"<Value>.*?</Value>", lambda _: table, knob, count=1)
    text = text[:begin] + knob + text[begin:]
    return text.replace("<ProjectKnobsCount>4", "<ProjectKnobsCount>5").replace("/comp_####.png<", "/%V/comp_####.png<")


def test_every_view_is_rendered(pack: Pack, capsys: Any) -> None:
    job = pack(with_views)
    assert job.run() == 0, capsys.readouterr().out
    listed = [(frame.frame, frame.view) for frame in job.frames().frames]
    assert listed == [(frame, view) for frame in (1, 2, 3) for view in ("Left", "Right eye")]


def test_a_movie_is_rendered(pack: Pack, capsys: Any) -> None:
    job = pack(sample="movie")
    assert job.run() == 0, capsys.readouterr().out
    assert [frame.file for frame in job.frames().frames] == ["frames/movie.mov"]
