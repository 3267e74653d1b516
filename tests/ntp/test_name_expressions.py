"""Expressions that make names: only what is certain is believed, and none is run."""

from __future__ import annotations

import pytest

from NatronIExec.ntp.name_expressions import constant_text, folders_in


def lookup(name: str) -> str | int | float:
    return {"Control.shot": "s010", "Control.take": 7}[name]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'/p/a.####.png'", "/p/a.####.png"),
        ("'/p/' + 'a' + '.png'", "/p/a.png"),
        ("'/p/' + Control.shot.get() + '/a.png'", "/p/s010/a.png"),
        ("'/p/v%03d/a.png' % Control.take.get()", "/p/v007/a.png"),
        ("'/p/%s_%d' % (Control.shot.getValue(), 3)", "/p/s010_3"),
        ("'/p/' + str(Control.take.get()).zfill(3)", "/p/007"),
        ("'/P/A'.lower() + Control.shot.get().replace('s', 'x').upper()", "/p/aX010"),
        ("'/p/' + str(frame)", None),
        ("Missing.knob.get()", None),
        ("open('/etc/passwd').read()", None),
        ("'a' * 10**9", None),
        ("'%999999999d' % 1", None),
        ("'a'.rjust(10**9)", None),
        ("'a'.zfill(999999999)", None),
        ("'a' + 1", None),
        ("'%d' % 'a'", None),
        ("7", None),
        ("'a", None),
        ("(" * 500 + "'a'" + ")" * 500, None),
        ("'a'.__class__", None),
        ("[x for x in ()]", None),
        ("'" + "a" * 5000 + "'", None),
    ],
)
def test_constant(expression: str, expected: str | None) -> None:
    assert constant_text(expression, False, lookup) == expected


def test_multi_line_form() -> None:
    assert constant_text("ret = '/p/a.png'", True, lookup) == "/p/a.png"
    assert constant_text("x = 1\nret = '/p/a.png'", True, lookup) is None
    assert constant_text("'/p/a.png'", True, lookup) is None


def test_folders() -> None:
    assert folders_in("'/a/b/c.' + pick('/d/e/f') + '/a/b/x'") == ["/a/b", "/d/e"]
    assert folders_in("import os\nret = os.path.join('/a/b/', x)") == ["/a/b"]
    assert folders_in("'a' (") == []
    assert folders_in("'/' + a + '/'") == []
