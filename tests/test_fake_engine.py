"""The engine of the GUI's tests answers in the shapes of the real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator

sys.path.insert(0, str(Path(__file__).parent / "gui"))

from fake_engine import FakeEngine

#: Holds what a person has set.
OPEN = {"endpoints", "s3"}


def differences(fake: Any, real: Any, where: str) -> Iterator[str]:
    """Where two answers have not the same keys and kinds of values; None stands for any kind."""
    if fake is None or real is None:
        return
    if isinstance(fake, dict) and isinstance(real, dict):
        if where.rsplit(".", 1)[-1] in OPEN:
            return
        if set(fake) != set(real):
            yield f"{where}: {sorted(set(fake) ^ set(real))} only in one of them"
        for name in set(fake) & set(real):
            yield from differences(fake[name], real[name], f"{where}.{name}")
    elif isinstance(fake, list) and isinstance(real, list):
        if fake and real:
            yield from differences(fake[0], real[0], f"{where}[0]")
    elif not (type(fake) is type(real) or {type(fake), type(real)} == {int, float}):
        yield f"{where}: {type(fake).__name__} for {type(real).__name__}"


def test_the_fake_engine_speaks_as_the_real_one(farm: Any, submission: dict[str, Any], tmp_path: Path) -> None:
    plan = farm.call("plan", **submission)
    job = farm.call("submit", **submission, plan=plan["plan"])["job"]
    farm.settled(job)
    whole = {"original": None, "writers": [], "workerpool": None, "max_price_nrlc": None, "out": None}
    questions: dict[str, dict[str, Any]] = {
        "hello": {"protocol": 1, "version": "0.1.0"},
        "subscribe": {},
        "scan": {**submission, **whole},
        "jobs": {},
        "show": {"job": job},
        "frames": {"job": job},
        "logs": {"job": job},
        "networks": {},
        "workerpools": {"network": "local", "confidential": False},
        "wallet.state": {"network": "local"},
        "settings.get": {},
        "ledger": {},
        "status": {},
    }
    fake = FakeEngine(tmp_path)
    try:
        submitted = fake.answers["submit"]({})["job"]
        found = list(differences(fake.answers["plan"]({}), plan, "plan"))
        for verb, args in questions.items():
            asked = {**args, **({"job": submitted} if "job" in args else {})}
            real = farm.call(verb, **args) if verb != "hello" else farm.client.connect(start=False)
            found += differences(fake.answers[verb](asked), real, verb)
    finally:
        fake.close()
    assert not found, "\n".join(found)
