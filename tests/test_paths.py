from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from NatronIExec import paths


def test_one_variable_moves_all_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NATRON_IEXEC_HOME", str(tmp_path))
    places = (
        paths.settings_file, paths.networks_file, paths.keystore, paths.logs, paths.spool, paths.cache, paths.devnet,
        paths.engine_address_file, paths.engine_lock, paths.install_file,
    )  # fmt: skip
    assert all(place().parent == tmp_path for place in places)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_platform_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.delenv("NATRON_IEXEC_HOME", raising=False)
    monkeypatch.setattr("sys.platform", platform)
    assert paths.home().name == "natron-iexec"


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_private_means_private(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir(mode=0o755)
    paths.private_folder(folder)
    paths.write_atomic(folder / "key", b"x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "settings.json"
    paths.write_atomic(target, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        paths.write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
