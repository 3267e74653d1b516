"""The real PoCo contracts on an empty chain: the very bytecode that is on Arbitrum One, at the same addresses.

CreateX, which Arbitrum used, is stood in for by the deployer that anvil ships, put at CreateX's address. The chain
id is never Arbitrum's: the hub's address is equal, so a signature would be valid there.
"""

from __future__ import annotations

import collections
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from NatronIExec.errors import ServiceError
from NatronIExec.iexec.records import ZERO_ADDRESS
from NatronIExec.iexec.transport import Transport

CHAIN_ID = 31337
CREATEX = "0xba5Ed099633D3B313e4D5F7bdc1305d3c28ba5Ed"
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
SALT = keccak(bytes(32))
_MNEMONIC = "test test test test test test test test test test test junk"
#: Names and time references of Arbitrum's categories, and a short one whose refunds can be waited for (30 s).
CATEGORIES = (("XS", 300), ("S", 1200), ("M", 3600), ("L", 10800), ("XL", 36000), ("short", 3))
SHORT_CATEGORY = 5
_FACETS = (
    "IexecAccessorsABILegacyFacet",
    "IexecCategoryManagerFacet",
    "IexecConfigurationExtraFacet",
    "IexecConfigurationFacet",
    "IexecERC20Facet",
    "IexecEscrowTokenFacet",
    "IexecOrderManagementFacet",
    "IexecPoco1Facet",
    "IexecPoco2Facet",
    "IexecPocoAccessorsFacet",
    "IexecRelayFacet",
)
_BASE_FACETS = ("DiamondCutFacet", "DiamondLoupeFacet", "OwnershipFacet")
#: RLC of each kind of account at the start, in nRLC: in the wallet, and staked. Those who buy have staked nothing yet:
#: what they buy is deposited with the purchase.
BUYERS = ("requester", "buyer")
BUYER = (1100 * 10**9, 0)
RICH = (1000 * 10**9, 100 * 10**9)
POOL = (0, 100_000 * 10**9)


@dataclass(frozen=True)
class TestAccount:
    """One of anvil's publicly known accounts: worthless everywhere."""

    address: str
    key: str


@dataclass(frozen=True)
class Deployed:
    """Addresses of what runs on the chain."""

    hub: str
    rlc: str
    app: str
    app_single: str
    workerpool: str
    strangers_pool: str = ""


ROLES = ("admin", "requester", "app_owner", "pool_owner", "enclave", "buyer")


def account(number: int) -> TestAccount:
    Account.enable_unaudited_hdwallet_features()
    made = Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
    return TestAccount(made.address, "0x" + made.key.hex().removeprefix("0x"))


def accounts(workers: int) -> dict[str, TestAccount]:
    """The roles and `workers` workers."""
    named = {role: account(number) for number, role in enumerate(ROLES)}
    return {**named, **{f"worker{n}": account(len(ROLES) + n) for n in range(workers)}}


class Chain:
    """Raw calls to an anvil that keeps its accounts unlocked."""

    def __init__(self, url: str, transport: Transport) -> None:
        self.url = url
        self._transport = transport
        self._sending: dict[str, threading.Lock] = collections.defaultdict(threading.Lock)

    def rpc(self, method: str, *params: Any) -> Any:
        return self._transport.rpc(self.url, method, list(params), retry=False)

    def send(self, sender: str, to: str | None, data: str, gas: int = 12_000_000) -> Mapping[str, Any]:
        """Send from an unlocked account and wait for the receipt (anvil mines at once, but answers before)."""
        transaction = {"from": sender, "data": data, "gas": hex(gas), **({"to": to} if to else {})}
        with self._sending[sender]:  # the next one of an account is given its nonce when this one is mined
            sent = self.rpc("eth_sendTransaction", transaction)
            receipt = None
            while receipt is None:
                receipt = self.rpc("eth_getTransactionReceipt", sent)
        if int(receipt["status"], 16) != 1:
            raise ServiceError("A transaction of the local network failed.", "See the details.", transaction=sent)
        return dict(receipt)

    def call(self, to: str, signature: str, *args: Any) -> str:
        return str(self.rpc("eth_call", {"to": to, "data": calldata(signature, *args)}, "latest"))


def calldata(signature: str, *args: Any) -> str:
    """`name(types)` and arguments as 0x calldata."""
    types = _types(signature)
    return "0x" + (function_signature_to_4byte_selector(signature) + encode(types, args)).hex()


def deploy(chain: Chain, modules: Path, people: Mapping[str, TestAccount]) -> Deployed:
    """Everything from RLC to funded accounts on an empty chain (about 60 transactions)."""
    deployment = _Deployment(chain, modules, people["admin"].address)
    hub, rlc = deployment.diamond()
    admin = people["admin"].address
    for role, who in people.items():
        if role != "admin":
            _fund(chain, hub, rlc, admin, role, who.address)
    owner = people["app_owner"].address
    return Deployed(
        hub=hub,
        rlc=rlc,
        app=deployment.app(owner, "natron-render"),
        app_single=deployment.app(owner, "natron-render-single"),
        workerpool=deployment.workerpool(people["pool_owner"].address, "local workers"),
        strangers_pool=deployment.workerpool(people["buyer"].address, "a stranger's"),
    )


def fund_missing(chain: Chain, deployed: Deployed, people: Mapping[str, TestAccount]) -> None:
    """Workers that an earlier start did not have need a stake too."""
    for role, who in people.items():
        if role.startswith("worker"):
            account = chain.call(deployed.hub, "viewAccount(address)", who.address)
            if int(account, 16) == 0:
                _fund(chain, deployed.hub, deployed.rlc, people["admin"].address, role, who.address)


