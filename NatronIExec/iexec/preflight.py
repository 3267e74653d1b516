"""Every check that the chain will make, made first: a refusal is a sentence and costs nothing.

The order of the checks is the contract's (PoCo contracts/facets/IexecPoco1Facet.sol). All data come in one HTTP request
(one more for an app or worker group that was not seen before), and a trial of the very transaction comes with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from NatronIExec.errors import NotEnoughFunds, OrderRefused
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.jsonrpc import Call, RpcError
from NatronIExec.iexec.orders import NULL_DATASET, Domain, deal_tag, hash_order
from NatronIExec.iexec.records import ZERO_ADDRESS, Account, Balances, Match
from NatronIExec.iexec.reverts import MATCH_CODES, explained
from NatronIExec.iexec.transactions import GAS_HEADROOM, Fees, fees_of

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


def refuse(code: str, **details: object) -> OrderRefused:
    title, remedy = MATCH_CODES[code]
    return OrderRefused(title, remedy, contract=f"0x{code}", **details)


def check_orders(match: Match) -> None:
    """What the four orders say of each other, without the chain. Raises OrderRefused."""
    app, dataset, pool, request = match.app, match.dataset, match.workerpool, match.request
    tag = int(deal_tag(app.tag, dataset.tag, request.tag), 16)
    requester = request.requester
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
        ("12", request.workerpool in (ZERO_ADDRESS, pool.workerpool)),
        ("14", app.workerpoolrestrict in (ZERO_ADDRESS, pool.workerpool)),
        ("15", app.requesterrestrict in (ZERO_ADDRESS, requester)),
        ("19", pool.apprestrict in (ZERO_ADDRESS, app.app)),
        ("1b", pool.requesterrestrict in (ZERO_ADDRESS, requester)),
    )
    for code, holds in rules:
        if not holds:
            raise refuse(code)
    if dataset != NULL_DATASET:
        raise OrderRefused("Renders do not use datasets.", "Leave the dataset out.")


def preflight(hub: Hub, match: Match) -> Preflight:
    """Check the match against the chain as it is now. Raises OrderRefused or NotEnoughFunds.

    Signatures of contracts (ERC-1271) and presigned orders are judged by the hub itself. The request order may still be
    unsigned: then everything but its signature is checked.
    """
    check_orders(match)
    app_hash, pool_hash, request_hash = hashes_of(match, hub.domain)
    app_owner, pool_owner = _owners(hub, match)
    requester = match.request.requester
    signatures: list[Call] = [
        hub.view("verifyPresignatureOrSignature", app_owner, app_hash, match.app.sign),
        hub.view("verifyPresignatureOrSignature", pool_owner, pool_hash, match.workerpool.sign),
    ]
    if match.request.sign != "0x":
        signatures.append(hub.view("verifyPresignatureOrSignature", requester, request_hash, match.request.sign))
    state = [hub.view("viewConsumed", order_hash) for order_hash in (app_hash, pool_hash, request_hash)]
    sending: list[Call] = [*hub.fee_calls(), ("eth_getTransactionCount", [requester, "pending"])]
    trial: list[Call] = []
    if match.request.sign != "0x":
        call = {"from": requester, "to": hub.network.hub, "data": hub.match_calldata(match)}
        trial.append(("eth_estimateGas", [call]))
    money = [hub.view("viewAccount", pool_owner), *hub.balance_calls(requester)]
    *answers, estimate = hub.transport.rpc_batch_raw(
        hub.network.rpc, [*state, *money, *sending, *signatures, *(trial or [("eth_chainId", [])])]
    )
    for answer in answers:
        if isinstance(answer, RpcError):
            raise explained(answer) from answer
    volumes = (match.app.volume, match.workerpool.volume, match.request.volume)
    left = [volume - hub.decode("viewConsumed", answer) for volume, answer in zip(volumes, answers[:3])]
    for code, valid in zip(("21", "41", "50"), answers[10:]):
        if not hub.decode("verifyPresignatureOrSignature", valid):
            raise refuse(code)
    volume = min(left)
    if volume <= 0:
        raise refuse("60", left=left)
    pool_account = Account(*hub.decode("viewAccount", answers[3]))
    balances = hub.balances_of(*answers[4:7])
    total, deposit = _priced(match, volume, balances, pool_account)
    gas = 0
    if trial and not deposit:  # with a deposit to come the trial cannot succeed yet
        if isinstance(estimate, RpcError):
            raise explained(estimate) from estimate
        gas = int(int(estimate, 16) * GAS_HEADROOM)
    fees = fees_of(answers[7], answers[8])
    return Preflight(volume, total, deposit, balances, fees, int(answers[9], 16), gas)


def _owners(hub: Hub, match: Match) -> list[str]:
    owners = hub.owners([match.app.app, match.workerpool.workerpool])
    for code, owner in zip(("20", "40"), owners):
        if owner == ZERO_ADDRESS:
            raise refuse(code)
    return owners


def _priced(match: Match, volume: int, balances: Balances, pool: Account) -> tuple[int, int]:
    """(total, deposit)."""
    needed_by_pool = match.workerpool.workerpoolprice * WORKERPOOL_STAKE_PERCENT // 100 * volume
    if pool.stake_nrlc < needed_by_pool:
        raise OrderRefused(
            "The worker group has not staked enough to sell that many tasks.",
            "Buy fewer tasks at once (larger chunks), or choose another worker group.",
            staked_nrlc=pool.stake_nrlc,
            needed_nrlc=needed_by_pool,
        )
    total = match.task_price_nrlc * volume
    deposit = max(0, total - balances.stake_nrlc)
    if deposit > balances.rlc_nrlc:
        raise NotEnoughFunds(
            f"The render can cost {total / 10**9:g} RLC; {balances.stake_nrlc / 10**9:g} RLC are staked and "
            f"{balances.rlc_nrlc / 10**9:g} RLC are in the wallet.",
            "Send RLC to the account, or render fewer frames.",
            missing_nrlc=deposit - balances.rlc_nrlc,
        )
    return total, deposit


def hashes_of(match: Match, domain: Domain) -> tuple[str, str, str]:
    """Hashes of the app, worker group and request orders."""
    return hash_order(match.app, domain), hash_order(match.workerpool, domain), hash_order(match.request, domain)
