from __future__ import annotations

import pytest

from NatronIExec.amounts import rlc


@pytest.mark.parametrize(
    ("nrlc", "text"),
    [
        (0, "0 RLC"), (1, "0.000000001 RLC"), (10**9, "1 RLC"), (10**10, "10 RLC"), (1_250_000_000, "1.25 RLC"),
        (10_000_000_001, "10.000000001 RLC"), (9_999_999_999, "9.999999999 RLC"), (-5 * 10**8, "-0.5 RLC"),
        (87 * 10**15 + 1, "87000000.000000001 RLC"),
    ],
)  # fmt: skip
def test_amounts_are_exact(nrlc: int, text: str) -> None:
    assert rlc(nrlc) == text
