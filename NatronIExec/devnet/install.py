"""The local network's packages from npm, pinned by lock files, kept outside every folder that Natron scans."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from NatronIExec import paths
from NatronIExec.errors import ServiceError

_HERE = Path(__file__).parent / "npm"


def modules_folder() -> Path:
    """`NATRON_IEXEC_DEVNET_MODULES`, so that several states share one installation; else below our state."""
    moved = os.environ.get("NATRON_IEXEC_DEVNET_MODULES")
    return Path(moved) if moved else paths.devnet() / "npm"


def install(what: str = "chain") -> Path:
    """`npm ci` of `what` (chain: anvil and the contracts; witness: the official SDK) unless it is there already.
    Returns its node_modules. Raises ServiceError when npm is missing or fails."""
    source = _HERE / what
    folder = modules_folder() / what
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        raise ServiceError("The local network needs npm (Node.js) to install itself.", "Install Node.js 18 or newer.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, folder / name)
    print(f"Installing npm packages for the local network ({what}) into {folder}", file=sys.stderr)  # noqa: T201
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(
            "npm could not install the local network.",
            "Check the connection to the npm registry.",
            log=done.stderr[-2000:],
        )
    stamp.write_text(wanted)
    return folder / "node_modules"
