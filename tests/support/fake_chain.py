"""A chain and its market in memory, small enough to read: the rules of a purchase, of tasks and of refunds.

It stands behind `Transport`, so that the real Hub, preflight, BagWatch and Market run on it unchanged. What it is sent
is checked as the contracts check it: signatures, nonces, prices, what is left of an order, money, deadlines. It holds
what the local iExec holds to the tests of `test_hub_contract.py`. No time passes but by `advance`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account as Accounts
from eth_account.typed_transactions import TypedTransaction
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from NatronIExec.errors import RpcError
from NatronIExec.iexec import abi
from NatronIExec.iexec.hub import Hub
from NatronIExec.iexec.interface import _type
from NatronIExec.iexec.jsonrpc import Call
from NatronIExec.iexec.market import Market
from NatronIExec.iexec.network import NO_TAG, Network
from NatronIExec.iexec.orders import (
    KINDS,
    deal_id,
    domain_separator,
    hash_order,
    new_salt,
    sign_order,
    task_id,
    to_json,
)
from NatronIExec.iexec.records import ZERO_ADDRESS, AppOrder, Order, TaskStatus, WorkerpoolOrder
from NatronIExec.iexec.transport import Transport
from NatronIExec.wallet.signer import KeySigner

CHAIN_ID = 31338
HUB, RLC = to_checksum_address("0x" + "c1" * 20), to_checksum_address("0x" + "c2" * 20)
APP, POOL = to_checksum_address("0x" + "a1" * 20), to_checksum_address("0x" + "b1" * 20)
#: (name, seconds that one task may run)
CATEGORIES = (("XS", 300), ("S", 1200))
GAS, GAS_PRICE_WEI, BASE_FEE_WEI = 200_000, 1_500_000_000, 1_000_000_000
APP_PRICE_NRLC, POOL_PRICE_NRLC = 1_000_000, 10_000_000
START_S = 1_790_000_000
NETWORK = Network(
    name="local", title="Fake chain", chain_id=CHAIN_ID, test=True, rpc="http://fake/rpc", hub=HUB, rlc=RLC,
    market="http://fake/market", sms="http://fake/sms", ipfs="http://fake/ipfs", gateway="http://fake/gateway",
    app=APP, app_single="", workerpool=POOL,
)  # fmt: skip


class Reverted(Exception):
    """A contract refuses: with words, or with the selector of a custom error."""

    def __init__(self, words: str = "", error: str = "") -> None:
        super().__init__(words)
        self.data = "0x" + function_signature_to_4byte_selector(error).hex() + "00" * 32 if error else ""


_RECEIVE = "0x" + function_signature_to_4byte_selector("receiveApproval(address,uint256,address,bytes)").hex()


def signer(number: int) -> KeySigner:
    return KeySigner(keccak(text=f"fake account {number}"))


REQUESTER, APP_OWNER, POOL_OWNER = signer(1), signer(2), signer(3)
OWNERS = {APP: APP_OWNER.address, POOL: POOL_OWNER.address}


@dataclass
class Money:
    wallet: int = 0
    stake: int = 0
    locked: int = 0
    wei: int = 10**18


@dataclass
class World:
    """All that a transaction can change; a trial runs on a copy."""

    money: dict[str, Money] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    consumed: dict[str, int] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    block: int = 1
    now_s: int = START_S


class _Contract:
    """Decodes calls and encodes answers: the other half of `iexec.interface`."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.by_selector: dict[bytes, tuple[str, list[str], list[str]]] = {}
        for entry in entries:
            if entry["type"] == "function":
                inputs, outputs = ([_type(part) for part in entry[side]] for side in ("inputs", "outputs"))
                selector = function_signature_to_4byte_selector(f"{entry['name']}({','.join(inputs)})")
                self.by_selector[selector] = (entry["name"], inputs, outputs)

    def read(self, data: str) -> tuple[str, tuple[Any, ...], list[str]]:
        raw = bytes.fromhex(data[2:])
        name, inputs, outputs = self.by_selector[raw[:4]]
        return name, decode(inputs, raw[4:]), outputs


_CONTRACT = _Contract([*abi.HUB, *abi.ASSET, *abi.TOKEN])


