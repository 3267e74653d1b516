"""RLC as a person writes and reads it. 1 RLC = 10**9 nRLC; 1 ETH = 10**18 wei."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

NRLC_PER_RLC = 10**9
WEI_PER_ETH = 10**18


class Rlc(click.ParamType[int]):
    """`0.25` → 250000000 nRLC; refuses signs, exponents beyond nRLC and words."""

    name = "RLC"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            amount = Decimal(str(value)) * NRLC_PER_RLC
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount of RLC: write it like 0.25", param, ctx)
        if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
            self.fail(f"{value!r} is not an amount of RLC: at least 0, at most nine decimals", param, ctx)
        return int(amount)


def format_rlc(nrlc: int | None) -> str:
    """`1.25 RLC`, exact, without trailing zeros; a dash for what is not known."""
    if nrlc is None:
        return "–"
    return f"{_plain(Decimal(nrlc) / NRLC_PER_RLC)} RLC"


def format_eth(wei: int | str | None) -> str:
    """Six decimals are enough to compare gas with a balance; anything smaller is said as such."""
    if wei is None:
        return "–"
    ether = Decimal(int(wei)) / WEI_PER_ETH
    if 0 < ether < Decimal("0.000001"):
        return "< 0.000001 ETH"
    return f"{_plain(ether.quantize(Decimal('0.000001')))} ETH"


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
