"""The plan of a render before anything is spent: its tasks, the worker group, and the most that it can cost.

The plan's numbers are the limits on chain: the request order allows exactly these prices and this number of tasks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from NatronIExec.errors import (
    BadInput,
    MissingInput,
    NatronIExecError,
    NotEnoughFunds,
    PriceAboveCap,
    ServiceUnavailable,
    WalletError,
)
from NatronIExec.farm.order import offers
from NatronIExec.farm.order.frame_selection import Progress, count_chunks, scan_submission, split_test
from NatronIExec.farm.order.network_services import NetworkServices
from NatronIExec.farm.order.offers import Offer, Wanted
from NatronIExec.farm.store.job import Quote
from NatronIExec.iexec.orders import NULL_DATASET
from NatronIExec.iexec.preflight import Preflight, preflight
from NatronIExec.iexec.records import (
    FINAL_DEADLINE_RATIO,
    ZERO_ADDRESS,
    ZERO_BYTES32,
    Balances,
    Match,
    RequestOrder,
)
from NatronIExec.iexec.transactions import MATCH_GAS, Fees, lacking_gas
from NatronIExec.scan.project_scan import DEFAULT_CHUNK, Scan
from NatronIExec.submission import Submission
from NatronIExec.wording import rlc

#: A deposit of RLC into escrow takes about 90 k gas (measured on the contracts).
DEPOSIT_GAS = 150_000
#: The gas fee may rise by this factor between plan and purchase; beyond that the job pauses and asks.
FEE_ROOM = 2


@dataclass(frozen=True)
class Plan:
    """`scan` covers all frames that were asked for, `work` those that this job renders first (fewer only for a test).
    `quote` is None if nobody sells; `problems` then says so. Prices are in nRLC, gas in wei."""

    id: str
    submission: Submission
    scan: Scan
    work: Scan
    quote: Quote | None
    offers: tuple[Offer, ...]
    preflight: Preflight | None
    balances: Balances | None
    rest: Submission | None
    rest_tasks: int
    upload_bytes: int
    problems: tuple[NatronIExecError, ...] = field(default=())

    @property
    def tasks(self) -> int:
        return len(self.work.chunks)

    @property
    def task_price_nrlc(self) -> int:
        return self.quote.task_price_nrlc if self.quote else 0

    @property
    def rest_most_nrlc(self) -> int:
        """The most in nRLC for the frames that follow a test automatically; 0 if none do. They are part of the price
        shown."""
        return self.task_price_nrlc * self.rest_tasks if self.submission.test_frames == "auto-continue" else 0

    @property
    def gas_wei(self) -> int:
        """The most gas in wei for all purchases; twice that of the test if its rest follows automatically."""
        return self.quote.gas_wei * (2 if self.rest_tasks and self._continues else 1) if self.quote else 0

    @property
    def most_nrlc(self) -> int:
        return self.task_price_nrlc * self.tasks + self.rest_most_nrlc

    def to_sheet(self) -> dict[str, Any]:
        """The PlanSheet of docs/engine-protocol.md."""
        quote, balances = self.quote, self.balances
        held = balances.rlc_nrlc + balances.stake_nrlc if balances else None
        chosen = self.offers[0] if self.offers else None
        both = self.tasks + (self.rest_tasks if self.rest_most_nrlc or self._continues else 0)
        return {
            "plan": self.id,
            "scan": self.scan.to_json(),
            "network": self.submission.network,
            "account": (quote.account if quote else "") or None,
            "tasks": both,
            "frames": sum(len(chunk.frames) for chunk in (self.scan if self._continues else self.work).chunks),
            "chunk": self.submission.chunk or DEFAULT_CHUNK,
            "category": {"id": quote.category, "name": quote.category_name, "time_limit_s": quote.timeref_s}
            if quote
            else None,
            "workerpool": chosen.to_row() if chosen else None,
            "app_price_nrlc": quote.app_price_nrlc if quote else None,
            "workerpool_price_nrlc": quote.workerpool_price_nrlc if quote else None,
            "total_nrlc": self.most_nrlc if quote else None,
            "deposit_nrlc": max(0, self.most_nrlc - balances.stake_nrlc) if quote and balances else None,
            "gas_wei": str(self.gas_wei) if quote else None,
            "refund_s": FINAL_DEADLINE_RATIO * quote.timeref_s if quote else None,
            "balance": wire_balances(balances) if balances else None,
            "after_nrlc": held - self.most_nrlc if held is not None and quote else None,
            "upload_bytes": self.upload_bytes,
            "confidential": bool(self.submission.confidential),
            "problems": [problem.to_wire() for problem in self.problems],
            "deals": len(quote.workerpool_orders) if quote else 0,
        }

    @property
    def _continues(self) -> bool:
        return self.submission.test_frames == "auto-continue"


def wire_balances(balances: Balances) -> dict[str, Any]:
    return {
        "rlc_nrlc": balances.rlc_nrlc,
        "stake_nrlc": balances.stake_nrlc,
        "locked_nrlc": balances.locked_nrlc,
        "eth_wei": str(balances.eth_wei),
    }


def make_plan(
    plan_id: str,
    submission: Submission,
    services: NetworkServices,
    account: str | None,
    caps: Callable[[int], None],
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Plan:
    """Scan, then ask the market. `caps` raises PriceAboveCap for a total that the person's limits do not allow. What a
    person can mend is in `problems`; a network that cannot be asked raises Unreachable, ServiceError or WrongChain."""
    found = scan_submission(submission, progress, cancel)
    first, rest = split_test(found, submission)
    work = found if first is submission else scan_submission(first, progress, cancel)
    rest_tasks = count_chunks(rest) if rest else 0
    problems = _project_problems(found)
    services.check()
    wanted = Wanted(
        len(work.chunks), bool(submission.confidential), submission.trust, submission.workerpool, submission.category,
        account or "", rest_tasks if submission.test_frames == "auto-continue" else 0,
    )  # fmt: skip
    plan = Plan(
        plan_id, submission, found, work, None, (), None, None, rest, rest_tasks,
        sum(file.size for file in work.files) + os.path.getsize(submission.project),
    )  # fmt: skip
    try:
        plan = _priced(plan, services, wanted)
    except ServiceUnavailable:
        raise
    except NatronIExecError as problem:
        problems.append(problem)
    return _checked(plan, problems, services, account, caps)


def _checked(
    plan: Plan,
    problems: list[NatronIExecError],
    services: NetworkServices,
    account: str | None,
    caps: Callable[[int], None],
) -> Plan:
    problems = [*problems, *plan.problems, *_trust_problems(plan)]
    if account is None:
        problems.append(WalletError("There is no account to pay from.", "Create or import one in the wallet."))
    elif plan.balances is None:
        plan = replace(plan, balances=services.hub.balances(account))
    if plan.quote is not None:
        most = plan.submission.max_price_nrlc
        try:
            caps(plan.most_nrlc)
            if most is not None and plan.most_nrlc > most:
                raise PriceAboveCap(
                    f"The render can cost {rlc(plan.most_nrlc)}, the cap is {rlc(most)}.",
                    "Raise the cap, use larger chunks, or render fewer frames.",
                )
        except PriceAboveCap as problem:
            problems.append(problem)
        if plan.balances and not any(isinstance(problem, NotEnoughFunds) for problem in problems):
            problems += _lacking_rlc(plan, plan.balances)
        if plan.balances and plan.gas_wei > plan.balances.eth_wei:
            problems.append(lacking_gas(plan.gas_wei, plan.balances.eth_wei))
    return replace(plan, problems=tuple(problems))


def _lacking_rlc(plan: Plan, held: Balances) -> list[NatronIExecError]:
    """nRLC that the account lacks for all that the job buys, the rest after a test included; 0 if it has enough."""
    lacking = plan.most_nrlc - held.stake_nrlc - held.rlc_nrlc
    if lacking <= 0:
        return []
    return [
        NotEnoughFunds(
            f"The render can cost {rlc(plan.most_nrlc)}, {rlc(lacking)} more than the account has.",
            "Send RLC to the account, or render fewer frames.",
        )
    ]


def _trust_problems(plan: Plan) -> Iterator[NatronIExecError]:
    """Why the asked number of workers per task is impossible: movies cannot be compared, and schedulers of enclaves
    ignore such deals."""
    if plan.submission.trust < 2:
        return
    used = plan.scan.frames_by_writer()
    movies = [writer.name for writer in plan.scan.writers if writer.movie and writer.name in used]
    if movies:
        yield BadInput(
            f"{movies[0]} makes a movie, which cannot be compared between workers.",
            "Ask for one worker a task (trust 1), or render an image sequence.",
        )
    if plan.quote and int(plan.quote.tag, 16) & 1:
        yield BadInput(
            "In a confidential job each task is rendered by one worker; the enclave proves its result.",
            "Ask for one worker a task (trust 1).",
        )


def _project_problems(found: Scan) -> list[NatronIExecError]:
    """Problems of the project that would make the payment useless."""
    problems: list[NatronIExecError] = []
    if found.missing:
        first = found.missing[0]
        more = f" and {len(found.missing) - 1} more" if len(found.missing) > 1 else ""
        problems.append(
            MissingInput(
                f"{first.path} (needed by {first.node}){more} is not there.",
                "Put it back, correct the node, or exclude the file.",
                files=[gap.path for gap in found.missing[:20]],
            )
        )
    if not found.chunks:
        problems.append(BadInput("No writer is enabled.", "Enable a Write node, or name one."))
    for check in found.errors:
        if not (check.code.startswith("missing") and found.missing):
            problems.append(BadInput(check.title, check.remedy, node=check.node))
    return problems


def _priced(plan: Plan, services: NetworkServices, wanted: Wanted) -> Plan:
    if not wanted.tasks:
        return plan
    app = offers.app_order(services, wanted)
    found = offers.offers(services, wanted)
    chosen = offers.choose(found, wanted.tasks)
    category = chosen[0].category
    quote = Quote(
        network=services.network.name,
        account=wanted.requester,
        app=app,
        workerpool_orders=tuple((offer.order_hash, offer.order) for offer in chosen),
        volume=wanted.tasks,
        category=category.id,
        category_name=category.name,
        timeref_s=category.timeref_s,
        tag=offers.tag_of(services, wanted.confidential),
        trust=wanted.trust,
        app_price_nrlc=app.appprice,
        workerpool_price_nrlc=max(offer.order.workerpoolprice for offer in chosen),
        gas_wei=0,
        workerpool_name=chosen[0].name,
    )
    plan = replace(plan, quote=quote, offers=tuple(chosen))
    if not wanted.requester:
        return _with_gas(plan, services.hub.fees())
    try:
        checked = preflight(services.hub, match_of(quote, chosen[0].order, unsigned_request(quote)))
    except ServiceUnavailable:
        raise
    except NatronIExecError as problem:
        return _with_gas(replace(plan, problems=(problem,)), services.hub.fees())
    return _with_gas(replace(plan, preflight=checked, balances=checked.balances), checked.fees)


def _with_gas(plan: Plan, fees: Fees) -> Plan:
    assert plan.quote is not None
    gas = MATCH_GAS * len(plan.quote.workerpool_orders) + DEPOSIT_GAS
    return replace(plan, quote=replace(plan.quote, gas_wei=gas * fees.max_fee_wei * FEE_ROOM))


def match_of(quote: Quote, workerpool_order: Any, request: RequestOrder) -> Match:
    return Match(quote.app, NULL_DATASET, workerpool_order, request)


def unsigned_request(quote: Quote, params: str = "", salt: str = ZERO_BYTES32, beneficiary: str = "") -> RequestOrder:
    """The unsigned request order of a quote: its number of tasks, its prices as maxima, and only its worker group.
    `beneficiary` is the account whose key encrypts the result."""
    return RequestOrder(
        app=quote.app.app,
        appmaxprice=quote.app_price_nrlc,
        dataset=ZERO_ADDRESS,
        datasetmaxprice=0,
        workerpool=quote.workerpool,
        workerpoolmaxprice=quote.workerpool_price_nrlc,
        requester=quote.account,
        volume=quote.volume,
        tag=quote.tag,
        category=quote.category,
        trust=quote.trust if quote.trust > 1 else 0,  # 1 would refuse orders of trust 0, which mean the same
        beneficiary=beneficiary or quote.account,
        callback=ZERO_ADDRESS,
        params=params,
        salt=salt,
    )
