"""placeholder"""

from __future__ import annotations

from NatronIExec.farm.graph import Placed


def keeps_time(placed: Placed) -> bool:
    return True
