"""Every check that the chain will make, made before the transaction is sent: a refusal costs nothing and is explained
in a sentence.

The order of the checks is the contract's (PoCo contracts/facets/IexecPoco1Facet.sol). All data come in one HTTP request
(one more for an app, a dataset or a worker group that was not seen before), and a trial of the very transaction comes
with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from NatronIExec.errors import NotEnoughFunds, OrderRefused, RpcError
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.jsonrpc import Call
from NatronIExec.iexec.orders import deal_tag, hash_order
from NatronIExec.iexec.records import ZERO_ADDRESS, Account, Balances, Match, Order
from NatronIExec.iexec.reverts import MATCH_CODES, explained
from NatronIExec.iexec.transactions import GAS_HEADROOM, Fees, fees_of
from NatronIExec.wording import count, rlc

#: The worker group's owner must have this share of its price staked (PoCo WORKERPOOL_STAKE_RATIO).
WORKERPOOL_STAKE_PERCENT = 30


@dataclass(frozen=True)
class Preflight:
    """`volume` tasks can be bought now, locking `total_nrlc`, of which `deposit_nrlc` must still move into escrow.
    `fees`, `nonce` and `gas` (0: not known) are for the transaction."""

    volume: int
    total_nrlc: int
    deposit_nrlc: int
    balances: Balances
    fees: Fees
    nonce: int
    gas: int


@dataclass(frozen=True)
class _Party:
    """One of the orders, who must have signed it, and the contract's code when that is not so."""

    kind: str
    order: Order
    order_hash: str
    owner: str
    unsigned: str


def refuse(code: str, **details: object) -> OrderRefused:
    title, remedy = MATCH_CODES[code]
    return OrderRefused(title, remedy, contract=f"0x{code}", **details)


def check_orders(match: Match) -> None:
    """Check that the four orders fit each other, without asking the chain. Raises OrderRefused."""
    app, dataset, pool, request = match.app, match.dataset, match.workerpool, match.request
    tag = int(deal_tag(app.tag, dataset.tag, request.tag), 16)
    rules = (
        ("00", request.category == pool.category),
        ("02", request.trust <= pool.trust),
        ("03", request.appmaxprice >= app.appprice),
        ("04", request.datasetmaxprice >= dataset.datasetprice),
        ("05", request.workerpoolmaxprice >= pool.workerpoolprice),
        ("06", tag & int(pool.tag, 16) == tag),
        ("07", tag & 1 == int(app.tag, 16) & 1),
        ("10", request.app == app.app),
        ("11", request.dataset == dataset.dataset),
    )
    for code, holds in rules:
        if not holds:
            raise refuse(code)


def groups(match: Match) -> dict[str, tuple[str, str]]:
    """The order restrictions that do not name the account itself, by error code: (restriction, account). Such a
    restriction is met if it is an ERC-734 group that the account belongs to, which only the chain knows."""
    app, dataset, pool, request = match.app, match.dataset, match.workerpool, match.request
    restrictions = {
        "12": (request.workerpool, pool.workerpool),
        "13": (app.datasetrestrict, dataset.dataset),
        "14": (app.workerpoolrestrict, pool.workerpool),
        "15": (app.requesterrestrict, request.requester),
        "16": (dataset.apprestrict, app.app),
        "17": (dataset.workerpoolrestrict, pool.workerpool),
        "18": (dataset.requesterrestrict, request.requester),
        "19": (pool.apprestrict, app.app),
        "1a": (pool.datasetrestrict, dataset.dataset),
        "1b": (pool.requesterrestrict, request.requester),
    }
    return {code: pair for code, pair in restrictions.items() if pair[0] not in (ZERO_ADDRESS, pair[1])}


def preflight(hub: Hub, match: Match, presigned: bool = False) -> Preflight:
    """Check the match against the chain as it is now. Raises OrderRefused or NotEnoughFunds.

    Signatures of contracts (ERC-1271) and presigned orders are judged by the hub itself. A request order without a
    signature is one that will be signed later: then everything but its signature is checked. `presigned` says that it
    is not going to be, since its requester announced it to the hub.
    """
    check_orders(match)
    parties = _parties(hub, match)
    signed = presigned or match.request.sign != "0x"
    calls = _calls(hub, match, parties, signed)
    answers = dict(zip(calls, hub.transport.rpc_batch_raw(hub.network.rpc, list(calls.values()))))
    _check_rest(hub, match, answers)
    for name, answer in answers.items():
        if isinstance(answer, RpcError) and not name.startswith("group") and name != "trial":
            hub.forget_owners()
            raise explained(answer) from answer
    volume = _volume(hub, match, parties, answers)
    pool_account = Account(*hub.decode("viewAccount", answers["pool account"]))
    balances = hub.balances_of(answers["rlc"], answers["account"], answers["wei"])
    total, deposit = _priced(match, volume, balances, pool_account)
    gas = 0
    if signed and not deposit:  # the trial cannot succeed while the deposit is still missing
        gas = _gas(hub, answers["trial"])
    fees = fees_of(answers["block"], answers["gas price"])
    return Preflight(volume, total, deposit, balances, fees, int(answers["nonce"], 16), gas)


