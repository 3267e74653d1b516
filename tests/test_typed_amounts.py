"""Amounts as they are typed."""

from __future__ import annotations

import pytest

from NatronIExec.errors import BadInput
from NatronIExec.typed_amounts import parse_rlc


@pytest.mark.parametrize("text", ["1,000", "12,500", "1,000,000 RLC"])
def test_a_comma_that_may_be_of_thousands_is_asked_about(text: str) -> None:
    with pytest.raises(BadInput, match="two ways"):
        parse_rlc(text)


@pytest.mark.parametrize(
    ("text", "nrlc"),
    [("0,125", 125_000_000), ("1,5", 1_500_000_000), ("1000", 10**12), (" .5 rlc", 5 * 10**8), ("2.", 2 * 10**9),
     ("1.5000000000", 1_500_000_000), ("", None)],
)  # fmt: skip
def test_amounts_as_they_are_typed(text: str, nrlc: int | None) -> None:
    assert parse_rlc(text) == nrlc


@pytest.mark.parametrize("text", ["-1", "1e9", "nan", "inf", "1.2.3", ".", "0.0000000001", "one", "９"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(BadInput, match="not an amount"):
        parse_rlc(text)
