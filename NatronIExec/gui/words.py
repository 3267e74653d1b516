"""How the plugin says amounts, times, sizes and states: in the artist's words, the same in every window."""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation
from typing import Any, Dict, Mapping, Optional

from NatronIExec.errors import BadInput

NRLC_PER_RLC = 10**9
WEI_PER_ETH = 10**18
UNKNOWN = "–"

JOB_STATES = {
    "preparing": "Preparing",
    "uploading": "Uploading",
    "ordering": "Buying",
    "waiting": "Waiting for a worker",
    "rendering": "Rendering",
    "importing": "Bringing frames home",
    "done": "Done",
    "partly": "Over, frames missing",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "held": "Test frames are back",
    "paused": "Needs an answer",
}

FRAME_STATES = {
    "waiting": "Waiting",
    "rendering": "Rendering",
    "done": "Rendered",
    "imported": "Here",
    "failed": "Failed",
    "refunded": "Refunded",
}

#: Job states after which nothing happens by itself.
OVER = ("done", "partly", "failed", "cancelled")


def rlc(nrlc: Optional[int]) -> str:
    """`1.25 RLC`: exact, without trailing zeros."""
    return UNKNOWN if nrlc is None else plain(Decimal(nrlc) / NRLC_PER_RLC) + " RLC"


def eth(wei: Any) -> str:
    """Six decimals are enough to compare gas with a balance; less is said as such."""
    if wei is None:
        return UNKNOWN
    ether = Decimal(int(wei)) / WEI_PER_ETH
    if 0 < ether < Decimal("0.000001"):
        return "< 0.000001 ETH"
    return plain(ether.quantize(Decimal("0.000001"))) + " ETH"


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_rlc(text: str) -> Optional[int]:
    """nRLC of `0.25` or `0,25`, None for nothing typed. Raises BadInput: at most nine decimals, no signs."""
    cleaned = text.strip().upper().replace("RLC", "").strip().replace(",", ".")
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
    if not address:
        return UNKNOWN
    return f"{address[:6]}…{address[-4:]}" if len(address) > 12 else address


def count(number: int, one: str, many: str = "") -> str:
    """`1 frame`, `12 frames`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def job_state(row: Mapping[str, Any], now_s: Optional[float] = None) -> str:
    """`Waiting for a worker, 2 min; refunded after 14:20`: what it does, since when, and when money comes back."""
    text = row.get("state_text") or JOB_STATES.get(row["state"], row["state"])
    if row["state"] in OVER:
        return f"{text}, {clock(row['ended_s'], now_s)}" if row.get("ended_s") else text
    text += ", " + duration((time.time() if now_s is None else now_s) - row["created_s"])
    refund = row.get("refund_at_s")
    if refund and row["state"] in ("waiting", "rendering"):
        text += f"; unfinished frames are refunded after {clock(refund, now_s)}"
    return text


def paid(row: Mapping[str, Any]) -> str:
    """`0.3 of 0.5 RLC`, or what came back after a refund."""
    spent, most, back = row.get("paid_nrlc") or 0, row.get("most_nrlc") or 0, row.get("refunded_nrlc") or 0
    text = f"{plain(Decimal(spent) / NRLC_PER_RLC)} of {rlc(most)}" if spent != most else rlc(spent)
    return f"{text}, {rlc(back)} refunded" if back else text


def balance(amounts: Optional[Dict[str, Any]]) -> str:
    """What can be spent: in the wallet plus deposited."""
    if not amounts:
        return UNKNOWN
    return rlc(amounts["rlc_nrlc"] + amounts["stake_nrlc"])
