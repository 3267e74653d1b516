from __future__ import annotations

from NatronIExec import errors


def _all(base: type[errors.NatronIExecError]) -> list[type[errors.NatronIExecError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in _all(child))]


def test_every_error_crosses_a_process_as_itself() -> None:
    for kind in _all(errors.NatronIExecError):
        back = errors.from_wire(kind("It broke.", "Mend it.", task=3).to_wire())
        assert type(back) is kind
        assert (back.title, back.remedy, back.details) == ("It broke.", "Mend it.", {"task": 3})


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in _all(errors.NatronIExecError)]
    assert len(codes) == len(set(codes))


def test_an_unknown_code_is_still_an_error_of_ours() -> None:
    back = errors.from_wire({"code": "from-the-future", "title": "New.", "details": None})
    assert type(back) is errors.NatronIExecError
    assert str(back) == "New."


def test_the_text_says_what_happened_and_what_to_do() -> None:
    assert str(errors.BadInput("No frames.", "Type a range.")) == "No frames. Type a range."
