"""What was asked for and what is bought are the same, looked at before signing and once more on the deal.

Market, node and worker groups are strangers. The signed request order holds most of it already; what a stranger may
still choose within it is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence

from NatronIExec.errors import OrderRefused, ServiceError
from NatronIExec.farm.store.job import Quote
from NatronIExec.iexec.orders import deal_tag
from NatronIExec.iexec.records import ZERO_ADDRESS, Deal, Match, RequestOrder


def require_agreed(quote: Quote, match: Match) -> None:
    """Raises OrderRefused, with the name of what is not as it was shown."""
    app, dataset, pool, request = match.app, match.dataset, match.workerpool, match.request
    agreed = {
        "app": (app.app, request.app) == (quote.app.app, quote.app.app),
        "dataset": dataset.dataset == request.dataset == ZERO_ADDRESS,
        "worker group": (pool.workerpool, request.workerpool) == (quote.workerpool, quote.workerpool),
        "time limit": pool.category == request.category == quote.category,
        "enclave": _same(deal_tag(app.tag, dataset.tag, request.tag), quote.tag) and _within(quote.tag, pool.tag),
        "app's price": app.appprice <= quote.app_price_nrlc == request.appmaxprice,
        "worker group's price": pool.workerpoolprice <= quote.workerpool_price_nrlc == request.workerpoolmaxprice,
        "number of tasks": request.volume == quote.volume,
        "account": request.requester == quote.account,
    }
    _require(agreed)


def require_dealt(quote: Quote, request: RequestOrder, deals: Sequence[Deal]) -> None:
    """Of what the chain shows as bought. Raises ServiceError: the contracts do not make such a deal."""
    for deal in deals:
        agreed = {
            "app": deal.app == quote.app.app,
            "worker group": deal.workerpool == quote.workerpool,
            "time limit": deal.category == quote.category,
            "enclave": _same(deal.tag, quote.tag),
            "app's price": deal.app_price_nrlc <= quote.app_price_nrlc,
            "worker group's price": deal.workerpool_price_nrlc <= quote.workerpool_price_nrlc,
            "account": (deal.requester, deal.beneficiary) == (quote.account, request.beneficiary),
            "arguments": deal.params == request.params,
        }
        try:
            _require(agreed)
        except OrderRefused as problem:
            raise ServiceError(
                "The chain shows a purchase that is not the one that was signed.",
                "Check the RPC endpoint in the settings; the job looks again when it is retried.",
                deal=deal.dealid,
                differs=problem.details["differs"],
            ) from problem


def _require(agreed: dict[str, bool]) -> None:
    differs = [name for name, same in agreed.items() if not same]
    if differs:
        raise OrderRefused(
            f"What is sold is not what was asked for: another {differs[0]}.",
            "Nothing was spent on it. Plan again.",
            differs=differs,
        )


def _same(tag: str, other: str) -> bool:
    return int(tag, 16) == int(other, 16)


def _within(tag: str, other: str) -> bool:
    return int(tag, 16) & int(other, 16) == int(tag, 16)
