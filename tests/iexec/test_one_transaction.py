"""Deposit and match in one transaction: the way of hubs >= 6.2, which both live networks have and npm does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Iterator

import pytest
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address

from NatronIExec.devnet.contracts import calldata
from NatronIExec.errors import OrderRefused
from NatronIExec.iexec import abi
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.interface import Interface
from NatronIExec.iexec.orders import hash_order, new_salt, order_tuple, sign_order
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import ZERO_ADDRESS

SELECTOR = function_signature_to_4byte_selector("receiveApproval(address,uint256,address,bytes)")
CUT = "diamondCut((address,uint8,bytes4[])[],address,bytes)"
FACET = to_checksum_address("0x" + "62" * 20)


def facet(before: str) -> str:
    """Runtime code of a receiveApproval as 6.2 has it, around that of 6.1: what `before` does (the deposit), then the
    call that came with it, both within the hub; a refusal is passed on (PoCo 6.2 IexecEscrowTokenFacet)."""
    head = f"366000803760008036600073{before[2:]}5af4"  # copy what came, and let 6.1 do its part
    look = "6064356004018035"  # the length of the call that came with it, and where it is
    call = "808260200160003760008082600030" + "5af4"  # copy it, and let the hub itself run it
    done, refused = "5b60016000526020" + "6000f3", "5b3d6000803e3d6000fd"
    to_done = (len(head + look + call) + 3 * 8 + 2) // 2
    to_refused = to_done + len(done) // 2
    unless_ok, if_none = f"1560{to_refused:02x}57", f"801560{to_done:02x}57"
    return "0x" + head + unless_ok + look + if_none + call + unless_ok + done + refused


@pytest.fixture
def hub_62(hub: Hub, local: Any) -> Iterator[Hub]:
    chain, admin = local.chain.chain, local.people["admin"].address
    before = "0x" + chain.call(hub.network.hub, "facetAddress(bytes4)", SELECTOR)[-40:]
    chain.rpc("anvil_setCode", FACET, facet(before))

    def cut(to: str) -> None:
        chain.send(admin, hub.network.hub, calldata(CUT, [(to, 1, [SELECTOR])], ZERO_ADDRESS, b""))

    cut(FACET)
    yield Hub(replace(hub.network, one_tx_match=True), hub.transport)
    cut(before)


def test_deposit_and_match_are_one_transaction(
    hub_62: Hub, local: Any, make_match: Callable[..., Any], requester: Any
) -> None:
    """The stake alone would not do."""
    match = make_match()
    before = hub_62.balances(requester.address)
    app = replace(match.app, appprice=before.stake_nrlc + 1000, salt=new_salt())
    request = replace(match.request, appmaxprice=app.appprice)
    domain = hub_62.domain
    match = replace(
        match,
        app=sign_order(app, domain, local.signer("app_owner")),
        request=sign_order(request, domain, requester),
    )
    ready = preflight(hub_62, match)
    assert ready.deposit_nrlc == 1000 + match.workerpool.workerpoolprice
    transactions = hub_62.build_match(match, ready.deposit_nrlc, ready.nonce, ready.fees, ready.gas)
    assert [(one.what, one.to) for one in transactions] == [("deposit and match", hub_62.network.rlc)]
    signed = transactions[0].signed_by(requester)
    hub_62.send(signed)
    assert hub_62.wait(signed.hash).ok
    assert [deal.bot_size for deal in hub_62.deals_of_request(hash_order(match.request, domain), 1)] == [1]
    after = hub_62.balances(requester.address)
    assert before.rlc_nrlc - after.rlc_nrlc == ready.deposit_nrlc
    assert (after.stake_nrlc, after.locked_nrlc - before.locked_nrlc) == (0, ready.total_nrlc)
    again = hub_62.build_deposit(requester.address, before.stake_nrlc).signed_by(requester)
    hub_62.send(again)
    assert hub_62.wait(again.hash).ok


def test_a_deposit_alone_stays_what_it_was(hub_62: Hub, requester: Any) -> None:
    before = hub_62.account(requester.address)
    signed = hub_62.build_deposit(requester.address, 99).signed_by(requester)
    hub_62.send(signed)
    assert hub_62.wait(signed.hash).ok
    assert hub_62.account(requester.address).stake_nrlc - before.stake_nrlc == 99


def test_what_the_hub_refuses_moves_nothing(hub_62: Hub, make_match: Callable[..., Any], requester: Any) -> None:
    match = make_match()
    before = hub_62.balances(requester.address)
    with pytest.raises(OrderRefused):  # the token of npm does not pass the reason on
        hub_62.build_match(replace(match, app=replace(match.app, sign="0x" + "11" * 65)), 5)
    assert hub_62.balances(requester.address).rlc_nrlc == before.rlc_nrlc


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
