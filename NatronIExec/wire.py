"""JSON from strangers. Python's parser recurses, and a library raises the recursion limit so far (py_ecc: to 100 000)
that some brackets would end the process; so depth is looked at first."""

from __future__ import annotations

import json
import re
from typing import Any, Union

#: Nothing of ours, of the market or of a node nests deeper than about ten.
MAX_DEPTH = 64
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def load_json(content: Union[bytes, str]) -> Any:
    """Raises ValueError for what is no JSON, or nests too deep."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else bytes(content)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise ValueError("it nests too deep")
    return json.loads(raw)


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NO_BRACKET):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
