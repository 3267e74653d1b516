from __future__ import annotations

import sys
from pathlib import Path

import pytest

from NatronIExec.devnet.folder_lock import lock


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with file.open("a+b") as first:
        assert lock(first)
        with file.open("a+b") as second:
            assert not lock(second)
    with file.open("a+b") as third:
        assert lock(third)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no shared lock")
def test_several_may_ask(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.touch()
    with file.open("rb") as first, file.open("rb") as second:
        assert lock(first, shared=True)
        assert lock(second, shared=True)
