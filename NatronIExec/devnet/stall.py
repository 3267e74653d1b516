"""What is for sale on the local network: by its own worker group and by strangers, as on a real market.

Orders that only others may take are cheaper than those for everybody, and a stranger's worker group, which renders
nothing, sells for nothing: who looks at prices alone buys wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from NatronIExec.devnet.contracts import CATEGORIES, SHORT_CATEGORY, Chain
from NatronIExec.iexec.network import NO_TAG, TDX_TAG, Network
from NatronIExec.iexec.orders import new_salt
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, WorkerpoolOrder

#: Enough for any drill.
VOLUME = 10**9
#: nRLC a task: what the paid app and the worker group ask (longer categories cost more).
APP_PRICE = 10**6
POOL_PRICE = 10**7
#: What others pay who the worker group likes better.
FRIENDS_PRICE = 1
#: Accounts and groups of accounts (ERC-734): one that has no key here, a group of nobody, a group of everybody.
SOMEBODY = "0x5B5B5B5b5b5b5B5b5B5b5B5b5b5b5B5B5B5b5B5B"
NOBODYS_GROUP = "0x7340000000000000000000000000000000000000"
EVERYBODYS_GROUP = "0x7340000000000000000000000000000000000001"
#: keyHasPurpose of a group: whatever is asked, the same answer (PUSH1 n, MSTORE, RETURN of one word).
_ANSWERS = {NOBODYS_GROUP: "0x600060005260206000f3", EVERYBODYS_GROUP: "0x600160005260206000f3"}

#: Kind, order and the role that signs it.
Sell = Callable[[str, Any, str], object]


def make_groups(chain: Chain) -> None:
    for address, code in _ANSWERS.items():
        chain.rpc("anvil_setCode", address, code)


def sell(network: Network, strangers_pool: str, publish: Sell) -> None:
    """Hand every order to `publish` with its kind and the role that signs it."""
    z = ZERO_ADDRESS
    for app, price in ((network.app, APP_PRICE), (network.app_single, 0)):
        for tag in (NO_TAG, TDX_TAG):
            publish("app", AppOrder(app, price, VOLUME, tag, z, z, z, new_salt()), "app_owner")
    for category in range(len(CATEGORIES)):
        for order in pool_orders(network.workerpool, category):
            publish("workerpool", order, "pool_owner")
        if strangers_pool:
            publish("workerpool", _pool_order(strangers_pool, category, 0), "buyer")


def pool_orders(workerpool: str, category: int, price_nrlc: int | None = None) -> Iterator[WorkerpoolOrder]:
    """What the network's own group sells in a category, at its usual price or another."""
    usual = POOL_PRICE if category == SHORT_CATEGORY else POOL_PRICE * (category + 1)
    price = usual if price_nrlc is None else price_nrlc
    # 0 is what the SDK signs unless told otherwise, and means the same as 1
    yield _pool_order(workerpool, category, price)
    yield _pool_order(workerpool, category, price, trust=3)
    yield _pool_order(workerpool, category, FRIENDS_PRICE, requester=SOMEBODY)
    yield _pool_order(workerpool, category, FRIENDS_PRICE, requester=NOBODYS_GROUP)
    yield _pool_order(workerpool, category, FRIENDS_PRICE, app=NOBODYS_GROUP)
    yield _pool_order(workerpool, category, FRIENDS_PRICE, dataset=SOMEBODY)
    yield _pool_order(workerpool, category, price, requester=EVERYBODYS_GROUP)


def _pool_order(
    workerpool: str,
    category: int,
    price: int,
    trust: int = 0,
    app: str = ZERO_ADDRESS,
    dataset: str = ZERO_ADDRESS,
    requester: str = ZERO_ADDRESS,
) -> WorkerpoolOrder:
    salt = new_salt()
    return WorkerpoolOrder(workerpool, price, VOLUME, TDX_TAG, category, trust, app, dataset, requester, salt)
