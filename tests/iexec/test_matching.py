"""Orders of all kinds against the real contracts: what preflight says is what the hub does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.devnet.contracts import calldata
from NatronIExec.errors import NatronIExecError, OrderRefused
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.network import NO_TAG, TDX_TAG
from NatronIExec.iexec.orders import (
    CLOSE,
    NULL_DATASET,
    SIGN,
    RequestParams,
    hash_operation,
    hash_order,
    new_salt,
    sign_operation,
    sign_order,
)
from NatronIExec.iexec.preflight import preflight
from NatronIExec.iexec.records import ZERO_ADDRESS as Z
from NatronIExec.iexec.records import AppOrder, DatasetOrder, Match, RequestOrder, WorkerpoolOrder

NOBODY = to_checksum_address("0x" + "12" * 20)
#: Runtime code: a wallet that finds every signature good (ERC-1271).
TRUSTING = "0x631626ba7e60e01b60005260206000f3"


def group_of(account: str) -> str:
    """Runtime code: a group (ERC-734) of one account."""
    return "0x73" + account[2:] + "6004351460005260206000f3"


@pytest.fixture
def place(local: Any) -> Callable[[str], str]:
    """Put code at a new address."""

    def put(code: str) -> str:
        address = to_checksum_address(keccak(text=new_salt())[12:])
        local.chain.chain.rpc("anvil_setCode", address, code)
        return address

    return put


@pytest.fixture
def register(local: Any, hub: Hub) -> Callable[..., str]:
    """A new asset in its registry."""

    def make(kind: str, types: str, *args: Any) -> str:
        chain = local.chain.chain
        registry = "0x" + chain.call(hub.network.hub, f"{kind.lower()}registry()")[-40:]
        predicted = chain.call(registry, f"predict{kind}{types}", *args)
        chain.send(args[0], registry, calldata(f"create{kind}{types}", *args))
        return to_checksum_address("0x" + predicted[-40:])

    return make


@pytest.fixture
def dataset(register: Callable[..., str], local: Any) -> str:
    owner = local.people["buyer"].address
    return register("Dataset", "(address,string,bytes,bytes32)", owner, new_salt(), b"ipfs", bytes(32))


@pytest.fixture
def match_of(local: Any, hub: Hub, requester: Any) -> Callable[..., Match]:
    """A match that costs nothing; what differs is given by order, before it is signed."""
    local.faults.every = "never-initialized"

    def make(
        app: Any = (),
        pool: Any = (),
        request: Any = (),
        dataset: str = Z,
        data: Any = (),
        signer: Any = requester,
    ) -> Match:
        def signed(order: Any, role: str) -> Any:
            return sign_order(order, hub.domain, local.signer(role))

        network = hub.network
        app_order = replace(AppOrder(network.app, 0, 9, NO_TAG, Z, Z, Z, new_salt()), **dict(app))
        pool_order = replace(
            WorkerpoolOrder(network.workerpool, 0, 9, TDX_TAG, 0, 5, Z, Z, Z, new_salt()), **dict(pool)
        )
        params = RequestParams("--nothing").to_json()
        request_order = RequestOrder(
            app_order.app, 0, dataset, 0, Z, 0, signer.address, 2, NO_TAG, 0, 1, signer.address, Z, params, new_salt()
        )
        data_order = NULL_DATASET
        if dataset != Z:
            data_order = signed(
                replace(DatasetOrder(dataset, 0, 9, NO_TAG, Z, Z, Z, new_salt()), **dict(data)), "buyer"
            )
        return Match(
            signed(app_order, "app_owner"),
            data_order,
            signed(pool_order, "pool_owner"),
            sign_order(replace(request_order, **dict(request)), hub.domain, signer),
        )

    return make


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("01", {"pool": {"category": 99}, "request": {"category": 99}}),
        ("03", {"app": {"appprice": 1}}),
        ("05", {"pool": {"workerpoolprice": 1}}),
        ("06", {"request": {"tag": "0x" + "00" * 30 + "0100"}}),
        ("13", {"app": {"datasetrestrict": NOBODY}}),
        ("14", {"app": {"workerpoolrestrict": NOBODY}}),
        ("15", {"app": {"requesterrestrict": NOBODY}}),
        ("19", {"pool": {"apprestrict": NOBODY}}),
        ("1a", {"pool": {"datasetrestrict": NOBODY}}),
        ("1b", {"pool": {"requesterrestrict": NOBODY}}),
        ("12", {"request": {"workerpool": NOBODY}}),
        ("60", {"app": {"volume": 0}}),
        ("60", {"request": {"volume": 0}}),
    ],
)
def test_refusals_are_the_contracts_own(hub: Hub, match_of: Callable[..., Match], code: str, change: Any) -> None:
    same_refusal(hub, match_of(**change), code)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("04", {"datasetprice": 1}),
        ("16", {"apprestrict": NOBODY}),
        ("17", {"workerpoolrestrict": NOBODY}),
        ("18", {"requesterrestrict": NOBODY}),
        ("60", {"volume": 0}),
    ],
)
def test_refusals_of_datasets(
    hub: Hub, match_of: Callable[..., Match], dataset: str, code: str, change: dict[str, Any]
) -> None:
    same_refusal(hub, match_of(dataset=dataset, data=change), code)


def same_refusal(hub: Hub, match: Match, code: str) -> None:
    with pytest.raises(OrderRefused) as ours:
        preflight(hub, match)
    with pytest.raises(OrderRefused) as theirs:
        hub.build_match(match, 0)
    assert ours.value.details["contract"] == theirs.value.details["contract"] == f"0x{code}"
    assert ours.value.title == theirs.value.title


def test_assets_that_are_not_there(hub: Hub, match_of: Callable[..., Match], place: Callable[[str], str]) -> None:
    for code, change in (
        ("20", {"app": {"app": NOBODY}}),
        ("40", {"pool": {"workerpool": NOBODY}}),
        ("30", {"dataset": NOBODY}),
    ):
        with pytest.raises(OrderRefused) as refused:
            preflight(hub, match_of(**change))
        assert refused.value.details["contract"] == f"0x{code}"


def test_an_asset_that_nobody_registered(hub: Hub, match_of: Callable[..., Match], place: Any, local: Any) -> None:
    """It has an owner, and that is all: the trial says what the checks cannot see."""
    owned = "0x73" + local.people["app_owner"].address[2:] + "60005260206000f3"
    same_refusal(hub, match_of(app={"app": place(owned)}), "20")


def test_a_dataset_is_bought_with_the_rest(
    hub: Hub, match_of: Callable[..., Match], buy: Callable[..., Any], dataset: str
) -> None:
    match = match_of(dataset=dataset)
    assert preflight(hub, match).volume == 2
    assert buy(match)[0].dataset == dataset
    forged = replace(match, dataset=replace(match.dataset, sign=match.app.sign))
    same_refusal(hub, replace(forged, request=match_of().request), "11")
    again = match_of(dataset=dataset)
    same_refusal(hub, replace(again, dataset=replace(again.dataset, sign=again.app.sign)), "31")


@pytest.mark.parametrize(
    ("code", "order", "field"),
    [("14", "app", "workerpoolrestrict"), ("1b", "pool", "requesterrestrict"), ("12", "request", "workerpool")],
)
def test_a_restriction_may_be_a_group(
    hub: Hub, match_of: Callable[..., Match], buy: Any, place: Any, requester: Any, code: str, order: str, field: str
) -> None:
    member = requester.address if field == "requesterrestrict" else hub.network.workerpool
    match = match_of(**{order: {field: place(group_of(member))}})
    assert preflight(hub, match).gas
    assert buy(match)
    same_refusal(hub, match_of(**{order: {field: place(group_of(NOBODY))}}), code)
    same_refusal(hub, match_of(**{order: {field: hub.network.rlc}}), code)


def send(hub: Hub, transaction: Any, signer: Any) -> None:
    signed = transaction.signed_by(signer)
    hub.send(signed)
    assert hub.wait(signed.hash).ok


def test_orders_that_were_announced_need_no_signature(
    hub: Hub, match_of: Callable[..., Match], buy: Any, local: Any, requester: Any
) -> None:
    match = match_of()
    bare = Match(
        replace(match.app, sign="0x"),
        NULL_DATASET,
        replace(match.workerpool, sign="0x"),
        replace(match.request, sign="0x"),
    )
    with pytest.raises(OrderRefused, match="malformed"):
        preflight(hub, bare)
    for role, order in (("app_owner", bare.app), ("pool_owner", bare.workerpool)):
        signer = local.signer(role)
        send(hub, hub.build_operation(order, SIGN, signer.address), signer)
    assert preflight(hub, bare).volume == 2
    with pytest.raises(OrderRefused, match="malformed"):
        preflight(hub, bare, presigned=True)
    send(hub, hub.build_operation(bare.request, SIGN, requester.address), requester)
    assert preflight(hub, bare, presigned=True).gas
    assert buy(bare)[0].bot_size == 2


@pytest.mark.parametrize("kind", ["app", "workerpool", "dataset", "request"])
def test_each_kind_of_order_can_be_closed_by_a_messenger(
    hub: Hub, match_of: Callable[..., Match], dataset: str, local: Any, requester: Any, kind: str
) -> None:
    owner = {"app": "app_owner", "workerpool": "pool_owner", "dataset": "buyer", "request": "requester"}[kind]
    match = match_of(dataset=dataset)
    order = getattr(match, kind)
    signature = sign_operation(order, CLOSE, hub.domain, local.signer(owner))
    messenger = local.signer("admin")
    with pytest.raises(NatronIExecError):
        hub.build_operation(order, CLOSE, messenger.address)
    send(hub, hub.build_operation(order, CLOSE, messenger.address, signature), messenger)
    assert hub.consumed([hash_order(order, hub.domain)])[hash_order(order, hub.domain)] == order.volume
    same_refusal(hub, match, "60")
    assert hash_operation(order, CLOSE, hub.domain) != hash_operation(order, SIGN, hub.domain)


def test_a_contract_may_be_the_requester(
    hub: Hub, match_of: Callable[..., Match], buy: Any, place: Any, requester: Any
) -> None:
    """Its signature is what it says is one (ERC-1271)."""
    wallet = place(TRUSTING)
    match = match_of(request={"requester": wallet, "beneficiary": wallet, "volume": 1})
    match = replace(match, request=replace(match.request, sign="0x5a"))
    assert preflight(hub, match).volume == 1
    transaction = hub.transaction(requester.address, hub.network.hub, hub.match_calldata(match), "match")
    send(hub, transaction, requester)
    assert hub.deals_of_request(hash_order(match.request, hub.domain), 1)[0].requester == wallet
    stranger = place("0x60006000fd")
    match = match_of(request={"requester": stranger, "beneficiary": stranger})
    same_refusal(hub, match, "50")


@pytest.mark.parametrize("part", ["app", "workerpool", "request"])
def test_a_malformed_signature_is_said_so(hub: Hub, match_of: Callable[..., Match], part: str) -> None:
    match = match_of()
    match = replace(match, **{part: replace(getattr(match, part), sign="0x1234")})
    with pytest.raises(OrderRefused, match="malformed") as ours:
        preflight(hub, match)
    with pytest.raises(OrderRefused) as theirs:
        hub.build_match(match, 0)
    assert ours.value.title == theirs.value.title


def test_an_app_that_was_sold_is_sold_by_its_new_owner(
    hub: Hub, match_of: Callable[..., Match], register: Callable[..., str], local: Any
) -> None:
    """Its old owner is forgotten with the first refusal."""
    seller, buyer = local.people["app_owner"].address, local.people["buyer"].address
    app = register("App", "(address,string,string,bytes,bytes32,bytes)", seller, new_salt(), "", b"", bytes(32), b"")
    assert preflight(hub, match_of(app={"app": app})).volume == 2
    registry = "0x" + local.chain.chain.call(hub.network.hub, "appregistry()")[-40:]
    sale = calldata("transferFrom(address,address,uint256)", seller, buyer, int(app, 16))
    local.chain.chain.send(seller, registry, sale)
    old = match_of(app={"app": app})
    new = replace(old, app=sign_order(old.app, hub.domain, local.signer("buyer")))
    with pytest.raises(OrderRefused) as refused:
        preflight(hub, new)
    assert refused.value.details["contract"] == "0x21"
    assert preflight(hub, new).volume == 2
    same_refusal(hub, old, "21")


def test_datasets_and_requests_of_the_book(
    hub: Hub, market: Any, match_of: Callable[..., Match], dataset: str, local: Any, requester: Any
) -> None:
    match = match_of(dataset=dataset)
    market.publish("dataset", match.dataset, local.signer("buyer"))
    assert [row.order for row in market.dataset_orders(dataset)] == [match.dataset]
    order_hash = market.publish("request", match.request, requester)
    listed = market.request_orders(requester=requester.address, category=0, dataset=dataset)
    assert order_hash in [row.order_hash for row in listed]
    market.unpublish("request", order_hash, requester)
