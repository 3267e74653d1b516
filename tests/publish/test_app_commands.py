"""A publisher's day on the command line: build, push, deploy, sell, count; and an artist who learns of the app."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from NatronIExec import paths
from NatronIExec.publish.image_build import BuiltImage

#: The first build on a machine makes a Debian from its packages.
pytestmark = pytest.mark.timeout(1200)
CLI = [sys.executable, "-m", "NatronIExec.cli", "--json"]
Run = Callable[..., Any]


@pytest.fixture
def run(start_farm: Any, tmp_path: Path) -> Run:
    """The command line, with the publisher's wallet open."""
    farm = start_farm()
    farm.pay_from("app_owner")

    def command(*arguments: str, fails: int = 0) -> Any:
        done = subprocess.run([*CLI, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == fails, done.stderr
        return json.loads(done.stderr)["error"] if fails else json.loads(done.stdout or "null")

    return command


def test_from_an_image_to_a_sold_app(
    run: Run, registry: str, image: BuiltImage, free_image: BuiltImage, local: Any, tmp_path: Path
) -> None:
    deployed = {}
    for built in (image, free_image):
        where = f"{registry}/natron-iexec/{built.edition}:1"
        command = ("app", "deploy", where, "--edition", built.edition, "--image", built.tag, "--tool", "podman",
                   "--insecure")  # fmt: skip
        deployed[built.edition] = run(*command)
        assert deployed[built.edition]["new"]
        assert not run(*command)["new"]
    rows = {row["edition"]: row for row in run("app", "show")}
    assert {name: row["app"] for name, row in rows.items()} == {name: row["app"] for name, row in deployed.items()}
    assert all(row["contents_known"] for row in rows.values())

    run("app", "publish", "--price", "0.002", "--volume", "50")
    run("app", "publish", "--edition", "free")
    sold = {row["edition"]: (row["price_nrlc"], row["remaining"]) for row in run("app", "orders")}
    assert sold == {"distributed": (2_000_000, 50), "free": (0, 10**6)}
    run("app", "price", "--price", "0.003", "--volume", "50")
    assert [row["price_nrlc"] for row in run("app", "orders") if row["edition"] == "distributed"] == [3_000_000]
    assert run("app", "revenue")["earned_nrlc"] == 0

    file = tmp_path / "natron.json"
    run("app", "network-file", str(file))
    paths.networks_file().write_text(json.dumps({"local": _without_apps(paths.networks_file())}))
    for known in paths.images().iterdir():
        known.unlink()
    learned = run("networks", "add", str(file))
    assert learned["app"] == deployed["distributed"]["app"]
    assert (paths.images() / f"{deployed['free']['checksum']}.json").is_file()
    assert len(run("app", "unpublish", "--edition", "free")["unpublished"]) == 1


def _without_apps(networks: Path) -> dict[str, Any]:
    known = json.loads(networks.read_text())["local"]
    return {name: value for name, value in known.items() if name not in ("app", "app_single")}


def test_bad_input_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert (
        "SHA-256" in run("app", "build", "--natron", "http://127.0.0.1:9/x.tar", "--tool", "podman", fails=4)["title"]
    )
    (tmp_path / "x.json").write_text("{}")
    assert "no network file" in run("networks", "add", str(tmp_path / "x.json"), fails=4)["title"]
    assert "no digest" in run("app", "deploy", "r/x:1", "--digest", "sha256:12", fails=4)["title"]
    assert "costs nothing" in run("app", "publish", "--edition", "free", "--price", "1", fails=4)["title"]
