"""The file by which a publisher tells artists where the apps are: signed by the account that owns them.

Shape (JSON): {"format": 1, "network": name, "chain_id": number, "apps": {"distributed": address, "free": address},
"images": {checksum: contents}, "publisher": address, "signature": "0x…"}. The signature is an EIP-191 message of the
canonical JSON of everything else. `images` says what each app's image holds (`container/contents.py`), by the checksum
that is on chain, so that an artist is told before paying what is missing in the very image that would be bought.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import is_hex_address, to_checksum_address

from NatronIExec import paths
from NatronIExec.errors import BadInput, Conflict
from NatronIExec.iexec.network import Network
from NatronIExec.iexec.signer import Signer
from NatronIExec.manifest import canonical
from NatronIExec.publish.app_registry import AppRegistry

FORMAT = 1
#: A file with the lists of two images is about 200 kB.
MAX_BYTES = 16 << 20
#: The field of a network that names an edition's app.
FIELDS = {"distributed": "app", "free": "app_single"}
_CHECKSUM = re.compile("0x[0-9a-f]{64}")


@dataclass(frozen=True)
class NetworkFile:
    """What a publisher says. `apps` maps editions to addresses, `images` checksums to contents."""

    network: str
    chain_id: int
    apps: Mapping[str, str]
    images: Mapping[str, Mapping[str, Any]]
    publisher: str
    signature: str = ""

    def unsigned(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "network": self.network,
            "chain_id": self.chain_id,
            "apps": dict(self.apps),
            "images": {checksum: dict(contents) for checksum, contents in self.images.items()},
            "publisher": self.publisher,
        }

    def signed_by(self, signer: Signer) -> NetworkFile:
        signature = signer.sign_message(canonical(self.unsigned()))
        return NetworkFile(self.network, self.chain_id, self.apps, self.images, self.publisher, signature)

    def to_bytes(self) -> bytes:
        return canonical({**self.unsigned(), "signature": self.signature}) + b"\n"


def read(content: bytes) -> NetworkFile:
    """Raises BadInput for what is no such file, or is signed by another than it says."""
    if len(content) > MAX_BYTES:
        raise BadInput("This network file is too large.", "Ask its publisher for another one.")
    try:
        wire = json.loads(content)
        file = _file_of(wire)
        recovered = Account.recover_message(encode_defunct(canonical(file.unsigned())), signature=file.signature)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise BadInput(
            f"This is no network file of natron-iexec ({type(problem).__name__}).",
            "Fetch it again from its publisher.",
        ) from problem
    except Exception as problem:  # eth-keys has its own tree of errors for signatures that are none
        raise BadInput("The network file's signature is damaged.", "Fetch it again from its publisher.") from problem
    if recovered.lower() != file.publisher.lower():
        raise BadInput(
            f"The network file says it is by {file.publisher} and is signed by {recovered}.",
            "Do not use it; fetch it again from its publisher.",
        )
    return file


def _file_of(wire: Any) -> NetworkFile:
    if wire["format"] != FORMAT or set(wire["apps"]) - set(FIELDS) or not wire["apps"]:
        raise ValueError("format")
    if not isinstance(wire["network"], str) or not isinstance(wire["chain_id"], int):
        raise TypeError("network")
    if not all(is_hex_address(address) for address in (wire["publisher"], *wire["apps"].values())):
        raise ValueError("address")
    if not all(_CHECKSUM.fullmatch(checksum) and isinstance(held, dict) for checksum, held in wire["images"].items()):
        raise ValueError("images")
    return NetworkFile(
        wire["network"], wire["chain_id"], wire["apps"], wire["images"], wire["publisher"], wire["signature"]
    )


def check(file: NetworkFile, network: Network, registry: AppRegistry) -> None:
    """That it is of this network, and that each app belongs to who signed. Raises BadInput or Conflict."""
    if network.chain_id != file.chain_id:
        raise BadInput(
            f"The file is for chain {file.chain_id}; {network.title} is {network.chain_id}.",
            "Ask its publisher for the file of your network.",
        )
    for edition, app in file.apps.items():
        owner = registry.details(app).owner
        if owner.lower() != file.publisher.lower():
            raise Conflict(
                f"The {edition} app {app} belongs to {owner}, not to {file.publisher}, who signed this file.",
                "Do not use it; fetch it again from its publisher.",
            )


def add(file: NetworkFile, networks: Path, images: Path) -> dict[str, Any]:
    """Write the apps into the person's networks file, and what their images hold beside it. Returns what changed."""
    paths.private_folder(networks.parent)
    known = json.loads(networks.read_text("utf-8")) if networks.exists() else {}
    changes = {FIELDS[edition]: to_checksum_address(app) for edition, app in file.apps.items()}
    known[file.network] = {**known.get(file.network, {}), **changes}
    paths.private_folder(images)
    for checksum, contents in file.images.items():
        paths.write_atomic(images / f"{checksum}.json", canonical(dict(contents)))
    paths.write_atomic(networks, json.dumps(known, indent=2).encode())
    return {"network": file.network, "publisher": file.publisher, **changes}
