"""Amounts of RLC as a person types them."""

from __future__ import annotations

import re
from typing import Optional

from NatronIExec.errors import BadInput

#: 1 RLC = 10**9 nRLC.
_DIGITS = 9
_NRLC: int = 10**_DIGITS
#: A thousand here, one there; after a leading 0 it can only be decimals.
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+")
_AMOUNT = re.compile(r"([0-9]{0,18})(?:[.,]([0-9]*))?")


def parse_rlc(text: str) -> Optional[int]:
    """nRLC of `0.25` or `0,25`, None for nothing typed. Raises BadInput: at most nine decimals, no signs."""
    typed = text.strip().upper().replace("RLC", "").strip()
    if not typed:
        return None
    if _THOUSANDS.fullmatch(typed):
        raise BadInput(f"“{text}” can be read in two ways.", "Write 1000 for a thousand, 1.0 for one.")
    found = _AMOUNT.fullmatch(typed)
    decimals = (found.group(2) or "").rstrip("0") if found else ""
    if found is None or not (found.group(1) or found.group(2)) or len(decimals) > _DIGITS:
        raise BadInput(f"“{text}” is not an amount of RLC.", "Write it like 0.25, with at most nine decimals.")
    whole, part = int(found.group(1) or "0"), int(decimals.ljust(_DIGITS, "0"))
    return whole * _NRLC + part
