"""How windows, commands and messages say amounts, sizes, times and counts: the same everywhere.

Imports nothing of ours, so that every room can. 1 RLC = 10**9 nRLC, 1 ETH = 10**18 wei.
"""

from __future__ import annotations

import time
from typing import Any, Mapping, Optional, Union

#: What is not known.
UNKNOWN = "–"

_NRLC_DIGITS = 9
_WEI_DIGITS = 18
#: Of an amount in ETH: enough to compare gas with a balance.
_ETH_DIGITS = 6


# amounts


def rlc(nrlc: Optional[int]) -> str:
    """`1.25 RLC`: exact, since a rounded amount can say that what is there is not enough."""
    return UNKNOWN if nrlc is None else rlc_number(nrlc) + " RLC"


def rlc_number(nrlc: int) -> str:
    """`1.25`."""
    return _decimal(nrlc, _NRLC_DIGITS)


def eth(wei: Union[int, str, None]) -> str:
    """Of what may be spent, at six decimals: never less than it is."""
    return UNKNOWN if wei is None else _ether(-(-int(wei) // 10 ** (_WEI_DIGITS - _ETH_DIGITS)), int(wei))


def eth_held(wei: Union[int, str, None]) -> str:
    """Of what is there, at six decimals: never more than it is."""
    return UNKNOWN if wei is None else _ether(int(wei) // 10 ** (_WEI_DIGITS - _ETH_DIGITS), int(wei))


def _ether(rounded: int, wei: int) -> str:
    if 0 < wei < 10 ** (_WEI_DIGITS - _ETH_DIGITS):
        return "< 0.000001 ETH"
    return _decimal(rounded, _ETH_DIGITS) + " ETH"


def _decimal(amount: int, digits: int) -> str:
    """`amount` / 10**`digits`, without trailing zeros."""
    whole, rest = divmod(abs(amount), 10**digits)
    text = f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".")
    return "-" + text if amount < 0 else text


def balance(amounts: Optional[Mapping[str, Any]]) -> str:
    """What can be spent: in the wallet plus deposited."""
    return UNKNOWN if not amounts else rlc(amounts["rlc_nrlc"] + amounts["stake_nrlc"])


# sizes, counts, times


def size(count: Optional[int]) -> str:
    """`1.5 MB`: bytes in powers of 1000, as file managers count them."""
    if count is None:
        return UNKNOWN
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """`1 frame`, `12 frames`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


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
    return count(whole // 86400, "day")


def ago(at_s: Optional[float], now_s: Optional[float] = None) -> str:
    if at_s is None:
        return "never"
    passed = (time.time() if now_s is None else now_s) - at_s
    return "just now" if passed < 5 else duration(passed) + " ago"


def clock(at_s: Optional[float], now_s: Optional[float] = None) -> str:
    """`14:20` today, `Tue 14:20` in the week around, else the date too; in the artist's time zone."""
    if at_s is None:
        return UNKNOWN
    now_s = time.time() if now_s is None else now_s
    then = time.localtime(at_s)
    if then[:3] == time.localtime(now_s)[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%a %H:%M", then) if abs(at_s - now_s) < 6 * 86400 else date(at_s)


def date(at_s: Optional[float]) -> str:
    """`2026-01-31 14:20`: for lists that are kept."""
    return UNKNOWN if at_s is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


def short_address(address: Optional[str]) -> str:
    """`0x7099…7979`; a name is left as it is."""
    if not address:
        return UNKNOWN
    is_long = address.startswith("0x") and len(address) > 12
    return f"{address[:6]}…{address[-4:]}" if is_long else address
