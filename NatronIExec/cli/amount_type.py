"""An amount of RLC as an option or argument of a command."""

from __future__ import annotations

import click

from NatronIExec.errors import BadInput
from NatronIExec.typed_amounts import parse_rlc


class Rlc(click.ParamType[int]):
    """`0.25` → 250000000 nRLC."""

    name = "RLC"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            amount = parse_rlc(str(value))
        except BadInput as problem:
            self.fail(str(problem), param, ctx)
        if amount is None:
            self.fail("An amount is missing: write it like 0.25", param, ctx)
        return amount
