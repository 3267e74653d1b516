"""Amounts, sizes, times and counts in words."""

from __future__ import annotations

import pytest

from NatronIExec import wording
from NatronIExec.typed_amounts import parse_rlc


@pytest.mark.parametrize(
    ("nrlc", "text"),
    [
        (0, "0 RLC"), (1, "0.000000001 RLC"), (10**9, "1 RLC"), (10**10, "10 RLC"), (1_250_000_000, "1.25 RLC"),
        (10_000_000_001, "10.000000001 RLC"), (9_999_999_999, "9.999999999 RLC"), (-5 * 10**8, "-0.5 RLC"),
        (87 * 10**15 + 1, "87000000.000000001 RLC"),
    ],
)  # fmt: skip
def test_amounts_are_exact(nrlc: int, text: str) -> None:
    assert wording.rlc(nrlc) == text
    if nrlc >= 0:
        assert parse_rlc(text) == nrlc


def test_a_cost_is_never_more_and_a_balance_never_less_than_what_is_said() -> None:
    assert wording.eth(400_000_000_000_001) == "0.000401 ETH"
    assert wording.eth_held(400_000_999_999_999) == "0.0004 ETH"
    assert wording.eth(5) == wording.eth_held("5") == "< 0.000001 ETH"
    assert wording.eth(0) == "0 ETH"
    assert wording.eth(10**18) == wording.eth_held(str(10**18)) == "1 ETH"
    assert wording.eth_held(2**256 - 1).startswith("115792089237316195423570985008687907853269984665640564039457.58")


def test_what_is_not_known_is_a_dash() -> None:
    said = [wording.rlc, wording.eth, wording.eth_held, wording.size, wording.duration, wording.clock, wording.date]
    assert {say(None) for say in said} == {wording.UNKNOWN}


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (240_000_000, "240 MB"), (10**13, "10.0 TB")],
)
def test_sizes(size: int, text: str) -> None:
    assert wording.size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (30_000, "8 h 20 min"),
     (47 * 3600, "47 h"), (48 * 3600, "2 days")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_counts() -> None:
    assert [wording.count(number, "task") for number in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
    assert [wording.count(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
