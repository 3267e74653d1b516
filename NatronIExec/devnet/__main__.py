"""`python -m NatronIExec.devnet install|up|status|down|serve|compile`: the local network without the CLI."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from NatronIExec import paths
from NatronIExec.devnet.hub_release import RELEASES
from NatronIExec.devnet.install import install
from NatronIExec.devnet.network import LocalNetwork, serve
from NatronIExec.devnet.solidity import keep_compiled


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m NatronIExec.devnet")
    parser.add_argument("verb", choices=["install", "up", "status", "down", "serve", "compile"])
    parser.add_argument("what", nargs="*", default=[], help="for install: chain, witness")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--hub", choices=RELEASES, default=RELEASES[0])
    parser.add_argument("--modules", type=Path, default=None)
    asked = parser.parse_args()
    folder = asked.folder or paths.devnet()
    if asked.verb == "install":
        for what in asked.what or ["chain"]:
            print(install(what))
    elif asked.verb == "serve":
        serve(folder, asked.workers, asked.modules or install("chain"), asked.hub)
    elif asked.verb == "up":
        print(json.dumps(LocalNetwork(folder).up(asked.workers, asked.hub), indent=2))
    elif asked.verb == "compile":
        print(keep_compiled(install("compiler")))
    elif asked.verb == "down":
        LocalNetwork(folder).down()
    else:
        print(json.dumps(LocalNetwork(folder).status(), indent=2))


if __name__ == "__main__":
    main()
