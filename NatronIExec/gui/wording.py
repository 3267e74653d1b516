"""How the plugin says amounts, times, sizes and states: in the artist's words, the same in every window."""

from __future__ import annotations

import re
import time
from decimal import ROUND_DOWN, ROUND_UP, Decimal, InvalidOperation
from typing import Any, Dict, Mapping, Optional

from NatronIExec.errors import BadInput
from NatronIExec.states import is_at_rest, is_over

NRLC_PER_RLC = 10**9
WEI_PER_ETH = 10**18
UNKNOWN = "–"

FRAME_STATES = {
    "waiting": "Waiting",
    "rendering": "Rendering",
    "imported": "Here",
    "failed": "Failed",
    "refunded": "Refunded",
}

#: A thousand here, one there; after a leading 0 it can only be decimals.
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+")


def rlc(nrlc: Optional[int]) -> str:
    """`1.25 RLC`: exact, without trailing zeros."""
    return UNKNOWN if nrlc is None else plain(Decimal(nrlc) / NRLC_PER_RLC) + " RLC"


def eth(wei: Any) -> str:
    """Of what it may cost: six decimals are enough to compare it with a balance, and it is never more than is said."""
    return _ether(wei, ROUND_UP)


def eth_held(wei: Any) -> str:
    """Of what is there: never less than is said."""
    return _ether(wei, ROUND_DOWN)


def _ether(wei: Any, rounding: str) -> str:
    if wei is None:
        return UNKNOWN
    ether = Decimal(int(wei)) / WEI_PER_ETH
    if 0 < ether < Decimal("0.000001"):
        return "< 0.000001 ETH"
    return plain(ether.quantize(Decimal("0.000001"), rounding)) + " ETH"


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_rlc(text: str) -> Optional[int]:
    """nRLC of `0.25` or `0,25`, None for nothing typed. Raises BadInput: at most nine decimals, no signs."""
    typed = text.strip().upper().replace("RLC", "").strip()
    if _THOUSANDS.fullmatch(typed):
        raise BadInput(f"“{text}” can be read in two ways.", "Write 1000 for a thousand, 1.0 for one.")
    cleaned = typed.replace(",", ".")
    if not cleaned:
        return None
    try:
        amount = Decimal(cleaned) * NRLC_PER_RLC
    except InvalidOperation:
        raise BadInput(f"“{text}” is not an amount of RLC.", "Write it like 0.25.") from None
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise BadInput(f"“{text}” is not an amount of RLC.", "At least 0, with at most nine decimals.")
    return int(amount)


def size(count: Optional[int]) -> str:
    if count is None:
        return UNKNOWN
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: Optional[float]) -> str:
    """`45 s`, `2 min`, `3 h 20 min`, `2 days`."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h {minutes} min" if minutes else f"{whole // 3600} h"
    return f"{whole // 86400} days"


def ago(at_s: Optional[float], now_s: Optional[float] = None) -> str:
    if at_s is None:
        return "never"
    passed = (time.time() if now_s is None else now_s) - at_s
    return "just now" if passed < 5 else duration(passed) + " ago"


def clock(at_s: Optional[float], now_s: Optional[float] = None) -> str:
    """`14:20` today, `Tue 14:20` in the week around, else the date too; in the artist's time zone."""
    if at_s is None:
        return UNKNOWN
    now = time.localtime(time.time() if now_s is None else now_s)
    then = time.localtime(at_s)
    if then[:3] == now[:3]:
        return time.strftime("%H:%M", then)
    near = abs(at_s - (time.time() if now_s is None else now_s)) < 6 * 86400
    return time.strftime("%a %H:%M" if near else "%Y-%m-%d %H:%M", then)


def short_address(address: Optional[str]) -> str:
    """`0x7099…7979`; a name is left as it is."""
    if not address:
        return UNKNOWN
    is_long = address.startswith("0x") and len(address) > 12
    return f"{address[:6]}…{address[-4:]}" if is_long else address


def count(number: int, one: str, many: str = "") -> str:
    """`1 frame`, `12 frames`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def frame_state(state: str) -> str:
    """A newer engine may know states that we do not: said as they are."""
    return FRAME_STATES.get(state, state)


def job_state(row: Mapping[str, Any], now_s: Optional[float] = None) -> str:
    """`Waiting for a worker, 2 min`: what it does and since when; the engine says the first."""
    text = row["state_text"][:1].upper() + row["state_text"][1:]
    if is_over(row["state"]):
        return f"{text}, {clock(row['ended_s'], now_s)}" if row.get("ended_s") else text
    if is_at_rest(row["state"]):
        return text
    return text.rstrip(".") + ", " + duration((time.time() if now_s is None else now_s) - row["created_s"])


def refund(row: Mapping[str, Any], now_s: Optional[float] = None) -> str:
    """When money comes back for frames that are not delivered, or what came back."""
    due, back = row.get("refund_at_s"), row.get("refunded_nrlc") or 0
    if is_over(row["state"]) or not due:
        return rlc(back) if back else ""
    return "due now" if is_late(row, now_s) else "after " + clock(due, now_s)


def is_late(row: Mapping[str, Any], now_s: Optional[float] = None) -> bool:
    """Whether unfinished frames can be refunded already."""
    due = row.get("refund_at_s")
    return bool(due) and due < (time.time() if now_s is None else now_s)


def paid(row: Mapping[str, Any]) -> str:
    """`0.3 of 0.5 RLC`: what was spent, of the most that it can be."""
    spent, most = row.get("paid_nrlc") or 0, row.get("most_nrlc") or 0
    return f"{plain(Decimal(spent) / NRLC_PER_RLC)} of {rlc(most)}" if spent != most else rlc(spent)


def balance(amounts: Optional[Dict[str, Any]]) -> str:
    """What can be spent: in the wallet plus deposited."""
    if not amounts:
        return UNKNOWN
    return rlc(amounts["rlc_nrlc"] + amounts["stake_nrlc"])
