"""Whether an account could be had back: a backup that cannot be read is none, and a removal is warned of."""

from __future__ import annotations

import json
from pathlib import Path

from NatronIExec import wording
from NatronIExec.gui import layout_state
from NatronIExec.shapes import WalletState


def reads_back(file: Path, address: str) -> bool:
    """Whether the file that was just written is one of this account."""
    try:
        found = str(json.loads(file.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return _bare(found) == _bare(address)


def removal_warning(address: str, state: WalletState, network: str) -> str:
    """What removing the account leaves behind, as far as it is known: the balance is of the account that pays."""
    found = [] if layout_state.has_backup(address) else ["No backup of it was made here."]
    amounts = state["balance"] if address == state["current"] else None
    if amounts is None:
        found.append("What it holds is not known here: choose it to pay from, and see under Money.")
    elif any(amounts[name] for name in ("rlc_nrlc", "stake_nrlc", "locked_nrlc")):
        total = wording.rlc(amounts["rlc_nrlc"] + amounts["stake_nrlc"] + amounts["locked_nrlc"])
        found.append(f"It holds {total} on {network}.")
    return " ".join(found)


def _bare(address: str) -> str:
    """Files of accounts write it without 0x and in small letters."""
    lower = address.lower()
    return lower[2:] if lower.startswith("0x") else lower
