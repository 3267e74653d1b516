"""`python -m NatronIExec.cli`."""

from NatronIExec.cli import main

main()
