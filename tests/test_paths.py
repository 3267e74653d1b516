from __future__ import annotations

import os
import stat
import threading
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


def test_two_threads_may_write_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, both = tmp_path / "settings.json", threading.Barrier(2)
    fsync = os.fsync
    monkeypatch.setattr("os.fsync", lambda number: (both.wait(30), fsync(number)))
    threads = [threading.Thread(target=paths.write_atomic, args=(target, text)) for text in (b"a" * 99, b"b" * 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in (b"a" * 99, b"b" * 50)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="only there can a folder be asked to be kept")
def test_the_name_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []
    monkeypatch.setattr("os.fsync", lambda number: kept.append(stat.S_ISDIR(os.fstat(number).st_mode)))
    paths.write_atomic(tmp_path / "settings.json", b"x")
    assert kept == [False, True]
