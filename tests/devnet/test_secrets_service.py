"""The secret service refuses what the real one refuses."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest


def _status(local: Any, method: str, path: str, body: bytes = b"") -> int:
    request = urllib.request.Request(local.web.url + path, data=body or None, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("HEAD", "nothing", b"", 404), ("POST", "large", b"x" * 4097, 413), ("PUT", "any", b"x", 405),
        ("POST", "a.b", b"x", 400), ("POST", "n" * 65, b"x", 400), ("POST", "unsigned", b"x", 401),
        ("DELETE", "any", b"", 405),
    ],
)  # fmt: skip
def test_of_requesters(local: Any, method: str, name: str, body: bytes, status: int) -> None:
    address = local.people["requester"].address
    assert _status(local, method, f"/requesters/{address}/secrets/{name}", body) == status


def test_it_says_its_framework(local: Any) -> None:
    with urllib.request.urlopen(local.web.url + "/tee/framework") as answer:
        assert b"TDX" in answer.read()
