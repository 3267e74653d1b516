"""A file for each view, and a movie: the whole way to the artist's disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from NatronIExec import images

VIEWS = ("Left", "the right eye of the second camera")


def with_views(project: Path) -> None:
    text = project.read_text()
    begin = text.index("\n\t<item>", text.index("<ProjectKnobsCount>4"))
    end = text.index("\n\t</item>", begin) + len("\n\t</item>")
    table = "".join(f"&lt;Name&gt;{view}&lt;/Name&gt;" for view in VIEWS)
    knob = re.sub(r"<Name>\w+</Name>\s*<Type>\w+", "<Name>viewsList</Name><Type>Path", text[begin:end], count=1)
    knob = re.sub(r"<Value>.*?</Value>", lambda _: f"<Value>{table}</Value>", knob, count=1)
    text = text[:begin] + knob + text[begin:]
    text = text.replace("<ProjectKnobsCount>4", "<ProjectKnobsCount>5").replace("orbit_####.png", "%V/orbit_####.png")
    project.write_text(text)


def test_every_view_comes_home(farm: Any, submission: dict[str, Any], orbit: Path) -> None:
    with_views(orbit)
    job = farm.call("submit", **submission)["job"]
    row = farm.settled(job)
    assert row["state"] == "done", farm.call("logs", job=job)
    for view in VIEWS:
        frames = sorted((orbit.parent / "renders" / view).iterdir())
        assert [path.name for path in frames] == [f"orbit_{frame:04d}.png" for frame in range(1, 5)]
        assert len({images.pixel_hash(path) for path in frames}) == 4


def test_a_movie_comes_home(farm: Any, submission: dict[str, Any], orbit: Path) -> None:
    orbit.write_text(orbit.read_text().replace("orbit_####.png", "orbit.mov"))
    job = farm.call("submit", **submission)["job"]
    assert farm.settled(job)["state"] == "done", farm.call("logs", job=job)
    (movie,) = (orbit.parent / "renders").iterdir()
    assert movie.name == "orbit.mov"
    assert movie.stat().st_size
