"""An engine that ends itself by SIGKILL at a given moment: `python mortal_engine.py MOMENT`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from NatronIExec.engine.engine import Engine
from NatronIExec.farm.store.spool import Spool
from NatronIExec.iexec.hub import Hub
from NatronIExec.wallet.vault import Vault


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(cls: type, name: str, calls: int) -> None:
    """At the end of the given call of a method."""
    method, count = getattr(cls, name), [0]

    def wrapped(*args: Any, **more: Any) -> Any:
        result = method(*args, **more)
        count[0] += 1
        if count[0] >= calls:
            die()
        return result

    setattr(cls, name, wrapped)


def main(moment: str) -> None:
    if moment == "match is with the node":
        die_after(Hub, "send", 1)
    if moment == "first frame is in place":
        die_after(Spool, "put_frames", 1)
    engine = Engine(on_step=lambda job, step: die() if step == moment else None, vault=Vault(disabled=True), scrypt_n=2)
    engine.start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    engine.run()


if __name__ == "__main__":
    main(sys.argv[1])
