"""What goes wrong in the plug-in is in its log, without secrets, and never raised."""

from NatronIExec.gui import guard
from NatronIExec.gui.guard import fault


def test_a_bug_is_logged_without_what_was_typed(home):
    try:
        raise ValueError({"verb": "wallet.unlock", "password": "correct horse", "key": "4c" * 32})
    except ValueError as problem:
        fault(problem)
    text = guard.log_path().read_text()
    for said in ("ValueError", "wallet.unlock", "test_guard.py"):
        assert said in text
    for secret in ("correct", "horse", "4c4c"):
        assert secret not in text


def test_a_log_that_cannot_be_written_is_given_up(home):
    guard.log_path().mkdir(parents=True)
    guard.log("nobody reads this")
