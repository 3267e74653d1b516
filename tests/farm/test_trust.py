"""Several workers that must agree: where they cannot, nothing is bought."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

MOVIE = Path(__file__).parents[1] / "samples" / "shot010" / "movie.ntp"


def problems(farm: Any, **asked: Any) -> str:
    return " ".join(problem["title"] for problem in farm.call("plan", **asked)["problems"])


def test_a_movie_cannot_be_compared(farm: Any, tmp_path: Path) -> None:
    project = Path(shutil.copy(MOVIE, tmp_path))
    asked = {"project": str(project), "network": "local", "frames": "1-2"}
    assert "WriteMovie makes a movie" in problems(farm, **asked, trust=2)
    assert "makes a movie" not in problems(farm, **asked)


def test_an_enclave_works_alone(farm: Any, submission: dict[str, Any]) -> None:
    assert "one worker" in problems(farm, **submission, trust=2, confidential=True)
    assert problems(farm, **submission, trust=2) == ""
    assert problems(farm, **submission, confidential=True) == ""
