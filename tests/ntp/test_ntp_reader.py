"""The parser: hostile, damaged and odd projects. Thousands of mutants: an error or a scan, no crash, no hang."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from NatronIExec.errors import BadInput, Cancelled, ProjectError
from NatronIExec.ntp import ntp_reader
from NatronIExec.ntp.ntp_reader import parse_project
from NatronIExec.ntp.rewriting import escape, replace_spans
from NatronIExec.scan.project_scan import scan

SAMPLES = sorted((Path(__file__).parents[1] / "samples" / "shot010").glob("*.ntp"))
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE boost_serialization>\n<boost_serialization><Project>'
TAIL = "</Project></boost_serialization>"

MUTANTS = 2000
SECONDS_EACH = 5.0


def written(folder: Path, text: str) -> Path:
    path = folder / "x.ntp"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<a/>",
        "<boost_serialization></boost_serialization>",
        HEAD,
        HEAD + "<VersionMajor>two</VersionMajor>" + TAIL,
        '<!DOCTYPE b [<!ENTITY a "x">]><boost_serialization><Project><V>&a;</V></Project></boost_serialization>',
        '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><boost_serialization>&a;</boost_serialization>',
        '<!DOCTYPE b SYSTEM "http://localhost/x.dtd"><boost_serialization/>',
        '<?xml version="1.0" encoding="UTF-16"?><boost_serialization><Project><A>1</A></Project></boost_serialization>',
        HEAD + "<a>" * 5000 + "</a>" * 5000 + TAIL,
        HEAD + "<ProjectGui>" + "<a>" * 5000 + "</a>" * 5000 + "</ProjectGui>" + TAIL,
    ],
)
def test_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse_project(written(tmp_path, text))
    assert caught.value.remedy


def test_billion_laughs_is_refused_at_once(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(1, 20))
    began = time.monotonic()
    with pytest.raises(ProjectError):
        parse_project(written(tmp_path, f"<!DOCTYPE b [{entities}]><boost_serialization>&a20;</boost_serialization>"))
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("limit", ["MAX_ELEMENTS", "MAX_KEPT", "MAX_TEXT", "MAX_BYTES", "MAX_DEPTH"])
def test_limits(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    parse_project(SAMPLES[0])
    monkeypatch.setattr(ntp_reader, limit, 5)
    with pytest.raises(ProjectError):
        parse_project(SAMPLES[0])


def test_cancelled() -> None:
    with pytest.raises(Cancelled):
        parse_project(SAMPLES[0], cancel=lambda: True)


def test_versions_of_the_format(make: Any, tmp_path: Path) -> None:
    """2.0 had one NatronVersion and no numbers; the rest is the same to us."""
    made = make()
    made.read("R", made.footage("bg.%04d.png"))
    made.write("W", "R")
    text = made.text()
    for minor in range(7):
        path = written(tmp_path, text.replace("<VersionMinor>5<", f"<VersionMinor>{minor}<"))
        assert parse_project(path).version == (2, minor, 0)
    old = text.replace("<VersionMajor>2</VersionMajor><VersionMinor>5</VersionMinor><VersionRev>0</VersionRev>", "")
    assert parse_project(written(tmp_path, old)).version == (0, 0, 0)
    assert len(scan(written(tmp_path, old), frames=[2], environment={}).chunks[0].files) == 1


def _flip(random_: random.Random, data: bytearray) -> None:
    for _ in range(random_.randint(1, 20)):
        data[random_.randrange(len(data))] = random_.randrange(256)


def _cut(random_: random.Random, data: bytearray) -> None:
    at = random_.randrange(len(data))
    del data[at : at + random_.randint(1, 2000)]


def _copy(random_: random.Random, data: bytearray) -> None:
    at = random_.randrange(len(data))
    piece = data[at : at + random_.randint(1, 3000)]
    to = random_.randrange(len(data))
    data[to:to] = piece


def _value(random_: random.Random, data: bytearray) -> None:
    """Another text in an element: huge numbers, NaN, paths that mean trouble."""
    odd = (
        b"",
        b"nan",
        b"1e999",
        b"-9223372036854775809",
        b"[Project]",
        b"[[[",
        b"%%%04d",
        b"#" * 300,
        b"/" * 300,
        b"\xc3",
    )
    spots = [at for at in range(len(data)) if data[at : at + 7] == b"<Value>"]
    if spots:
        start = random_.choice(spots) + 7
        end = data.find(b"<", start)
        data[start:end] = random_.choice(odd)


def _name(random_: random.Random, data: bytearray) -> None:
    """Swap the names of two elements, or the ids of two nodes."""
    words = (b"Value", b"item", b"Plugin_id", b"Name", b"Inputs_map", b"Expression", b"first", b"Project")
    one, two = random_.sample(words, 2)
    data[:] = (
        bytes(data).replace(b"<" + one + b">", b"<" + two + b">", 1).replace(b"/" + one + b">", b"/" + two + b">", 1)
    )


def _swap_texts(random_: random.Random, data: bytearray) -> None:
    """Names of nodes and parameters exchanged all over: circles, wrong types, nodes that feed themselves."""
    words = (b"Read1", b"Write1", b"filename", b"firstFrame", b"lastFrame", b"Source", b"Int", b"InputFile", b"String")
    one, two = random_.sample(words, 2)
    data[:] = bytes(data).replace(one, b"\0").replace(two, one).replace(b"\0", two)


MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _cut,
    _copy,
    _value,
    _value,
    _name,
    _swap_texts,
)


def test_mutants(tmp_path: Path) -> None:
    """Bounded time and memory for each, and only errors that a person can read."""
    random_ = random.Random(20240318)
    originals = [path.read_bytes() for path in SAMPLES]
    scanned = refused = 0
    resource_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for at in range(MUTANTS):
        data = bytearray(random_.choice(originals))
        for _ in range(random_.randint(1, 3)):
            random_.choice(MUTATIONS)(random_, data)
        path = tmp_path / "m.ntp"
        path.write_bytes(data)
        began = time.monotonic()
        try:
            scan(path, environment={})
            scanned += 1
        except (ProjectError, BadInput):
            refused += 1
        assert time.monotonic() - began < SECONDS_EACH, at
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resource_before
    assert scanned > MUTANTS // 20
    assert refused > MUTANTS // 20
    assert grown_kib < 200 << 10


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
def test_escaped_text_comes_back(text: str) -> None:
    import html

    assert html.unescape(escape(text)) == text or "&" in text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_a_replaced_value_is_read_back(tmp_path: Path, text: str) -> None:
    """What a snapshot writes, a parser reads; all else is as it was."""
    source = SAMPLES[0].read_bytes()
    project = parse_project(SAMPLES[0])
    reader = next(node for _, node in project.walk() if "filename" in node.knobs)
    path = tmp_path / "y.ntp"
    path.write_bytes(replace_spans(source, {reader.knobs["filename"].values[0].span: text}))
    after = next(node for _, node in parse_project(path).walk() if "filename" in node.knobs)
    assert after.knobs["filename"].text == text
    assert len(after.knobs) == len(reader.knobs)
