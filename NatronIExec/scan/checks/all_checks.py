"""All checks of a scan, in the order in which their findings are said."""

from __future__ import annotations

from NatronIExec.scan.check import Check, in_order
from NatronIExec.scan.checks import input_checks, node_checks, writer_checks
from NatronIExec.scan.checks.facts import Checker, Facts

_CHECKERS: tuple[Checker, ...] = (*writer_checks.CHECKERS, *input_checks.CHECKERS, *node_checks.CHECKERS)


def all_checks(facts: Facts) -> tuple[Check, ...]:
    """Every finding once, errors first, then in the order of the checkers."""
    return in_order(check for checker in _CHECKERS for check in checker(facts))
