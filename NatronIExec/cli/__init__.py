"""`natron-iexec`: the same verbs as the GUI, answered by the same engine."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from NatronIExec.cli.commands import run

    run()
