"""Deposit and match in one transaction: the way of hubs >= 6.2, which both live networks have; and of those before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from NatronIExec.devnet.hub_release import use_release
from NatronIExec.devnet.install import install
from NatronIExec.devnet.solidity import compile_facet, facet_code
from NatronIExec.errors import OrderRefused, RpcError
from NatronIExec.iexec import abi
from NatronIExec.iexec.deposit_and_match import understood
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.interface import Interface
from NatronIExec.iexec.orders import hash_order, new_salt, order_tuple, sign_order
from NatronIExec.iexec.preflight import preflight

TOKEN = Interface(abi.TOKEN)


@pytest.fixture
def hub_61(hub: Hub, local: Any, modules: Path) -> Iterator[Hub]:
    """The hub of npm, which deposits and takes no notice of the match."""

    def use(release: str) -> None:
        use_release(local.chain.chain, modules, hub.network.hub, local.people["admin"].address, release)

    use("6.1")
    yield Hub(hub.network, hub.transport)
    use("6.2")


def _approve_and_call(hub: Hub, requester: Any, amount_nrlc: int, data: str) -> Any:
    """Sent without being estimated, so that the chain itself says no."""
    sent = hub.transaction(
        requester.address,
        hub.network.rlc,
        TOKEN.encode("approveAndCall", [hub.network.hub, amount_nrlc, data]),
        "?",
        gas=2_000_000,
    ).signed_by(requester)
    hub.send(sent)
    while (receipt := hub.receipt(sent.hash)) is None:
        pass
    return receipt


def test_the_facet_is_what_its_source_says() -> None:
    assert compile_facet(install("compiler")) == facet_code()


def test_a_hub_says_which_it_is(hub: Hub, hub_61: Hub) -> None:
    hub_61.check()
    assert not hub_61.buys_with_deposit()
    assert not Hub(hub.network, hub.transport).buys_with_deposit()


def test_both_live_hubs_kind_is_the_default(hub: Hub) -> None:
    assert hub.buys_with_deposit()
    hub.check()
    assert hub.buys_with_deposit()


@pytest.mark.parametrize(
    "answer",
    [
        "0x" + "1".rjust(64, "0"), RpcError("", "", message="execution reverted"), RpcError("", "", message="busy"),
        RpcError("", "", message="execution reverted", data="0x08c379a0"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_bought_in_two_steps(answer: Any) -> None:
    assert not understood(answer)


def test_on_a_61_hub_deposit_and_match_are_two(hub_61: Hub, make_match: Callable[..., Any], requester: Any) -> None:
    """There one transaction would deposit and buy nothing."""
    match = make_match()
    before = hub_61.account(requester.address)
    receipt = _approve_and_call(hub_61, requester, 5, hub_61.match_calldata(match))
    assert receipt.ok
    assert not hub_61.deals_of_request(hash_order(match.request, hub_61.domain), 1)
    after = hub_61.account(requester.address)
    assert (after.stake_nrlc - before.stake_nrlc, after.locked_nrlc) == (5, before.locked_nrlc)
    ready = preflight(hub_61, match)
    transactions = hub_61.build_match(match, ready.deposit_nrlc)
    assert [one.what for one in transactions] == ["deposit", "match"]
    for one in transactions:
        signed = one.signed_by(requester)
        hub_61.send(signed)
        assert hub_61.wait(signed.hash)
    assert hub_61.deals_of_request(hash_order(match.request, hub_61.domain), 1)


@pytest.mark.parametrize("data", ["0xffffffff", "0x15", "0x156194d4", "0x095ea7b3" + "00" * 64])
def test_no_other_call_comes_with_a_deposit(hub: Hub, requester: Any, data: str) -> None:
    before = hub.balances(requester.address)
    assert not _approve_and_call(hub, requester, 5, data).ok
    after = hub.balances(requester.address)
    assert (after.rlc_nrlc, after.stake_nrlc) == (before.rlc_nrlc, before.stake_nrlc)


def test_nobody_buys_for_another(hub: Hub, local: Any, make_match: Callable[..., Any], requester: Any) -> None:
    match = make_match()
    assert not _approve_and_call(hub, local.signer("buyer"), 10**9, hub.match_calldata(match)).ok
    assert not hub.deals_of_request(hash_order(match.request, hub.domain), 1)


def test_deposit_and_match_are_one_transaction(
    hub: Hub, local: Any, make_match: Callable[..., Any], requester: Any
) -> None:
    """The stake alone would not do."""
    match = make_match()
    before = hub.balances(requester.address)
    app = replace(match.app, appprice=before.stake_nrlc + 1000, salt=new_salt())
    request = replace(match.request, appmaxprice=app.appprice)
    domain = hub.domain
    match = replace(
        match,
        app=sign_order(app, domain, local.signer("app_owner")),
        request=sign_order(request, domain, requester),
    )
    ready = preflight(hub, match)
    assert ready.deposit_nrlc == 1000 + match.workerpool.workerpoolprice
    transactions = hub.build_match(match, ready.deposit_nrlc, ready.nonce, ready.fees, ready.gas)
    assert [(one.what, one.to) for one in transactions] == [("deposit and match", hub.network.rlc)]
    signed = transactions[0].signed_by(requester)
    hub.send(signed)
    assert hub.wait(signed.hash).ok
    assert [deal.bot_size for deal in hub.deals_of_request(hash_order(match.request, domain), 1)] == [1]
    after = hub.balances(requester.address)
    assert before.rlc_nrlc - after.rlc_nrlc == ready.deposit_nrlc
    assert (after.stake_nrlc, after.locked_nrlc - before.locked_nrlc) == (0, ready.total_nrlc)


def test_a_deposit_alone_stays_what_it_was(hub: Hub, requester: Any) -> None:
    before = hub.account(requester.address)
    signed = hub.build_deposit(requester.address, 99).signed_by(requester)
    hub.send(signed)
    assert hub.wait(signed.hash).ok
    assert hub.account(requester.address).stake_nrlc - before.stake_nrlc == 99


def test_what_the_hub_refuses_moves_nothing(hub: Hub, make_match: Callable[..., Any], requester: Any) -> None:
    match = make_match()
    before = hub.balances(requester.address)
    with pytest.raises(OrderRefused):  # the token of npm does not pass the reason on
        hub.build_match(replace(match, app=replace(match.app, sign="0x" + "11" * 65)), 5)
    assert hub.balances(requester.address).rlc_nrlc == before.rlc_nrlc


def test_exactly_the_deposit_is_approved_and_exactly_the_match_is_called(
    hub: Hub, make_match: Callable[..., Any]
) -> None:
    """The calldata, read back field by field."""
    match = make_match(volume=3)
    calldata_of_match = hub.match_calldata(match)
    token = Interface(abi.TOKEN)
    data = token.encode("approveAndCall", [hub.network.hub, 77, calldata_of_match])
    assert data[:10] == "0xcae9ca51"
    assert calldata_of_match[:10] == "0x156194d4"
    entry = next(e for e in abi.TOKEN if e["name"] == "approveAndCall")
    spender, amount, inner = Interface([{**entry, "outputs": entry["inputs"]}]).decode(
        "approveAndCall", "0x" + data[10:]
    )
    assert (spender, amount, "0x" + inner.hex()) == (hub.network.hub.lower(), 77, calldata_of_match)
    entry = next(e for e in abi.HUB if e["name"] == "matchOrders")
    orders = Interface([{**entry, "outputs": entry["inputs"]}]).decode("matchOrders", "0x" + inner[4:].hex())
    wanted = [order_tuple(order) for order in (match.app, match.dataset, match.workerpool, match.request)]
    assert [_lower(order) for order in orders] == [_lower(order) for order in wanted]
    assert preflight(hub, match).volume == 3


def _lower(order: Any) -> list[Any]:
    return [value.lower() if isinstance(value, str) and value.startswith("0x") else value for value in order]
