"""Our own contract of the local network: its bytecode is kept beside its source, so that nobody needs a compiler.

`python -m NatronIExec.devnet compile` makes it again with npm's solc; a test does so and compares.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from NatronIExec.errors import ServiceError

FACET = Path(__file__).parent / "facet" / "DepositAndMatch.sol"
_COMPILED = FACET.with_suffix(".hex")
#: No hash of the source's path or text in the code: it is the same wherever it is compiled.
_SETTINGS = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
}
_SCRIPT = """
const asked = require('fs').readFileSync(0, 'utf8');
process.stdout.write(require('solc').compile(asked));
"""
COMPILE_S = 120


def facet_code() -> bytes:
    """What creates the facet; its constructor's argument (an address, 32 bytes) is to be put behind it."""
    return bytes.fromhex(_COMPILED.read_text().strip())


def compile_facet(modules: Path) -> bytes:
    """The same, from the source, with the solc of `modules`. Raises ServiceError when the compiler refuses it or there
    is no Node.js."""
    node = shutil.which("node")
    if node is None:
        raise ServiceError("The compiler needs Node.js.", "Install Node.js 18 or newer.")
    sources = {FACET.name: {"content": FACET.read_text(encoding="utf-8")}}
    done = subprocess.run(
        [node, "-e", _SCRIPT],
        input=json.dumps({"language": "Solidity", "sources": sources, "settings": _SETTINGS}),
        cwd=modules.parent,
        capture_output=True,
        text=True,
        timeout=COMPILE_S,
        check=False,
    )
    answer = json.loads(done.stdout or "{}")
    errors = [one["formattedMessage"] for one in answer.get("errors", []) if one["severity"] == "error"]
    if done.returncode or errors:
        raise ServiceError("The facet does not compile.", "See the details.", log="\n".join(errors) or done.stderr)
    return bytes.fromhex(answer["contracts"][FACET.name][FACET.stem]["evm"]["bytecode"]["object"])


def keep_compiled(modules: Path) -> Path:
    """Compile and keep; returns the file."""
    _COMPILED.write_text(compile_facet(modules).hex() + "\n")
    return _COMPILED
