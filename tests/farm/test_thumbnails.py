"""Pictures of frames that came back, for the queue."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from NatronIExec.errors import Conflict


def test_a_thumbnail_is_of_the_writer_that_is_named(farm: Any, submission: dict[str, Any]) -> None:
    job = farm.call("submit", **submission)["job"]
    farm.settled(job)
    row = farm.call("frames", job=job)[0]
    asked = {"job": job, "frame": row["frame"], "size": 64}
    any_writer, named = farm.call("thumbnail", **asked), farm.call("thumbnail", **asked, writer=row["writer"])
    assert base64.b64decode(named["png"]).startswith(b"\x89PNG")
    assert named == any_writer
    with pytest.raises(Conflict, match="is not here"):
        farm.call("thumbnail", **asked, writer="Another")