class FakeNode(Transport):
    """`held` transactions wait until `mine`; `refuse` answers a method with a node's words instead."""

    def __init__(self) -> None:
        super().__init__(sleep=lambda _: None)
        self.network = NETWORK
        self.hub = Hub(NETWORK, self)
        self.market = Market(NETWORK, self)
        self.world = World(money={signer.address: Money(10**12, 0) for signer in (REQUESTER, APP_OWNER)})
        self.world.money[POOL_OWNER.address] = Money(0, 10**15)
        self.orders: dict[str, list[Order]] = {"app": [], "workerpool": []}
        self.holding = False
        self.held: list[str] = []
        self.refuse: dict[str, tuple[int, str]] = {}
        self.sell()

    # what tests do

    def sell(self, volume: int = 1000, price_nrlc: int = POOL_PRICE_NRLC, **changes: Any) -> WorkerpoolOrder:
        """The only orders of app and worker group from now on, beside those that were sold before."""
        z = ZERO_ADDRESS
        app = AppOrder(APP, APP_PRICE_NRLC, 10**6, NO_TAG, z, z, z, new_salt())
        pool = replace(WorkerpoolOrder(POOL, price_nrlc, volume, NO_TAG, 0, 1, z, z, z, new_salt()), **changes)
        signed = sign_order(pool, self.hub.domain, POOL_OWNER)
        self.orders["workerpool"].append(signed)
        self.orders["app"] = self.orders["app"] or [sign_order(app, self.hub.domain, APP_OWNER)]
        return signed

    def advance(self, seconds: int, blocks: int = 1) -> None:
        self.world.now_s += seconds
        self.world.block += blocks

    def mine(self) -> None:
        """What was held, in the order of the nonces; a second one of the same nonce is gone for good."""
        held, self.held, self.holding = self.held, [], False
        for raw in sorted(held, key=lambda raw: (_fields(raw)["nonce"], -_fields(raw)["maxFeePerGas"])):
            if _fields(raw)["nonce"] == self.world.nonces.get(_sender(raw), 0):
                self._mine(raw)

    def begin(self, dealid: str, index: int, worker: str = ZERO_ADDRESS) -> None:
        taskid = self._initialize(self.world, dealid, index)
        self._log(self.world, "TaskContribute(bytes32,address,bytes32)", taskid, topics=[_word(worker)])
        self.world.block += 1

    def finish(self, dealid: str, index: int, results: bytes, digest: bytes) -> None:
        """As a worker and the scheduler would: the digest is told when it is revealed."""
        self.begin(dealid, index)
        taskid = task_id(dealid, index)
        self._log(self.world, "TaskReveal(bytes32,address,bytes32)", taskid, "0x" + digest.hex(), [_word(ZERO_ADDRESS)])
        data = "0x" + encode(["bytes"], [results]).hex()
        self._log(self.world, "TaskFinalize(bytes32,bytes)", taskid, data)
        self.world.tasks[taskid].update(status=TaskStatus.COMPLETED, results=results, digest=digest)
        deal = self.world.deals[dealid]
        self._money(self.world, deal["requester"]).locked -= deal["price"]
        self.world.block += 1

    # the node

    def rpc_batch_raw(self, url: str, calls: Sequence[Call], retry: bool = True) -> list[Any]:
        assert url == self.network.rpc, url
        self.requests_sent += 1
        return [self._answer(method, params) for method, params in calls]

    def get_json(self, url: str, params: Mapping[str, Any] | None = None, **_: Any) -> Any:
        """The market: open orders, cheapest first."""
        self.requests_sent += 1
        kind = url.rsplit("/", 1)[1].removesuffix("orders")
        rows = []
        for order in self.orders[kind]:
            order_hash = hash_order(order, self.hub.domain)
            left = order.volume - self.world.consumed.get(order_hash, 0)
            if left > 0:
                rows.append({"order": to_json(order), "orderHash": order_hash, "remaining": left, "status": "open"})
        return {"orders": sorted(rows, key=lambda row: row["order"][f"{kind}price"])}

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        if method in self.refuse:
            code, words = self.refuse[method]
            return RpcError(words, rpc_code=code, message=words)
        try:
            return getattr(self, "_" + method.split("_")[1])(*params)
        except Reverted as refusal:
            words = f"execution reverted: {refusal}"
            return RpcError(words, rpc_code=3, message=words, data=refusal.data)

    def _chainId(self) -> str:
        return hex(CHAIN_ID)

    def _gasPrice(self) -> str:
        return hex(GAS_PRICE_WEI)

    def _getBlockByNumber(self, which: str, full: bool) -> dict[str, str]:
        number, now_s = self.world.block, self.world.now_s
        return {"number": hex(number), "timestamp": hex(now_s), "baseFeePerGas": hex(BASE_FEE_WEI)}

    def _getBalance(self, address: str, at: str) -> str:
        return hex(self._money(self.world, address).wei)

    def _getTransactionCount(self, address: str, at: str) -> str:
        pending = sum(_sender(raw) == address for raw in self.held) if at == "pending" else 0
        return hex(self.world.nonces.get(address, 0) + pending)

    def _estimateGas(self, call: Mapping[str, Any]) -> str:
        self._run(copy.deepcopy(self.world), to_checksum_address(call["from"]), call["to"], call["data"])
        return hex(GAS)

    def _getTransactionReceipt(self, transaction_hash: str) -> dict[str, Any] | None:
        return self.world.receipts.get(transaction_hash)

    def _getLogs(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        last = self.world.block if wanted["toBlock"] == "latest" else int(wanted["toBlock"], 16)
        topics = [set(one) for one in wanted["topics"]]
        return [
            log
            for log in self.world.logs
            if int(wanted["fromBlock"], 16) <= int(log["blockNumber"], 16) <= last
            and all(topic in some for topic, some in zip(log["topics"], topics))
        ]

    def _sendRawTransaction(self, raw: str) -> str:
        fields, sender = _fields(raw), _sender(raw)
        transaction_hash = "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        if fields["chainId"] != CHAIN_ID:
            raise Reverted("invalid chain id")
        if transaction_hash in self.world.receipts or raw in self.held:
            return self._words(-32000, "already known")
        if fields["nonce"] < self.world.nonces.get(sender, 0):
            return self._words(-32000, "nonce too low")
        if fields["gas"] * fields["maxFeePerGas"] > self._money(self.world, sender).wei:
            return self._words(-32000, "insufficient funds for gas * price + value")
        if self.holding:
            self.held.append(raw)
        else:
            self._mine(raw)
        return transaction_hash

    @staticmethod
    def _words(code: int, words: str) -> Any:
        return RpcError(words, rpc_code=code, message=words)

    def _mine(self, raw: str) -> None:
        fields, sender = _fields(raw), _sender(raw)
        transaction_hash = "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        tried = copy.deepcopy(self.world)
        try:
            self._run(tried, sender, to_checksum_address("0x" + fields["to"].hex()), "0x" + fields["data"].hex())
            self.world, ok = tried, True
        except Reverted:
            ok = False
        self.world.block += 1
        self.world.nonces[sender] = fields["nonce"] + 1
        self._money(self.world, sender).wei -= GAS * GAS_PRICE_WEI
        self.world.receipts[transaction_hash] = {
            "transactionHash": transaction_hash, "status": hex(ok), "blockNumber": hex(self.world.block),
            "gasUsed": hex(GAS), "effectiveGasPrice": hex(GAS_PRICE_WEI), "logs": [],
        }  # fmt: skip

    # the contracts

    def _call(self, call: Mapping[str, Any], at: str) -> str:
        if call["data"].startswith(_RECEIVE):  # with a call that is no match: a hub of PoCo 6.2 knows no other
            raise Reverted(error="UnsupportedOperation(bytes4)")
        name, args, outputs = _CONTRACT.read(call["data"])
        values = getattr(self, f"_view_{name}")(call["to"], *args)
        return "0x" + encode(outputs, values).hex()

    def _view_eip712domain_separator(self, to: str) -> tuple[bytes]:
        return (bytes.fromhex(domain_separator(self.hub.domain)[2:]),)

    def _view_countCategory(self, to: str) -> tuple[int]:
        return (len(CATEGORIES),)

    def _view_viewCategory(self, to: str, number: int) -> tuple[Any]:
        if number >= len(CATEGORIES):
            raise Reverted
        return ((CATEGORIES[number][0], "{}", CATEGORIES[number][1]),)

    def _view_viewConsumed(self, to: str, order_hash: bytes) -> tuple[int]:
        return (self.world.consumed.get("0x" + order_hash.hex(), 0),)

    def _view_viewAccount(self, to: str, address: str) -> tuple[int, int]:
        held = self._money(self.world, address)
        return held.stake, held.locked

    def _view_balanceOf(self, to: str, address: str) -> tuple[int]:
        return (self._money(self.world, address).wallet,)

    def _view_owner(self, to: str) -> tuple[str]:
        return (OWNERS.get(to_checksum_address(to), ZERO_ADDRESS),)

    def _view_keyHasPurpose(self, to: str, key: bytes, purpose: int) -> tuple[bool]:
        raise Reverted

    def _view_verifyPresignatureOrSignature(self, to: str, who: str, order_hash: bytes, sign: bytes) -> tuple[bool]:
        try:
            signed_by = Accounts._recover_hash(order_hash, signature=sign)
        except (BadSignature, ValidationError, ValueError, TypeError):  # none that anybody could have made
            return (False,)
        return (signed_by == to_checksum_address(who),)

    def _view_viewDeal(self, to: str, dealid: bytes) -> tuple[Any]:
        deal = self.world.deals.get("0x" + dealid.hex())
        nobody = (ZERO_ADDRESS, ZERO_ADDRESS, 0)
        if deal is None:
            return ((nobody, nobody, nobody, 0, 0, bytes(32), *[ZERO_ADDRESS] * 3, "", 0, 0, 0, 0, 0, ZERO_ADDRESS),)
        request = deal["request"]
        return (
            (
                (APP, APP_OWNER.address, deal["app_price"]), nobody, (POOL, POOL_OWNER.address, deal["pool_price"]),
                request["trust"], request["category"], bytes(32), deal["requester"], request["beneficiary"],
                request["callback"], request["params"], deal["start_s"], deal["first"], deal["size"], 0, 0,
                ZERO_ADDRESS,
            ),
        )  # fmt: skip

    def _view_viewTask(self, to: str, taskid: bytes) -> tuple[Any]:
        task = self.world.tasks.get("0x" + taskid.hex())
        if task is None:
            return ((0, bytes(32), *[0] * 5, bytes(32), 0, 0, [], bytes(32), b"", 0, b""),)
        deal = self.world.deals[task["dealid"]]
        return (
            (
                int(task["status"]), bytes.fromhex(task["dealid"][2:]), task["index"], deal["timeref"], 0, 0,
                deal["start_s"] + 10 * deal["timeref"], bytes(32), 0, 0, [], task["digest"], task["results"], 0, b"",
            ),
        )  # fmt: skip

    def _run(self, world: World, sender: str, to: str, data: str) -> None:
        name, args, _ = _CONTRACT.read(data)
        getattr(self, f"_do_{name}")(world, sender, *args)

    def _do_approveAndCall(self, world: World, sender: str, spender: str, amount: int, data: bytes) -> None:
        held = self._money(world, sender)
        if held.wallet < amount:
            raise Reverted("ERC20InsufficientBalance")
        held.wallet -= amount
        held.stake += amount
        if data:
            self._run(world, sender, HUB, "0x" + data.hex())

    def _do_withdraw(self, world: World, sender: str, amount: int) -> None:
        held = self._money(world, sender)
        if held.stake < amount:
            raise Reverted("IexecEscrow: Transfer amount exceeds balance")
        held.stake -= amount
        held.wallet += amount

    def _do_matchOrders(self, world: World, sender: str, *orders: Any) -> None:
        app, _, pool, request = (_order(kind, values) for kind, values in zip(abi.ALL_ORDERS, orders))
        hashes = [hash_order(order, self.hub.domain) for order in (app, pool, request)]
        self._check_match(app, pool, request, hashes)
        pairs = list(zip((app, pool, request), hashes))
        volume = min(order.volume - world.consumed.get(order_hash, 0) for order, order_hash in pairs)
        if volume <= 0:
            raise Reverted("iExecV5-matchOrders-0x60")
        price, first = app.appprice + pool.workerpoolprice, world.consumed.get(hashes[2], 0)
        payer = self._money(world, request.requester)
        if payer.stake < price * volume:
            raise Reverted("IexecEscrow: Transfer amount exceeds balance")
        payer.stake -= price * volume
        payer.locked += price * volume
        world.consumed.update({order_hash: world.consumed.get(order_hash, 0) + volume for order_hash in hashes})
        world.deals[deal_id(hashes[2], first)] = {
            "request": vars(request), "requester": request.requester, "price": price, "app_price": app.appprice,
            "pool_price": pool.workerpoolprice, "first": first, "size": volume, "start_s": world.now_s,
            "timeref": CATEGORIES[request.category][1],
        }  # fmt: skip

    def _check_match(self, app: Any, pool: Any, request: Any, hashes: Sequence[str]) -> None:
        rules = (
            ("00", request.category == pool.category),
            ("02", request.trust <= pool.trust),
            ("03", request.appmaxprice >= app.appprice),
            ("05", request.workerpoolmaxprice >= pool.workerpoolprice),
            ("06", int(request.tag, 16) & int(pool.tag, 16) == int(request.tag, 16)),
            ("10", request.app == app.app),
            ("12", request.workerpool in (ZERO_ADDRESS, pool.workerpool)),
            ("1b", pool.requesterrestrict in (ZERO_ADDRESS, request.requester)),
        )
        signed = zip(("21", "41", "50"), (APP_OWNER.address, POOL_OWNER.address, request.requester),
                     hashes, (app.sign, pool.sign, request.sign))  # fmt: skip
        checks = [*rules, *((code, self._signed(who, digest, sign)) for code, who, digest, sign in signed)]
        for code, holds in checks:
            if not holds:
                raise Reverted(f"iExecV5-matchOrders-0x{code}")

    def _signed(self, who: str, order_hash: str, sign: str) -> bool:
        digest, raw = bytes.fromhex(order_hash[2:]), bytes.fromhex(sign[2:])
        return self._view_verifyPresignatureOrSignature(HUB, who, digest, raw)[0]

    def _do_manageRequestOrder(self, world: World, sender: str, operation: Any) -> None:
        request = _order("request", operation[0])
        if sender != request.requester or operation[1] != 1:
            raise Reverted("invalid-sender")
        world.consumed[hash_order(request, self.hub.domain)] = request.volume

    def _do_claimArray(self, world: World, sender: str, taskids: Sequence[bytes]) -> None:
        for taskid in taskids:
            self._claim(world, "0x" + taskid.hex())

    def _do_initializeAndClaimArray(
        self, world: World, sender: str, dealids: Sequence[bytes], indexes: Sequence[int]
    ) -> None:
        for dealid, index in zip(dealids, indexes):
            if task_id("0x" + dealid.hex(), index) in world.tasks:
                raise Reverted
            self._claim(world, self._initialize(world, "0x" + dealid.hex(), index))

    def _claim(self, world: World, taskid: str) -> None:
        task = world.tasks.get(taskid)
        if task is None or task["status"] in (TaskStatus.COMPLETED, TaskStatus.FAILED):
            raise Reverted
        deal = world.deals[task["dealid"]]
        if world.now_s < deal["start_s"] + 10 * deal["timeref"]:
            raise Reverted
        task["status"] = TaskStatus.FAILED
        payer = self._money(world, deal["requester"])
        payer.locked -= deal["price"]
        payer.stake += deal["price"]
        self._log(world, "TaskClaimed(bytes32)", taskid)

    def _initialize(self, world: World, dealid: str, index: int) -> str:
        deal, taskid = world.deals[dealid], task_id(dealid, index)
        assert index in range(deal["first"], deal["first"] + deal["size"])
        if taskid not in world.tasks:
            world.tasks[taskid] = {
                "dealid": dealid, "index": index, "status": TaskStatus.ACTIVE, "digest": bytes(32), "results": b"",
            }  # fmt: skip
            self._log(world, "TaskInitialize(bytes32,address)", taskid, topics=[_word(POOL)])
        return taskid

    @staticmethod
    def _money(world: World, address: str) -> Money:
        return world.money.setdefault(to_checksum_address(address), Money(wei=0))

    @staticmethod
    def _log(world: World, signature: str, taskid: str, data: str = "0x", topics: Sequence[str] = ()) -> None:
        named = ["0x" + keccak(text=signature).hex(), taskid, *topics]
        world.logs.append({"topics": named, "data": data, "blockNumber": hex(world.block + 1)})


def _word(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")


def _order(kind: str, values: Sequence[Any]) -> Any:
    """An order from the ABI's tuple."""
    names = list(KINDS[kind].__dataclass_fields__)
    found = {}
    for name, value in zip(names, values):
        if isinstance(value, bytes):
            value = "0x" + value.hex()
        elif isinstance(value, str) and value.startswith("0x"):
            value = to_checksum_address(value)
        found[name] = value
    return KINDS[kind](**found)


def _fields(raw: str) -> dict[str, Any]:
    return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())


def _sender(raw: str) -> str:
    return str(Accounts.recover_transaction(raw))
