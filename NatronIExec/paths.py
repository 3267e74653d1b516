"""Where state lives. `NATRON_IEXEC_HOME` moves all of it; nothing is created by asking."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder of all our state: `NATRON_IEXEC_HOME`, else the platform's per-user data folder."""
    moved = os.environ.get("NATRON_IEXEC_HOME")
    if moved:
        return Path(moved).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "natron-iexec"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "natron-iexec"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "natron-iexec"


def settings_file() -> Path:
    return home() / "settings.json"


def networks_file() -> Path:
    """Networks beside the built-in ones: `{name: {...}}` as `iexec.network` documents."""
    return home() / "networks.json"


def images() -> Path:
    """What the images of known apps hold, a JSON file each, named by the app's checksum on chain."""
    return home() / "images"


def keystore() -> Path:
    return home() / "keystore"


def logs() -> Path:
    return home() / "logs"


def spool() -> Path:
    """Jobs: the database and, a folder a job, the snapshot and what was sent."""
    return home() / "spool"


def cache() -> Path:
    """What can be thrown away: hashes of files, thumbnails."""
    return home() / "cache"


def devnet() -> Path:
    """The local network: its installed npm packages and the state of a running one."""
    return home() / "devnet"


def engine_address_file() -> Path:
    """How to reach the running engine (port and key, mode 0600); there while one runs."""
    return home() / "engine.json"


def engine_lock() -> Path:
    return home() / "engine.lock"


def install_file() -> Path:
    """What `natron-iexec install` wrote for the plugin: the command that starts the engine."""
    return home() / "install.json"


def private_folder(path: Path) -> Path:
    """Create `path` (and its parents) readable by its owner only, and return it."""
    path.mkdir(parents=True, exist_ok=True)
    if os.name == "posix" and (path.stat().st_mode & 0o077):
        path.chmod(0o700)
    return path


def write_atomic(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `content` so that a reader sees the old or the new whole file, also after a crash, and whoever
    else writes it at the same time."""
    private = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(str(private), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(private), str(path))
    except BaseException:
        if private.exists():
            private.unlink()
        raise
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """After a crash of the machine the folder still names the new file. Not every system and disk can be asked to."""
    with contextlib.suppress(OSError):
        descriptor = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
