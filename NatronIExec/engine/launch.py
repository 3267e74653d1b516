"""Finds the engine's command and starts it with a clean environment. Standard library only, since it runs inside
Natron.

Natron sets variables for its own Python and Qt (PYTHONPATH, LD_LIBRARY_PATH…) that would break another Python.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

from NatronIExec import paths
from NatronIExec.errors import EngineNotFound

ON_PATH = "natron-iexec-engine"
MODULE = "NatronIExec.engine"
#: Variables that Natron, or the program that started Natron, sets for itself (docs/gui.md).
_SCRUBBED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONSTARTUP",
    "QT_API",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "QML2_IMPORT_PATH",
    "FONTCONFIG_PATH",
    "FONTCONFIG_FILE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "LC_NUMERIC",
    "OFX_PLUGIN_PATH",
)


def find_engine() -> List[str]:
    """The command that runs it: what `natron-iexec install` wrote, else a .venv beside this package, else on PATH.
    Raises EngineNotFound."""
    for command in (_installed(), _beside(), _on_path()):
        if command:
            return command
    raise EngineNotFound(
        "The render engine is not installed.",
        "Install it with `pip install natron-iexec`, then run `natron-iexec install` once.",
    )


#: Started engines. They are kept so that an ended one is reaped and leaves no zombie process.
_started: List[subprocess.Popen[bytes]] = []


def start_engine(command: Optional[List[str]] = None) -> subprocess.Popen[bytes]:
    """Run it in the background, in a session of its own so that it outlives its starter. Raises EngineNotFound."""
    found = command or find_engine()
    try:
        # Not the user's home folder: `python -m` imports from where it runs, and there may be a json.py.
        folder = paths.private_folder(paths.home()).absolute()
        detached: Dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}  # type: ignore[attr-defined]
        child = subprocess.Popen(
            found,
            env=dict(clean_environment(), NATRON_IEXEC_HOME=str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=str(folder),
            **detached,
        )
    except OSError as problem:
        raise EngineNotFound(
            f"The render engine cannot be started: {problem.strerror or problem}.",
            "Run `natron-iexec install` again, or reinstall it.",
            command=found,
        ) from problem
    _started[:] = [running for running in _started if running.poll() is None] + [child]
    return child


def clean_environment() -> Dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _SCRUBBED}


def _installed() -> Optional[List[str]]:
    try:
        command = json.loads(paths.install_file().read_text(encoding="utf-8"))["command"]
        if isinstance(command, list) and command and Path(str(command[0])).exists():
            return [str(part) for part in command]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _beside() -> Optional[List[str]]:
    venv = Path(__file__).resolve().parents[2] / ".venv"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    return [str(python), "-m", MODULE] if python.exists() else None


def _on_path() -> Optional[List[str]]:
    found = shutil.which(ON_PATH)
    return [found] if found else None