def _fund(chain: Chain, hub: str, rlc: str, admin: str, role: str, address: str) -> None:
    wallet, stake = POOL if role == "pool_owner" else BUYER if role in BUYERS else RICH
    chain.send(admin, rlc, calldata("transfer(address,uint256)", address, wallet + stake))
    if stake:
        chain.send(address, rlc, calldata("approveAndCall(address,uint256,bytes)", hub, stake, b""))


class _Deployment:
    def __init__(self, chain: Chain, modules: Path, admin: str) -> None:
        self._chain = chain
        self._poco = modules / "@iexec" / "poco"
        self._modules = modules
        self._admin = admin
        self._registries: dict[str, str] = {}

    def diamond(self) -> tuple[str, str]:
        chain, admin = self._chain, self._admin
        token = json.loads((self._modules / "rlc-faucet-contract/build/contracts/RLC.json").read_text())
        rlc = to_checksum_address(chain.send(admin, None, token["bytecode"])["contractAddress"])
        chain.rpc("anvil_setCode", CREATEX, chain.rpc("eth_getCode", DEPLOYER, "latest"))
        for name in ("DiamondInit", *_BASE_FACETS):
            self._create(name)
        diamond = self._artifact("Diamond")
        hub = self._create("Diamond")
        owner = to_checksum_address(diamond["args"][1]["owner"])
        for impersonated in (owner, CREATEX):
            chain.rpc("anvil_impersonateAccount", impersonated)
            chain.rpc("anvil_setBalance", impersonated, hex(10**21))
        self._create("IexecLibOrders_v5")
        self._cut(hub, owner)
        self._registries = {kind: self._registry(kind) for kind in ("App", "Dataset", "Workerpool")}
        chain.send(
            owner,
            hub,
            calldata(
                "configure(address,string,string,uint8,address,address,address,address)",
                rlc, "Staked RLC", "SRLC", 9, *self._registries.values(), ZERO_ADDRESS,
            ),
        )  # fmt: skip
        for name, timeref in CATEGORIES:
            chain.send(owner, hub, calldata("createCategory(string,string,uint256)", name, '""', timeref))
        chain.send(owner, hub, calldata("transferOwnership(address)", admin))
        for impersonated in (owner, CREATEX):
            chain.rpc("anvil_stopImpersonatingAccount", impersonated)
        return hub, rlc

    def app(self, owner: str, name: str) -> str:
        args = (owner, name, "DOCKER", b"docker.io/natron-iexec/render:0.1.0", keccak(text=name), b"")
        types = "(address,string,string,bytes,bytes32,bytes)"
        return self._register("App", types, args)

    def workerpool(self, owner: str, description: str) -> str:
        return self._register("Workerpool", "(address,string)", (owner, description))

    def _register(self, kind: str, types: str, args: Sequence[Any]) -> str:
        registry = self._registries[kind]
        predicted = self._chain.call(registry, f"predict{kind}{types}", *args)
        self._chain.send(str(args[0]), registry, calldata(f"create{kind}{types}", *args))
        return to_checksum_address("0x" + predicted[-40:])

    def _registry(self, kind: str) -> str:
        address = self._create(f"{kind}Registry")
        send = self._chain.send
        send(CREATEX, address, calldata("transferOwnership(address)", self._admin))
        send(self._admin, address, calldata("initialize(address)", ZERO_ADDRESS))
        return address

    def _cut(self, hub: str, owner: str) -> None:
        """Add each facet's functions that the diamond does not have yet."""
        known = {selector for name in _BASE_FACETS for selector in _selectors(self._artifact(name)["abi"])}
        for name in _FACETS:
            new = [s for s in dict.fromkeys(_selectors(self._artifact(name)["abi"])) if s not in known]
            known.update(new)
            cut = [(self._create(name), 0, new)]
            data = calldata("diamondCut((address,uint8,bytes4[])[],address,bytes)", cut, ZERO_ADDRESS, b"")
            self._chain.send(owner, hub, data)

    def _create(self, name: str) -> str:
        code = bytes.fromhex(self._artifact(name)["bytecode"][2:])
        self._chain.send(self._admin, CREATEX, "0x" + (SALT + code).hex(), gas=25_000_000)
        packed = b"\xff" + bytes.fromhex(CREATEX[2:]) + SALT + keccak(code)
        return to_checksum_address(keccak(packed)[12:])

    def _artifact(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self._poco / "deployments/arbitrum" / f"{name}.json").read_text()))


def _selectors(abi: Sequence[Mapping[str, Any]]) -> list[bytes]:
    found = []
    for entry in abi:
        if entry["type"] == "function":
            inputs = ",".join(_canonical(part) for part in entry["inputs"])
            found.append(function_signature_to_4byte_selector(f"{entry['name']}({inputs})"))
        elif entry["type"] == "receive":
            found.append(bytes(4))
        elif entry["type"] == "fallback":
            found.append(b"\xff" * 4)
    return found


def _canonical(part: Mapping[str, Any]) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return "(" + ",".join(_canonical(inner) for inner in part["components"]) + ")" + str(part["type"])[5:]


def _types(signature: str) -> list[str]:
    """Top-level argument types of `name(a,(b,c)[],d)`."""
    types, depth, current = [], 0, ""
    for char in signature[signature.index("(") + 1 : -1]:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            types.append(current)
            current = ""
        else:
            current += char
    return [*types, current] if current else types
