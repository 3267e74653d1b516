"""Work on one key is done by one thread at a time, and a key that nobody works on leaves nothing behind."""

from __future__ import annotations

import threading

import pytest

from NatronIExec.farm.run.keyed_locks import KeyedLocks

PATIENCE_S = 60


def test_one_key_is_held_by_one_thread() -> None:
    locks, inside, most = KeyedLocks(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with locks.of("a"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert most == [1]
    assert len(locks) == 0


def test_another_key_is_free() -> None:
    locks, reached = KeyedLocks(), threading.Event()

    def work() -> None:
        with locks.of("b"):
            reached.set()

    with locks.of("a"):
        thread = threading.Thread(target=work)
        thread.start()
        assert reached.wait(PATIENCE_S)
        thread.join(PATIENCE_S)
        assert len(locks) == 1


def test_a_key_is_free_again_after_an_error() -> None:
    locks = KeyedLocks()
    with pytest.raises(ValueError, match="no"), locks.of("a"):
        raise ValueError("no")
    assert len(locks) == 0
    with locks.of("a"):
        assert len(locks) == 1


def test_thousands_of_keys_leave_nothing() -> None:
    locks = KeyedLocks()
    for number in range(5000):
        with locks.of(("job", number)):
            pass
    assert len(locks) == 0
