"""docs/iexec-client.md is run as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from NatronIExec.iexec.hub import Hub

PAGE = Path(__file__).parents[2] / "docs" / "iexec-client.md"


def test_the_examples_run(
    local: Any, hub: Hub, market: Any, requester: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    local.faults.every = "never-initialized"
    text = PAGE.read_text(encoding="utf-8")
    blocks = [
        block.replace("\n    ", "\n") for block in re.findall(r"\n((?:\n+    [^\n]*|\n)+)", text) if block.strip()
    ]
    reading, buying = [block for block in blocks if "import" in block]
    names: dict[str, Any] = {}
    exec(reading.split("hub.check()")[0], names)
    assert names["hub"].network.name == "arbitrum"
    names.update(network=local.network, hub=hub, market=market, signer=requester)
    exec(buying, names)
    assert [deal.bot_size for deal in names["deals"]] == [3]
    assert (names["late"], names["bag"].open) == ([], 3)


def test_all_modules_are_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    there = {file.stem for file in (PAGE.parents[1] / "NatronIExec" / "iexec").glob("*.py")}
    assert there - named <= {"__init__", "abi", "decoding", "interface", "signer"}
