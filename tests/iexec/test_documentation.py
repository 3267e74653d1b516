"""docs/iexec-client.md is run as it is written."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pdoc
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


CLIENT = PAGE.parents[1] / "NatronIExec" / "iexec"
MODULES = sorted(file.stem for file in CLIENT.glob("*.py") if file.stem != "__init__")


def test_the_api_pages_build(tmp_path: Path) -> None:
    """What `scripts/docs` does: a page for each module, with its classes."""
    pdoc.pdoc("NatronIExec.iexec", output_directory=tmp_path)
    pages = {
        page.stem: page.read_text(encoding="utf-8") for page in (tmp_path / "NatronIExec" / "iexec").glob("*.html")
    }
    assert sorted(pages) == MODULES
    assert 'id="Hub.build_match"' in pages["hub"]
    assert 'id="RequestOrder"' in pages["records"]


@pytest.mark.parametrize("name", MODULES)
def test_whoever_uses_the_client_is_told_what_its_classes_are(name: str) -> None:
    module = importlib.import_module(f"NatronIExec.iexec.{name}")
    classes = [
        thing for thing in vars(module).values() if inspect.isclass(thing) and thing.__module__ == module.__name__
    ]
    silent = [
        one.__name__ for one in classes if not one.__name__.startswith("_") and not (vars(one).get("__doc__") or "")
    ]
    generated = [one.__name__ for one in classes if (vars(one).get("__doc__") or "").startswith(f"{one.__name__}(")]
    assert not silent + generated, (
        f"NatronIExec/iexec/{name}.py: say what {silent + generated} are, with units and shapes"
    )
