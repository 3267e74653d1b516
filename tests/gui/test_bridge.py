"""The way to the engine: what is stopped stops, what is slow holds up only itself."""

import threading
import weakref

import pytest


def ask(bridge, verb, args=None):
    """The request, and the list that its answer or error is put into."""
    heard = []
    return bridge.ask(verb, args or {}, heard.append, heard.append), heard


def test_stop_reaches_an_engine_that_says_nothing(bridge, engine, until):
    engine.hold("plan")
    request, heard = ask(bridge, "plan", {"retry": "job-1"})
    until(lambda: engine.args_of("plan"), "for the question")
    assert engine.cancelled == []
    bridge.cancel(request)
    until(lambda: len(engine.cancelled) == 1, "for the engine to hear it")
    assert heard == []


def test_what_was_answered_is_not_stopped(bridge, engine, until):
    request, heard = ask(bridge, "plan", {"retry": "job-1"})
    until(lambda: heard, "for the answer")
    bridge.cancel(request)
    _, answered = ask(bridge, "status")
    until(lambda: answered, "for another answer")
    assert engine.cancelled == []


def test_stop_before_it_began(bridge, engine, until):
    held = engine.hold("plan")
    first, _ = ask(bridge, "plan", {"retry": "job-1"})
    second, heard = ask(bridge, "plan", {"retry": "job-2"})
    until(lambda: engine.args_of("plan"), "for the question")
    bridge.cancel(second)
    held.set()
    _, third = ask(bridge, "plan", {"retry": "job-3"})
    until(lambda: third, "for the answer")
    assert [args["retry"] for args in engine.args_of("plan")] == ["job-1", "job-3"]
    assert heard == []


def test_the_wallet_is_locked_at_once(bridge, engine, until):
    """Behind nothing that asks a network: who wants it locked is leaving."""
    for verb in ("test_endpoint", "workerpools", "wallet.state", "bundle"):
        engine.hold(verb)
    ask(bridge, "test_endpoint", {"network": "arbitrum", "kind": "rpc", "url": "http://127.0.0.1:1"})
    ask(bridge, "workerpools", {"network": "arbitrum"})
    ask(bridge, "wallet.state", {"network": "arbitrum"})
    ask(bridge, "bundle", {"job": "job-1", "to": "/show/sent"})
    until(lambda: len(engine.asked) >= 4, "for the questions")
    _, locked = ask(bridge, "wallet.lock")
    _, settings = ask(bridge, "settings.get")
    _, bought = ask(bridge, "retry", {"job": "job-1"})
    until(lambda: locked and settings and bought, "for the answers")


def test_the_first_request_after_a_restart_of_the_engine(bridge, engine, until):
    _, heard = ask(bridge, "networks")
    until(lambda: heard, "for the answer")
    engine.drop_clients()
    _, again = ask(bridge, "networks")
    until(lambda: again, "for the answer")
    assert again == heard


def test_what_may_have_been_bought_is_not_asked_twice(bridge, engine, until):
    _, heard = ask(bridge, "import", {"job": "job-1"})
    until(lambda: heard, "for the answer")
    held = engine.hold("retry")
    _, bought = ask(bridge, "retry", {"job": "job-1"})
    until(lambda: engine.args_of("retry"), "for the question")
    engine.drop_clients()
    until(lambda: bought, "for the loss")
    held.set()
    assert bought[0].code == "engine-gone"
    assert len(engine.args_of("retry")) == 1


class Asks:
    """Somebody who asks, as a window does, and may be gone before the answer."""

    def heard(self, answer):
        self.answer = answer


@pytest.mark.parametrize("how", ["answered", "cancelled", "closed"])
def test_no_lane_keeps_who_asked(bridge, engine, until, how):
    """It would destroy a window on a thread that is not the window's."""
    asks = Asks()
    gone = weakref.ref(asks)
    if how != "answered":
        engine.hold("networks")
    request = bridge.ask("networks", {}, asks.heard, asks.heard)
    if how == "answered":
        until(lambda: hasattr(gone(), "answer"), "for the answer")
    else:
        until(lambda: engine.args_of("networks"), "for the question")
        bridge.cancel(request) if how == "cancelled" else bridge.close()
    del asks
    assert gone() is None


def test_an_open_question_starts_no_engine_for_a_natron_that_ended(bridge, engine, until):
    before = set(threading.enumerate())
    held = engine.hold("networks")
    ask(bridge, "networks")
    ask(bridge, "networks")
    until(lambda: engine.args_of("networks"), "for the question")
    lanes = [one for one in set(threading.enumerate()) - before if one.name.startswith("iexec-")]
    bridge.close()
    engine.drop_clients()
    held.set()
    until(lambda: lanes and not any(lane.is_alive() for lane in lanes), "for the lanes to end")
    assert len(engine.args_of("networks")) == 1
