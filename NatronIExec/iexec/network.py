"""The networks that iExec runs on, and their endpoints. Any other one comes from a file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Mapping
from urllib.parse import urlsplit

from eth_utils.address import is_hex_address, to_checksum_address

from NatronIExec.errors import BadInput

#: tee (bit 0) + tdx (bit 3): what the public worker groups run today (sdk 9 constant TDX_DEFAULT_TAG).
TDX_TAG = "0x" + "00" * 31 + "09"
NO_TAG = "0x" + "00" * 32
#: iapp cli/src/config/config.ts: results beyond this are refused, and what a TDX worker gives a task of memory.
RESULT_LIMIT_BYTES = 50 * 1024 * 1024
MEMORY_LIMIT_BYTES = 6 * 1024**3
#: Content that iExec's node announces can be found through any gateway of the IPFS network, if more slowly.
PUBLIC_GATEWAYS = ("https://ipfs.io", "https://dweb.link")
#: The services that a person may reach through other URLs.
ENDPOINTS = ("rpc", "market", "sms", "ipfs", "gateway")
_ADDRESSES = ("hub", "rlc", "workerpool", "app", "app_single")
_URLS = (*ENDPOINTS, "compass", "subgraph", "explorer")


@dataclass(frozen=True)
class Network:
    """Where a chain and its iExec services are.

    `hub` and `rlc` are contract addresses; the rest of the services are base URLs, "" when there is none.
    `app` is our paid app for many tasks, `app_single` the free one for a single task; "" where not deployed yet.
    `tag` is what orders there must carry. `result_limit_bytes` is what the way back carries of one task, packed, and
    `memory_limit_bytes` what a task may use (0: not known). `more_gateways` may have what `gateway` has: workers ask
    them after it.
    """

    name: str
    title: str
    chain_id: int
    hub: str
    rlc: str
    rpc: str
    market: str = ""
    sms: str = ""
    ipfs: str = ""
    gateway: str = ""
    compass: str = ""
    subgraph: str = ""
    explorer: str = ""
    workerpool: str = ""
    app: str = ""
    app_single: str = ""
    tag: str = NO_TAG
    test: bool = False
    faucet: str = ""
    result_limit_bytes: int = 0
    memory_limit_bytes: int = 0
    more_gateways: tuple[str, ...] = ()

    def with_endpoints(self, **urls: str) -> Network:
        """The same network through other URLs (rpc, market, sms, ipfs, gateway); empty ones change nothing. Raises
        BadInput for an unknown kind of endpoint. A URL that is wrong is accepted here, so that the settings dialog
        still opens and the user can correct it."""
        for kind, url in urls.items():
            if kind not in ENDPOINTS or not isinstance(url, str):
                raise BadInput(
                    f"{self.title} has no endpoint {kind} that is {url!r}.",
                    f"Correct it in the settings' file: there are {', '.join(ENDPOINTS)}.",
                )
        changes: dict[str, Any] = {kind: url.rstrip("/") for kind, url in urls.items() if url}
        return replace(self, **changes)

    @property
    def in_enclave(self) -> bool:
        """Whether what is bought there runs in one, so that a job can be confidential at no other price."""
        return bool(int(self.tag, 16) & 1)

    @property
    def is_local(self) -> bool:
        """Whether its workers are on this machine."""
        return urlsplit(self.rpc).hostname in ("127.0.0.1", "localhost", "::1")

    def endpoints(self) -> dict[str, str]:
        return {kind: getattr(self, kind) for kind in ENDPOINTS}


#: Addresses and URLs: iexec-sdk 9 src/common/utils/config.js and the important-addresses page of the documentation.
BUILT_IN: Mapping[str, Network] = {
    "arbitrum": Network(
        name="arbitrum",
        title="Arbitrum One (real money)",
        chain_id=42161,
        hub="0x098bFCb1E50ebcA0BaA92C12eA0c3F045A1aD9f0",
        rlc="0xe649e6a1F2afc63ca268C2363691ceCAF75CF47C",
        rpc="https://arb1.arbitrum.io/rpc",
        market="https://api.market.arbitrum-mainnet.iex.ec",
        sms="https://sms.arbitrum-mainnet.iex.ec",
        ipfs="https://ipfs-upload.arbitrum-mainnet.iex.ec",
        gateway="https://ipfs-gateway.arbitrum-mainnet.iex.ec",
        compass="https://compass.arbitrum-mainnet.iex.ec",
        subgraph="https://thegraph.arbitrum.iex.ec/api/subgraphs/id/B1comLe9SANBLrjdnoNTJSubbeC7cY7EoNu6zD82HeKy",
        explorer="https://explorer.iex.ec/arbitrum-mainnet",
        workerpool="0x8EF2eC3Ef9535d4b4349BfEc7d8b31A580e60244",
        tag=TDX_TAG,
        result_limit_bytes=RESULT_LIMIT_BYTES,
        memory_limit_bytes=MEMORY_LIMIT_BYTES,
        more_gateways=PUBLIC_GATEWAYS,
    ),
    "arbitrum-sepolia": Network(
        name="arbitrum-sepolia",
        title="Arbitrum Sepolia (test money)",
        chain_id=421614,
        hub="0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E",
        rlc="0x9923eD3cbd90CD78b910c475f9A731A6e0b8C963",
        rpc="https://sepolia-rollup.arbitrum.io/rpc",
        market="https://api-market.arbitrum-sepolia-testnet.iex.ec",
        sms="https://sms.arbitrum-sepolia-testnet.iex.ec",
        ipfs="https://ipfs-upload.arbitrum-sepolia-testnet.iex.ec",
        gateway="https://ipfs-gateway.arbitrum-sepolia-testnet.iex.ec",
        compass="https://compass.arbitrum-sepolia-testnet.iex.ec",
        subgraph="https://thegraph.arbitrum-sepolia-testnet.iex.ec/api/subgraphs/id/"
        "2GCj8gzLCihsiEDq8cYvC5nUgK6VfwZ6hm3Wj8A3kcxz",
        explorer="https://explorer.iex.ec/arbitrum-sepolia-testnet",
        workerpool="0x2956F0cb779904795A5F30d3b3eA88b714c3123f",
        tag=TDX_TAG,
        result_limit_bytes=RESULT_LIMIT_BYTES,
        memory_limit_bytes=MEMORY_LIMIT_BYTES,
        more_gateways=PUBLIC_GATEWAYS,
        test=True,
        faucet="5 test RLC a day from the iExec faucet, for wallets that hold 1 RLC or less",
    ),
}


#: Fields of earlier versions, in files that people have.
_GONE = ("one_tx_match",)
_EXAMPLE = BUILT_IN["arbitrum"]
_WORDS = {int: "a number", bool: "true or false", str: "a text in quotes", tuple: "a list of texts"}


def load_networks(file: Path | None = None) -> dict[str, Network]:
    """The built-in networks and those of `file` (`{name: {field: value}}`), which may also override a built-in one."""
    networks = dict(BUILT_IN)
    if file is None or not file.exists():
        return networks
    try:
        for name, given in json.loads(file.read_text(encoding="utf-8")).items():
            networks[name] = _network(name, given, networks.get(name))
    except (ValueError, TypeError, AttributeError) as problem:
        raise BadInput(
            f"{file} is not a list of networks: {problem}.", "Mend it, or move it away to use the built-in networks."
        ) from problem
    return networks


def _network(name: str, given: Mapping[str, Any], known: Network | None) -> Network:
    given = {field: value for field, value in given.items() if field not in _GONE}
    strange = set(given) - {field.name for field in fields(Network)}
    if strange:
        raise BadInput(f"The network {name} has unknown fields: {', '.join(sorted(strange))}.", "Remove them.")
    missing = {"chain_id", "hub", "rlc", "rpc"} - set(given)
    if missing and known is None:
        raise BadInput(f"The network {name} lacks {', '.join(sorted(missing))}.", "Add what is missing.")
    values = {field: _value(name, field, value) for field, value in given.items()}
    return replace(known, **values) if known else Network(**{"name": name, "title": name, **values})


def _value(name: str, field: str, value: Any) -> Any:
    """A value in the form that signing and the transport need. Harmless differences in spelling are corrected; a wrong
    type raises BadInput."""
    if field == "more_gateways" and isinstance(value, list):
        return tuple(_value(name, "gateway", url) for url in value)
    kind = type(getattr(_EXAMPLE, field))
    if type(value) is not kind:
        raise BadInput(
            f"{field} of the network {name} is {value!r}.", f"Write {_WORDS[kind]} there, in the network's file."
        )
    if field in _ADDRESSES and value:
        if not is_hex_address(value):
            raise BadInput(f"{field} of the network {name} is not an address: {value}.", "Write 0x and 40 hex digits.")
        return to_checksum_address(value)
    if field == "tag" and not re.fullmatch("0x[0-9a-fA-F]{64}", value):
        raise BadInput(f"The tag of the network {name} is {value}.", "Write 0x and 64 hex digits.")
    if field in _URLS and value:
        if not re.match(r"https?://[^/?#\s\[]+", value):
            raise BadInput(f"{field} of the network {name} is not a web address.", "Write it like https://example.org")
        return value.rstrip("/")
    return value
