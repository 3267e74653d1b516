"""Who renders. iExec starts the container as root and mounts a folder of root's for the results: the program must stay
root to hand them over. The renderer, which runs whatever Python the project holds, need not be.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional

from NatronIExec.errors import BadInput

#: Names the user that renders, as a number: the image sets it.
VARIABLE = "NATRON_IEXEC_RENDER_UID"


@dataclass(frozen=True)
class Rights:
    """`uid` is whom the renderer runs as, None where it runs as we do."""

    uid: Optional[int] = None

    def give(self, *folders: Path) -> None:
        """Let the renderer write there, in all folders below too. What lies in them stays ours."""
        if self.uid is None:
            return
        for folder in folders:
            for inside, _, _ in os.walk(folder):
                os.chown(inside, self.uid, self.uid)

    def give_up(self) -> None:
        """In the renderer's process before it becomes the renderer: no way back, and no group of ours."""
        if self.uid is not None:
            os.setgroups([])
            os.setgid(self.uid)
            os.setuid(self.uid)


#: The renderer runs as we do.
OURS = Rights()


def renderers(environ: Mapping[str, str]) -> Rights:
    """Only root can give rights up. Raises BadInput for what is no number."""
    named = environ.get(VARIABLE, "")
    if not named or os.geteuid() != 0:
        return OURS
    if not named.isdigit():
        raise BadInput(f"{VARIABLE} is {named!r}, not a number.", "Build the image again.")
    return Rights(int(named))


def prove_writable(folder: Path) -> None:
    """Before anything is rendered: what cannot be handed over need not be. Raises BadInput."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"1")
    except OSError as problem:
        raise BadInput(
            f"The worker gave no folder to write results to: {problem.strerror or problem} ({folder}).",
            "Nothing was rendered; these frames can be bought again.",
        ) from problem
