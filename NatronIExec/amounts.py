"""Amounts as a person reads them. 1 RLC = 10**9 nRLC."""

from __future__ import annotations

_NRLC_DIGITS = 9


def rlc(nrlc: int) -> str:
    """`1.25 RLC`, exact: a rounded amount can say that what is there is not enough."""
    whole, rest = divmod(abs(nrlc), 10**_NRLC_DIGITS)
    text = f"{whole}.{rest:0{_NRLC_DIGITS}}".rstrip("0").rstrip(".")
    return f"{'-' if nrlc < 0 else ''}{text} RLC"
