from __future__ import annotations

from pathlib import Path

from NatronIExec.container.task import renderer_environment


def test_the_renderer_gets_no_secret_and_a_locale_for_any_file_name() -> None:
    given = {"IEXEC_REQUESTER_SECRET_1": "00", "LANG": "C", "LC_ALL": "POSIX", "LANGUAGE": "de", "PATH": "/bin"}
    told = renderer_environment(given, Path("/h"), {"OCIO": "/job/config.ocio"})
    assert {name for name in told if name.startswith(("LANG", "LC_", "IEXEC_"))} == {"LANG", "LC_NUMERIC"}
    assert (told["LANG"], told["LC_NUMERIC"], told["OCIO"], told["HOME"]) == ("C.UTF-8", "C", "/job/config.ocio", "/h")
