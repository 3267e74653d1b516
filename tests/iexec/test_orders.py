from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from NatronIExec.errors import BadInput
from NatronIExec.iexec import orders
from NatronIExec.iexec.network import BUILT_IN, TDX_TAG
from NatronIExec.iexec.orders import domain_separator
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, RequestOrder, WorkerpoolOrder
from NatronIExec.iexec.sms import requester_challenge
from NatronIExec.wallet.signer import KeySigner

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sepolia.json").read_text())
NETWORK = BUILT_IN["arbitrum-sepolia"]
DOMAIN = orders.Domain(NETWORK.chain_id, NETWORK.hub)
SIGNER = KeySigner(bytes.fromhex(VECTORS["key"][2:]))
APP = "0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa"
POOL = "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"
SALT = "0x" + "22" * 32
PARAMS = '{"iexec_args":"--frame 1","iexec_result_storage_provider":"ipfs"}'
Z = ZERO_ADDRESS

APP_ORDER = AppOrder(APP, 1, 10, TDX_TAG, Z, Z, Z, SALT)
POOL_ORDER = WorkerpoolOrder(POOL, 100, 5, TDX_TAG, 0, 0, Z, Z, Z, SALT)
REQUEST = RequestOrder(
    APP, 1, Z, 0, POOL, 100, SIGNER.address, 3, TDX_TAG, 0, 0, SIGNER.address, Z, PARAMS, SALT
)  # fmt: skip


def test_hashes_equal_the_official_sdks() -> None:
    assert SIGNER.address == VECTORS["signer"]
    assert domain_separator(DOMAIN) == VECTORS["domain_separator"]
    assert orders.hash_order(APP_ORDER, DOMAIN) == VECTORS["app_order_hash"]
    assert orders.hash_order(POOL_ORDER, DOMAIN) == VECTORS["workerpool_order_hash"]
    assert orders.hash_order(REQUEST, DOMAIN) == VECTORS["request_order_hash"]
    assert orders.hash_operation(REQUEST, orders.CLOSE, DOMAIN) == VECTORS["request_close_hash"]


#: IexecLibOrders_v5.sol's constants: of each order, and of the operations on it.
TYPE_HASHES = {
    "app": (
        "60815a0eeec47dddf1615fe53b31d016c31444e01b9d796db365443a6445d008",
        "0638bb0702457e2b4b01be8a202579b8bf97e587fb4f2cc4d4aad01f21a06ee0",
    ),
    "dataset": (
        "6cfc932a5a3d22c4359295b9f433edff52b60703fa47690a04a83e40933dd47c",
        "075eb6f7578ff4292c241bd2484cd5c1d5e6ecc2ddd3317e1d8176b5a45865ec",
    ),
    "workerpool": (
        "aa3429fb281b34691803133d3d978a75bb77c617ed6bc9aa162b9b30920022bb",
        "322d980b7d7a6a1f7c39ff0c5445da6ae1d8e0393ff0dd468c8be3e2c8644388",
    ),
    "request": (
        "f24e853034a3a450aba845a82914fbb564ad85accca6cf62be112a154520fae0",
        "0ded7b52c2d77595a40d242eca751df172b18e686326dbbed3f4748828af77c7",
    ),
}


@pytest.mark.parametrize("kind", TYPE_HASHES)
def test_types_are_the_contracts(kind: str) -> None:
    record = orders.KINDS[kind]
    name, fields = record.__name__, orders.typed_fields(record)
    text = f"{name}({','.join(f['type'] + ' ' + f['name'] for f in fields)})"
    operation = f"{name}Operation({name} order,uint256 operation){text}"
    assert (keccak(text=text).hex(), keccak(text=operation).hex()) == TYPE_HASHES[kind]


def test_signatures_equal_the_official_sdks() -> None:
    assert orders.sign_order(APP_ORDER, DOMAIN, SIGNER).sign == VECTORS["app_order_signature"]
    assert orders.sign_order(REQUEST, DOMAIN, SIGNER).sign == VECTORS["request_order_signature"]


def test_ids_equal_the_official_sdks() -> None:
    deal = orders.deal_id(VECTORS["request_order_hash"], 0)
    assert deal == VECTORS["deal_id"]
    assert orders.task_ids(deal, 0, 3)[1] == VECTORS["task_id_1"]


def test_the_sms_challenge_equals_the_official_sdks() -> None:
    challenge = requester_challenge(SIGNER.address, "my-secret", "my-value")
    assert "0x" + challenge.hex() == VECTORS["sms_requester_challenge"]


def test_the_signature_is_not_part_of_the_hash() -> None:
    assert orders.hash_order(replace(APP_ORDER, sign="0x12"), DOMAIN) == VECTORS["app_order_hash"]


def test_a_closing_operation_is_signed_over_its_own_hash() -> None:
    from eth_account import Account

    signature = orders.sign_operation(REQUEST, orders.CLOSE, DOMAIN, SIGNER)
    recovered = Account._recover_hash(bytes.fromhex(VECTORS["request_close_hash"][2:]), signature=signature)
    assert recovered == SIGNER.address


@pytest.mark.parametrize("order", [APP_ORDER, POOL_ORDER, REQUEST, orders.NULL_DATASET])
def test_orders_survive_json_also_with_numbers_as_text(order: orders.Order) -> None:
    kind = next(name for name, record in orders.KINDS.items() if isinstance(order, record))
    wire = {k: str(v) for k, v in orders.to_json(order).items()}
    assert orders.from_json(kind, wire) == order


@pytest.mark.parametrize("damage", [{"volume": "many"}, {"app": "0x12"}, {"tag": "0x09"}, {"salt": None}])
def test_what_is_no_order_is_refused_in_words(damage: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="no app order"):
        orders.from_json("app", {**orders.to_json(APP_ORDER), **damage})


def test_request_params_always_name_the_storage() -> None:
    assert orders.RequestParams("--frame 1").to_json() == PARAMS
    full = json.loads(orders.RequestParams("x", ("http://h/1",), ((1, "name"),)).to_json())
    assert full["iexec_input_files"] == ["http://h/1"]
    assert full["iexec_secrets"] == {"1": "name"}


@given(*(st.integers(0, 2**256 - 1) for _ in range(3)))
def test_a_deals_tag_is_what_the_contract_makes_of_it(app: int, dataset: int, request: int) -> None:
    tag = int(orders.deal_tag(*(f"0x{bits:064x}" for bits in (app, dataset, request))), 16)
    assert tag & app == app
    assert tag & request == request
    assert tag & 0b1110 == (app | request) & 0b1110
