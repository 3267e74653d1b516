"""Addresses and messages of the engine protocol (docs/engine-protocol.md). Standard library only."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Dict, Optional

from NatronIExec import paths
from NatronIExec.errors import BadInput
from NatronIExec.wire import load_json

#: Increased when a verb or a record changes so that older clients would misunderstand it.
PROTOCOL = 1
HOST = "127.0.0.1"
#: The largest request in bytes. Answers (a scan of many files) may be larger.
MAX_REQUEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Address:
    """Where a running engine listens. `key` authenticates clients; the address is in a file that only its owner can
    read."""

    port: int
    key: bytes
    pid: int

    def write(self, file: Path) -> None:
        content = {"port": self.port, "key": self.key.hex(), "pid": self.pid}
        paths.write_atomic(file, json.dumps(content).encode())


def read_address(file: Path) -> Optional[Address]:
    """The address in the file; None if there is no file or it is damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return Address(int(found["port"]), bytes.fromhex(found["key"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def encode(message: Dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def decode(content: bytes) -> Dict[str, Any]:
    """One message. Raises BadInput if it is not a JSON object."""
    try:
        message = load_json(content)
    except ValueError as problem:
        raise BadInput("This is no message of the engine protocol.") from problem
    if not isinstance(message, dict):
        raise BadInput("This is no message of the engine protocol.")
    return message


def hang_up(connection: Connection) -> None:
    """Shut down a connection that another thread may be reading; that thread then sees its end and closes it. (Closing
    it here would free the file descriptor, and the other thread could read from an unrelated file.)"""
    try:
        line = socket.socket(fileno=connection.fileno())
    except OSError:
        return
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        line.detach()
