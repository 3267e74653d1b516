"""The last step of the image's build: Natron reads its plug-ins once, and what the image holds is written down.

`natron-iexec app build` reads the list, and so do the checks later: an artist is told before paying what this very
image lacks. See `scan/worker_image.py` for its shape.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Mapping

from NatronIExec.container.contents import contents_of, read_plugins_once
from NatronIExec.container.renderer import find_renderer


def main(environ: Mapping[str, str]) -> int:
    """Writes the file that NATRON_IEXEC_CONTENTS names. 1 when Natron is there and loads no plug-ins."""
    command, kind = find_renderer(environ)
    if kind == "natron" and not read_plugins_once(command, environ):
        sys.stderr.write("Natron has found no plug-ins: is it the whole tarball, with Plugins/OFX?\n")
        return 1
    Path(environ["NATRON_IEXEC_CONTENTS"]).write_text(
        json.dumps(contents_of(command, kind, environ), indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