def _parties(hub: Hub, match: Match) -> list[_Party]:
    """App, dataset if there is one, worker group, request. Raises OrderRefused for an asset that is not there."""
    assets: list[tuple[str, Order, str, str, str]] = [
        ("app", match.app, match.app.app, "20", "21"),
        ("dataset", match.dataset, match.dataset.dataset, "30", "31"),
        ("workerpool", match.workerpool, match.workerpool.workerpool, "40", "41"),
    ]
    if match.dataset.dataset == ZERO_ADDRESS:
        del assets[1]
    owners = hub.owners([asset for _, _, asset, _, _ in assets])
    parties = []
    for (kind, order, _, missing, unsigned), owner in zip(assets, owners):
        if owner == ZERO_ADDRESS:
            raise refuse(missing)
        parties.append(_Party(kind, order, hash_order(order, hub.domain), owner, unsigned))
    request = match.request
    return [*parties, _Party("request", request, hash_order(request, hub.domain), request.requester, "50")]


def _calls(hub: Hub, match: Match, parties: list[_Party], signed: bool) -> dict[str, Call]:
    requester = match.request.requester
    owners = {party.kind: party.owner for party in parties}
    names = ("rlc", "account", "wei", "block", "gas price", "nonce")
    mine = [*hub.balance_calls(requester), *hub.fee_calls(), hub.nonce_call(requester)]
    calls: dict[str, Call] = dict(zip(names, mine))
    calls["pool account"] = hub.view("viewAccount", owners["workerpool"])
    calls["categories"] = hub.view("countCategory")
    for code, (group, account) in groups(match).items():
        calls[f"group {code}"] = hub.member_call(group, account)
    for party in parties:
        calls[f"consumed {party.kind}"] = hub.view("viewConsumed", party.order_hash)
        if party.kind != "request" or signed:
            calls[f"signature {party.kind}"] = hub.view(
                "verifyPresignatureOrSignature", party.owner, party.order_hash, party.order.sign
            )
    if signed:
        call = {"from": requester, "to": hub.network.hub, "data": hub.match_calldata(match)}
        calls["trial"] = ("eth_estimateGas", [call])
    return calls


def _check_rest(hub: Hub, match: Match, answers: Mapping[str, Any]) -> None:
    count = answers["categories"]
    if not isinstance(count, RpcError) and match.request.category >= hub.decode("countCategory", count):
        raise refuse("01")
    for code in groups(match):
        if not hub.is_member(answers[f"group {code}"]):
            raise refuse(code)


def _volume(hub: Hub, match: Match, parties: list[_Party], answers: Mapping[str, Any]) -> int:
    left: dict[str, int] = {}
    for party in parties:
        valid = answers.get(f"signature {party.kind}")
        if valid is not None and not hub.decode("verifyPresignatureOrSignature", valid):
            hub.forget_owners()
            raise refuse(party.unsigned)
        left[party.kind] = party.order.volume - hub.decode("viewConsumed", answers[f"consumed {party.kind}"])
    volume = min(left.values())
    if volume <= 0:
        raise refuse("60", left=left)
    return volume


def _gas(hub: Hub, estimate: Any) -> int:
    if isinstance(estimate, RpcError):
        hub.forget_owners()
        raise explained(estimate) from estimate
    return int(int(estimate, 16) * GAS_HEADROOM)


def _priced(match: Match, volume: int, balances: Balances, pool: Account) -> tuple[int, int]:
    """(total, deposit)."""
    needed_by_pool = match.workerpool.workerpoolprice * WORKERPOOL_STAKE_PERCENT // 100 * volume
    if pool.stake_nrlc < needed_by_pool:
        raise OrderRefused(
            "The worker group has not staked enough to sell that many tasks.",
            "Buy fewer tasks at once, or choose another worker group.",
            staked_nrlc=pool.stake_nrlc,
            needed_nrlc=needed_by_pool,
        )
    total = match.task_price_nrlc * volume
    deposit = max(0, total - balances.stake_nrlc)
    if deposit > balances.rlc_nrlc:
        raise NotEnoughFunds(
            f"{count(volume, 'task')} can cost {rlc(total)}; {rlc(balances.stake_nrlc)} are staked and "
            f"{rlc(balances.rlc_nrlc)} are in the wallet.",
            "Send RLC to the account, or buy fewer tasks.",
            missing_nrlc=deposit - balances.rlc_nrlc,
        )
    return total, deposit
