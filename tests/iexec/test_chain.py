"""The client against the real contracts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import pytest

from NatronIExec.errors import Conflict, NatronIExecError, NotEnoughFunds, OrderRefused, WrongChain
from NatronIExec.iexec.claims import build_claims, claimable
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.orders import NULL_DATASET, deal_id, domain_separator, hash_order, new_salt, sign_order, task_id
from NatronIExec.iexec.preflight import _priced, preflight
from NatronIExec.iexec.records import TaskStatus
from NatronIExec.iexec.sms import Sms
from NatronIExec.iexec.transactions import require_gas
from NatronIExec.iexec.transport import Transport
from NatronIExec.iexec.watch import BagWatch
from NatronIExec.wallet.signer import KeySigner
from NatronIExec.wording import rlc


def test_the_hub_is_known_by_its_domain(hub: Hub, local: Any) -> None:
    hub.check()
    other = Hub(replace(local.network, chain_id=5), Transport())
    with pytest.raises(WrongChain, match="serves chain 31337"):
        other.check()
    assert domain_separator(other.domain) != domain_separator(hub.domain)


@pytest.mark.parametrize("elsewhere", ["rlc", "workerpool", "nowhere"])
def test_another_contract_is_not_taken_for_the_hub(hub: Hub, elsewhere: str) -> None:
    address = getattr(hub.network, elsewhere, "0x" + "12" * 20)
    with pytest.raises(WrongChain, match="is not the iExec hub"):
        Hub(replace(hub.network, hub=address), Transport()).check()


def test_a_hub_of_another_domain_is_refused(hub: Hub, node: Callable[..., str]) -> None:
    """The right code at the right address, and signatures that would be good for another."""
    other = domain_separator(replace(hub.domain, chain_id=1))
    asked = hub.encode("eip712domain_separator")
    habit = lambda method, params: {"result": other} if asked in str(params) else None  # noqa: E731
    with pytest.raises(WrongChain, match="is not the iExec hub"):
        Hub(replace(hub.network, rpc=node(habit)), Transport()).check()


def test_categories_and_balances(hub: Hub, requester: Any) -> None:
    names = [category.name for category in hub.categories()]
    assert names[:5] == ["XS", "S", "M", "L", "XL"]
    assert hub.category(0).timeref_s == 300
    held = hub.balances(requester.address)
    assert held.rlc_nrlc > 0
    assert held.stake_nrlc == hub.account(requester.address).stake_nrlc


def test_deposit_and_withdraw(hub: Hub, requester: Any) -> None:
    before = hub.balances(requester.address)
    for build, amount in ((hub.build_deposit, 1234), (hub.build_withdraw, 1234)):
        signed = build(requester.address, amount).signed_by(requester)
        hub.send(signed)
        assert hub.wait(signed.hash).ok
    after = hub.balances(requester.address)
    assert (after.rlc_nrlc, after.stake_nrlc) == (before.rlc_nrlc, before.stake_nrlc)


def test_too_much_is_refused_before_it_is_sent(hub: Hub, requester: Any) -> None:
    with pytest.raises(NatronIExecError):
        hub.build_withdraw(requester.address, 10**18)


def test_a_match_is_what_preflight_said(
    hub: Hub, make_match: Callable[..., Any], buy: Callable[..., Any], requester: Any
) -> None:
    match = make_match(volume=3)
    ready = preflight(hub, match)
    assert (ready.volume, ready.total_nrlc) == (3, 3 * match.task_price_nrlc)
    deals = buy(match, ready.deposit_nrlc)
    assert [deal.bot_size for deal in deals] == [3]
    assert deals[0].dealid == deal_id(hash_order(match.request, hub.domain), 0)
    assert deals[0].requester == requester.address
    with pytest.raises(OrderRefused, match="used up"):
        preflight(hub, match)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"category": 1}, "0x00"),
        ({"trust": 99}, "0x02"),
        ({"appmaxprice": 0}, "0x03"),
        ({"workerpoolmaxprice": 0}, "0x05"),
        ({"tag": "0x" + "00" * 31 + "09"}, "0x07"),
        ({"app": "0x" + "12" * 20}, "0x10"),
        ({"dataset": "0x" + "12" * 20}, "0x11"),
        ({"workerpool": "0x" + "12" * 20}, "0x12"),
    ],
)
def test_refusals_are_the_contracts_own(
    hub: Hub, make_match: Callable[..., Any], change: dict[str, Any], code: str
) -> None:
    """What preflight refuses, the contract refuses with the same code; both say the same sentence."""
    match = make_match(**({"category": 0} | {k: v for k, v in change.items() if k != "category"}))
    if "category" in change:
        match = replace(match, workerpool=replace(match.workerpool, category=4))
    with pytest.raises(OrderRefused) as ours:
        preflight(hub, match)
    with pytest.raises(OrderRefused) as theirs:
        hub.build_match(match, 0)
    assert ours.value.details["contract"] == code
    assert ours.value.title == theirs.value.title
    assert ours.value.remedy


def test_a_foreign_signature_is_refused(hub: Hub, local: Any, make_match: Callable[..., Any]) -> None:
    match = make_match()
    forged = replace(match, request=sign_order(match.request, hub.domain, local.signer("buyer")))
    with pytest.raises(OrderRefused) as refused:
        preflight(hub, forged)
    assert refused.value.details["contract"] == "0x50"
    unsold = replace(match, app=replace(match.app, appprice=0))
    with pytest.raises(OrderRefused) as refused:
        preflight(hub, replace(unsold, request=sign_order(match.request, hub.domain, local.signer("requester"))))
    assert refused.value.details["contract"] == "0x21"


def test_no_money_is_said_with_the_amount(hub: Hub, make_match: Callable[..., Any]) -> None:
    poor = KeySigner(bytes.fromhex("11" * 32))
    with pytest.raises(NotEnoughFunds, match="RLC"):
        preflight(hub, make_match(signer=poor))
    with pytest.raises(NotEnoughFunds, match="ETH"):
        require_gas([hub.transaction(poor.address, hub.network.hub, "0x", "x", gas=10**6)], 0)


def test_a_closed_order_sells_nothing(hub: Hub, make_match: Callable[..., Any], requester: Any) -> None:
    match = make_match(volume=2)
    signed = hub.build_close(match.request).signed_by(requester)
    hub.send(signed)
    hub.wait(signed.hash)
    with pytest.raises(OrderRefused):
        preflight(hub, match)


def test_sending_twice_is_harmless(hub: Hub, requester: Any) -> None:
    signed = hub.build_deposit(requester.address, 1).signed_by(requester)
    hub.send(signed)
    hub.send(signed)
    assert hub.wait(signed.hash).ok
    assert hub.receipt("0x" + "00" * 32) is None
    assert hub.wait("0x" + "00" * 32, give_up=lambda: True) is None


def test_a_bag_is_watched_with_one_request_a_poll(
    hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any]
) -> None:
    """450 tasks, more than fit into a topic filter; these never begin, so a poll has nothing new."""
    local.faults.every = "never-initialized"
    first = hub.block().number
    deals = buy(make_match(volume=450))
    bag = BagWatch(hub, deals, first)
    bag.poll()
    before = hub.transport.requests_sent
    assert bag.poll() == []
    assert hub.transport.requests_sent == before + 1
    assert bag.open == 450
    again = BagWatch(hub, deals, first, bag.state())
    assert again.poll() == []


def test_late_tasks_are_claimed_also_those_that_never_began(
    hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any], requester: Any
) -> None:
    local.faults.by_index.update({0: "nothing", 1: "never-initialized", 2: "never-initialized"})
    first = hub.block().number
    deals = buy(make_match(volume=3))
    bag = BagWatch(hub, deals, first)
    while not any(change.status is TaskStatus.ACTIVE for change in bag.poll()):
        pass
    assert claimable(hub, deals, hub.block().timestamp_s, 300) == []
    local.chain.chain.rpc("evm_increaseTime", 3001)
    local.chain.chain.rpc("evm_mine")
    late = claimable(hub, deals, hub.block().timestamp_s, 300)
    assert [task.index for task in late] == [0, 1, 2]
    held = hub.account(requester.address)
    signed = [transaction.signed_by(requester) for transaction in build_claims(hub, late, requester.address)]
    assert len(signed) == 2
    for one in signed:
        hub.send(one)
    for one in signed:
        hub.wait(one.hash)
    back = hub.account(requester.address)
    price = deals[0].task_price_nrlc
    assert held.locked_nrlc - back.locked_nrlc == 3 * price
    assert {change.status for change in bag.poll()} == {TaskStatus.FAILED}
    assert bag.open == 0
    assert task_id(deals[0].dealid, 1) == late[1].taskid


def test_late_tasks_of_a_second_deal_are_claimed_by_their_own_numbers(
    hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any], requester: Any
) -> None:
    """One request over two worker group orders: the second deal does not begin at 0."""
    local.faults.every = "never-initialized"
    match = make_match(volume=5)
    small = replace(match.workerpool, volume=2, salt=new_salt())
    buy(replace(match, workerpool=sign_order(small, hub.domain, local.signer("pool_owner"))))
    deals = buy(match)
    assert [(deal.bot_first, deal.bot_size) for deal in deals] == [(0, 2), (2, 3)]
    local.chain.chain.rpc("evm_increaseTime", 3001)
    local.chain.chain.rpc("evm_mine")
    late = claimable(hub, deals, hub.block().timestamp_s, 300)
    assert [task.index for task in late] == [0, 1, 2, 3, 4]
    held = hub.account(requester.address)
    for transaction in build_claims(hub, late, requester.address):
        signed = transaction.signed_by(requester)
        hub.send(signed)
        assert hub.wait(signed.hash).ok
    assert held.locked_nrlc - hub.account(requester.address).locked_nrlc == 5 * deals[0].task_price_nrlc
    assert {task.status for task in hub.tasks([(task.dealid, task.index) for task in late])} == {TaskStatus.FAILED}


def test_a_batch_of_claims_that_is_too_much_for_a_block_is_halved(
    hub: Hub, local: Any, make_match: Callable[..., Any], buy: Callable[..., Any], requester: Any, node: Any
) -> None:
    local.faults.every = "never-initialized"
    deals = buy(make_match(volume=5))
    local.chain.chain.rpc("evm_increaseTime", 3001)
    local.chain.chain.rpc("evm_mine")

    def habit(method: str, params: Any) -> Any:
        if method != "eth_estimateGas" or len(params[0]["data"]) < 800:
            return None
        return {"error": {"code": -32000, "message": "gas required exceeds allowance (30000000)"}}

    busy = Hub(replace(hub.network, rpc=node(habit)), Transport())
    late = claimable(hub, deals, hub.block().timestamp_s, 300)
    transactions = build_claims(busy, late, requester.address)
    assert [one.what for one in transactions] == ["claim 2 tasks", "claim 3 tasks"]
    assert transactions[1].nonce == transactions[0].nonce + 1
    for transaction in transactions:
        signed = transaction.signed_by(requester)
        hub.send(signed)
        assert hub.wait(signed.hash).ok


def test_a_stake_that_is_too_small_is_said_so_by_the_escrow(
    hub: Hub, local: Any, make_match: Callable[..., Any], requester: Any
) -> None:
    match = make_match()
    app = replace(match.app, appprice=10**17, salt=new_salt())
    match = replace(
        match,
        app=sign_order(app, hub.domain, local.signer("app_owner")),
        request=sign_order(replace(match.request, appmaxprice=10**17), hub.domain, requester),
    )
    with pytest.raises(NotEnoughFunds, match="staked"):
        hub.build_match(match, 0)


def test_orders_are_published_found_and_taken_back(
    market: Any, hub: Hub, local: Any, make_match: Callable[..., Any]
) -> None:
    request = make_match().request
    signer = local.signer("requester")
    order_hash = market.publish("request", request, signer)
    assert order_hash == hash_order(request, hub.domain)
    assert market.order("request", order_hash).remaining == 1
    market.unpublish("request", order_hash, signer)
    with pytest.raises(NatronIExecError):
        market.publish("app", make_match().app, local.signer("buyer"))


def test_secrets_are_pushed_once(hub: Hub, requester: Any) -> None:
    sms = Sms(hub.network, hub.transport)
    assert not sms.has_requester_secret(requester.address, "a-key")
    sms.push_requester_secret("a-key", "00ff", requester)
    assert sms.has_requester_secret(requester.address, "a-key")
    with pytest.raises(Conflict, match="exists already"):
        sms.push_requester_secret("a-key", "11", requester)


def test_no_dataset_is_exactly_the_null_order(make_match: Callable[..., Any], hub: Hub) -> None:
    match = make_match()
    assert match.dataset == NULL_DATASET
    with pytest.raises(OrderRefused):
        preflight(hub, replace(match, dataset=replace(NULL_DATASET, datasetprice=1)))


def test_amounts_that_differ_little_are_told_apart(hub: Hub, make_match: Callable[..., Any], requester: Any) -> None:
    """A rounded sentence would say that what is there is enough."""
    held = hub.balances(requester.address)
    match = make_match()
    dear = replace(match.workerpool, workerpoolprice=0)
    short = held.stake_nrlc + held.rlc_nrlc + 1
    match = replace(match, app=replace(match.app, appprice=short), workerpool=dear)
    with pytest.raises(NotEnoughFunds) as refused:
        _priced(match, 1, held, hub.account(requester.address))
    assert rlc(short) in refused.value.title
    assert refused.value.details["missing_nrlc"] == 1
