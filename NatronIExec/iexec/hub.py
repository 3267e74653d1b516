"""The chain: everything that is read from and sent to an iExec hub.

Reads are grouped into JSON-RPC batches, so that a purchase takes few HTTP requests whatever its size. A transaction is
signed before it is sent, its hash known and recorded by the caller; it is sent once and then looked up.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Callable, Sequence

from NatronIExec.errors import RpcError, ServiceError, WrongChain
from NatronIExec.iexec import abi, deposit_and_match
from NatronIExec.iexec.decoding import address_of, block_of, deal_of, task_of
from NatronIExec.iexec.interface import Interface
from NatronIExec.iexec.jsonrpc import Call, is_reverted, words_of
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.orders import CLOSE, KINDS, Domain, deal_id, domain_separator, order_tuple, task_id
from NatronIExec.iexec.records import (
    Account,
    Balances,
    Block,
    Category,
    Deal,
    Match,
    Order,
    RequestOrder,
    Task,
)
from NatronIExec.iexec.reverts import explain, explained
from NatronIExec.iexec.transactions import (
    GAS_HEADROOM,
    MATCH_GAS,
    Fees,
    Receipt,
    SignedTransaction,
    Transaction,
    fees_of,
    receipt_of,
)
from NatronIExec.iexec.transport import Transport

#: Mainnet has five. Asking for one that does not exist fails that call only.
FIRST_CATEGORIES = 8
#: The network's owners add a category every few years; a node that reports more than this is lying.
MOST_CATEGORIES = 256
#: viewTask calls a batch: larger answers are cut off by public nodes.
TASKS_A_BATCH = 500
#: ERC-734 purpose of those who belong to a group (PoCo IexecPocoAccessorsFacet.groupmember_purpose).
GROUP_MEMBER = 4


class Hub:
    """One network's hub through one transport. Methods raise Unreachable, ServiceError or what `reverts` explains."""

    def __init__(self, network: Network, transport: Transport) -> None:
        self.network = network
        self.domain = Domain(network.chain_id, network.hub)
        self.transport = transport
        self._hub, self._asset, self._token = Interface(abi.HUB), Interface(abi.ASSET), Interface(abi.TOKEN)
        self._owners: dict[str, str] = {}
        self._one_transaction: bool | None = None

    # reading

    def check(self) -> list[Category]:
        """Raises WrongChain when the endpoint serves another chain, or the hub's EIP-712 domain is not ours. Returns
        the first categories, which every caller needs next and which fit into the same request."""
        known: list[Call] = [("eth_chainId", []), self.view("eip712domain_separator")]
        known.append(deposit_and_match.question(self.network))
        wanted = [self.view("viewCategory", number) for number in range(FIRST_CATEGORIES)]
        answers = self.transport.rpc_batch_raw(self.network.rpc, [*known, *wanted])
        chain, separator, one_transaction, *categories = answers
        if isinstance(separator, RpcError) and is_reverted(separator):
            separator = ""  # a contract, but not an iExec hub
        for answer in (chain, separator):
            if isinstance(answer, RpcError):
                raise answer
        self._require_ours(chain, separator)
        self._one_transaction = deposit_and_match.understood(one_transaction)
        there = itertools.takewhile(lambda answer: not isinstance(answer, RpcError), categories)
        return [self._category(number, answer) for number, answer in enumerate(there)]

    def _require_ours(self, chain: str, separator: str) -> None:
        if int(chain, 16) != self.network.chain_id:
            raise WrongChain(
                f"The RPC endpoint serves chain {int(chain, 16)}; {self.network.title} is {self.network.chain_id}.",
                "Correct the RPC endpoint in the settings.",
            )
        if separator != domain_separator(self.domain):
            raise WrongChain(
                f"The hub {self.network.hub} is not the iExec hub of {self.network.title}.",
                "Correct the hub's address in the network's file.",
            )

    def view(self, name: str, *args: Any, to: str = "", contract: Interface | None = None) -> Call:
        """One eth_call for a batch. Some nodes want a sender, so there always is one."""
        data = (contract or self._hub).encode(name, args)
        return "eth_call", [{"from": self.network.hub, "to": to or self.network.hub, "data": data}, "latest"]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self.transport.rpc_batch(self.network.rpc, calls)

    def decode(self, name: str, answer: str) -> Any:
        """The outputs of the hub's `name`, a single one unwrapped."""
        return self._hub.decode(name, answer)

    def block(self) -> Block:
        return block_of(self.transport.rpc(self.network.rpc, "eth_getBlockByNumber", ["latest", False]))

    def categories(self) -> list[Category]:
        count = self.decode("countCategory", self.batch([self.view("countCategory")])[0])
        if count > MOST_CATEGORIES:
            raise ServiceError(f"The chain claims to have {count} time categories.", "Check the RPC endpoint.")
        answers = self.batch([self.view("viewCategory", number) for number in range(count)])
        return [self._category(number, answer) for number, answer in enumerate(answers)]

    def category(self, number: int) -> Category:
        return self._category(number, self.batch([self.view("viewCategory", number)])[0])

    def _category(self, number: int, answer: str) -> Category:
        name, description, timeref = self.decode("viewCategory", answer)
        return Category(number, name, description, timeref)

    def account(self, address: str) -> Account:
        return Account(*self.decode("viewAccount", self.batch([self.view("viewAccount", address)])[0]))

    def balances(self, address: str) -> Balances:
        """Wallet and escrow in one request."""
        rlc, account, wei = self.batch(self.balance_calls(address))
        return self.balances_of(rlc, account, wei)

    def balances_of(self, rlc: str, account: str, wei: str) -> Balances:
        """The answers to `balance_calls`."""
        stake, locked = self.decode("viewAccount", account)
        return Balances(self._token.decode("balanceOf", rlc), stake, locked, int(wei, 16))

    def balance_calls(self, address: str) -> list[Call]:
        """RLC in the wallet, (stake, locked), wei: the calls behind `balances`."""
        return [
            self.view("balanceOf", address, to=self.network.rlc, contract=self._token),
            self.view("viewAccount", address),
            ("eth_getBalance", [address, "latest"]),
        ]

    def owner_call(self, asset: str) -> Call:
        return self.view("owner", to=asset, contract=self._asset)

    def owners(self, assets: Sequence[str]) -> list[str]:
        """The owners of apps, datasets or worker groups, in order. Cached until `forget_owners`."""
        missing = [asset for asset in dict.fromkeys(assets) if asset not in self._owners]
        if missing:
            answers = self.batch([self.owner_call(asset) for asset in missing])
            self._owners.update({asset: address_of(answer) for asset, answer in zip(missing, answers)})
        return [self._owners[asset] for asset in assets]

    def forget_owners(self) -> None:
        """Call this when an order was refused: its asset may have a new owner."""
        self._owners.clear()

    def member_call(self, group: str, account: str) -> Call:
        """Whether `account` belongs to an ERC-734 group, for `is_member`."""
        key = "0x" + account[2:].rjust(64, "0")
        return self.view("keyHasPurpose", key, GROUP_MEMBER, to=group, contract=self._asset)

    def is_member(self, answer: Any) -> bool:
        """The answer to `member_call`. An address that is not an ERC-734 group counts as empty, be it a plain account
        or a contract without keyHasPurpose."""
        try:
            return not isinstance(answer, RpcError) and bool(self._asset.decode("keyHasPurpose", answer))
        except ServiceError:
            return False

    @staticmethod
    def nonce_call(address: str) -> Call:
        """The nonce of the next transaction; transactions that are not mined yet are counted."""
        return "eth_getTransactionCount", [address, "pending"]

    def nonce(self, address: str) -> int:
        """How many transactions of `address` were mined."""
        return int(self.transport.rpc(self.network.rpc, "eth_getTransactionCount", [address, "latest"]), 16)

    def consumed(self, order_hashes: Sequence[str]) -> dict[str, int]:
        """How much of each order the chain has seen used."""
        answers = self.batch([self.view("viewConsumed", order_hash) for order_hash in order_hashes])
        found = [self.decode("viewConsumed", answer) for answer in answers]
        return dict(zip(order_hashes, found))

    def deal(self, dealid: str) -> Deal | None:
        return self.deals([dealid])[0]

    def deals(self, dealids: Sequence[str]) -> list[Deal | None]:
        answers = self.batch([self.view("viewDeal", dealid) for dealid in dealids])
        return [deal_of(dealid, self.decode("viewDeal", answer)) for dealid, answer in zip(dealids, answers)]

    def deals_of_request(self, request_hash: str, volume: int) -> list[Deal]:
        """All deals made with a request order of `volume` tasks, no matter who sent the match. A deal's id is computed
        from the order's hash and the number of tasks sold before, so nothing has to be remembered (PoCo
        IexecPoco1Facet)."""
        bought: list[Deal] = []
        first = 0
        while first < volume and (deal := self.deal(deal_id(request_hash, first))) is not None:
            bought.append(deal)
            first += deal.bot_size
        return bought

    def tasks(self, wanted: Sequence[tuple[str, int]]) -> list[Task]:
        """(dealid, index) → Task, in the order given."""
        found: list[Task] = []
        for at in range(0, len(wanted), TASKS_A_BATCH):
            part = [(task_id(dealid, index), dealid, index) for dealid, index in wanted[at : at + TASKS_A_BATCH]]
            answers = self.batch([self.view("viewTask", taskid) for taskid, _, _ in part])
            found += [task_of(*which, self.decode("viewTask", answer)) for which, answer in zip(part, answers)]
        return found

    def fees(self) -> Fees:
        return fees_of(*self.batch(self.fee_calls()))

    @staticmethod
    def fee_calls() -> list[Call]:
        return [("eth_getBlockByNumber", ["latest", False]), ("eth_gasPrice", [])]

    # sending

    def ready_transaction(self, to: str, data: str, what: str, gas: int, nonce: int, fees: Fees) -> Transaction:
        """An unsigned transaction whose gas, nonce and fees are known; asks the node nothing."""
        return Transaction(
            to=to,
            data=data,
            gas=gas,
            nonce=nonce,
            max_fee_wei=fees.max_fee_wei,
            priority_fee_wei=fees.priority_fee_wei,
            chain_id=self.network.chain_id,
            what=what,
        )

    def transaction(
        self, sender: str, to: str, data: str, what: str, nonce: int | None = None, gas: int | None = None
    ) -> Transaction:
        """A transaction ready to sign, gas estimated unless given. A refusal is explained before anything is paid."""
        calls: list[Call] = [*self.fee_calls(), self.nonce_call(sender)]
        if gas is None:
            calls.append(("eth_estimateGas", [{"from": sender, "to": to, "data": data}]))
        answers = self.transport.rpc_batch_raw(self.network.rpc, calls)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise explained(answer) from answer
        fees = fees_of(answers[0], answers[1])
        limit = gas if gas is not None else int(int(answers[3], 16) * GAS_HEADROOM)
        return self.ready_transaction(to, data, what, limit, int(answers[2], 16) if nonce is None else nonce, fees)

    def encode(self, name: str, *args: Any) -> str:
        """Calldata of a hub function."""
        return self._hub.encode(name, args)

    def match_calldata(self, match: Match) -> str:
        return self.encode(
            "matchOrders", *(order_tuple(o) for o in (match.app, match.dataset, match.workerpool, match.request))
        )

    def approve_and_call(
        self, sender: str, amount_nrlc: int, calldata: str, what: str, gas: int | None = None
    ) -> Transaction:
        """The RLC token moves `amount_nrlc` into escrow and, on a hub >= 6.2, runs `calldata` (a match) with it."""
        data = self._token.encode("approveAndCall", [self.network.hub, amount_nrlc, calldata])
        return self.transaction(sender, self.network.rlc, data, what, gas=gas)

    def build_match(
        self, match: Match, deposit_nrlc: int, nonce: int | None = None, fees: Fees | None = None, gas: int = 0
    ) -> list[Transaction]:
        """The transactions that buy the deal: a match alone if nothing has to be deposited, one combined transaction on
        a hub that can deposit and match at once, else a deposit and a match. Exactly `deposit_nrlc` is approved, never
        more. If `nonce`, `fees` and `gas` are given (from a preflight), the node is not asked again."""
        sender = match.request.requester
        calldata = self.match_calldata(match)
        if not deposit_nrlc:
            if nonce is not None and fees is not None and gas:
                return [self.ready_transaction(self.network.hub, calldata, "match", gas, nonce, fees)]
            return [self.transaction(sender, self.network.hub, calldata, "match")]
        if self.buys_with_deposit():
            return [self.approve_and_call(sender, deposit_nrlc, calldata, "deposit and match")]
        deposit = self.build_deposit(sender, deposit_nrlc)
        follow = self.transaction(sender, self.network.hub, calldata, "match", nonce=deposit.nonce + 1, gas=MATCH_GAS)
        return [deposit, follow]

    def buys_with_deposit(self) -> bool:
        """Whether the hub deposits and matches in one transaction; False while that is not certain, since two
        transactions do on every hub."""
        if self._one_transaction is None:
            asked = self.transport.rpc_batch_raw(self.network.rpc, [deposit_and_match.question(self.network)])
            self._one_transaction = deposit_and_match.understood(asked[0])
        return bool(self._one_transaction)

    def build_deposit(self, sender: str, amount_nrlc: int) -> Transaction:
        return self.approve_and_call(sender, amount_nrlc, "0x", "deposit")

    def build_withdraw(self, sender: str, amount_nrlc: int) -> Transaction:
        return self.transaction(sender, self.network.hub, self.encode("withdraw", amount_nrlc), "withdraw")

    def build_close(self, order: RequestOrder) -> Transaction:
        """Close what is left of a request order, so that nobody can buy with it any more. Sent by the requester."""
        return self.build_operation(order, CLOSE, order.requester)

    def build_operation(self, order: Order, operation: int, sender: str, signature: str = "0x") -> Transaction:
        """Announce an order to the hub instead of a signature in it (SIGN), or end it for good (CLOSE). Sent by the
        asset's owner or the requester; by anybody with their `signature` of the operation (`orders.sign_operation`)."""
        kind = next(name for name, record in KINDS.items() if isinstance(order, record))
        data = self.encode(f"manage{kind.capitalize()}Order", (order_tuple(order), operation, signature))
        return self.transaction(sender, self.network.hub, data, "close" if operation == CLOSE else "announce")

    def send(self, signed: SignedTransaction) -> None:
        """Hand a signed transaction to the node, without retries. Sending the same one again is harmless and no error.
        `receipt` says whether it was mined."""
        try:
            self.transport.rpc(self.network.rpc, "eth_sendRawTransaction", [signed.raw], retry=False)
        except RpcError as problem:
            words = words_of(problem).lower()
            if not any(mark in words for mark in ("already known", "already imported", "nonce too low")):
                raise explained(problem) from problem

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """None while it is not mined."""
        found = self.transport.rpc(self.network.rpc, "eth_getTransactionReceipt", [transaction_hash])
        return receipt_of(found) if found else None

    def wait(
        self,
        transaction_hash: str,
        give_up: Callable[[], bool] = lambda: False,
        pause: Callable[[float], object] = time.sleep,
    ) -> Receipt | None:
        """Poll until the transaction is mined, first every 20 ms, later every 2 s. None once `give_up()` is true.
        Raises OrderRefused if the transaction failed."""
        wait_s = 0.02
        while (receipt := self.receipt(transaction_hash)) is None:
            if give_up():
                return None
            pause(wait_s)
            wait_s = min(2.0, wait_s * 1.5)
        if not receipt.ok:
            raise explain(f"transaction {transaction_hash} failed")
        return receipt
