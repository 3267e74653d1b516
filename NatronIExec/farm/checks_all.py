"""All checks of a scan, in the order in which their findings are said."""

from __future__ import annotations

from NatronIExec.farm import checks_input, checks_nodes, checks_output
from NatronIExec.farm.checks import Check, Checker, Facts, in_order

_CHECKERS: tuple[Checker, ...] = (*checks_output.CHECKERS, *checks_input.CHECKERS, *checks_nodes.CHECKERS)


def all_checks(facts: Facts) -> tuple[Check, ...]:
    """Every finding once, errors first, then in the order of the checkers."""
    return in_order(check for checker in _CHECKERS for check in checker(facts))
