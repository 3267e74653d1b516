"""What stands around the code agrees with the code: version and changes, the hooks, the forms, links between pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from NatronIExec import __version__

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_newest_changes_are_of_this_version() -> None:
    versions = re.findall(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == __version__, "CHANGELOG.md begins with another version than NatronIExec/__init__.py has"
    assert versions == sorted(versions, key=lambda version: [-int(part) for part in version.split(".")])


def test_hooks_are_local_and_run_what_the_tests_run() -> None:
    (only,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert only["repo"] == "local"
    for hook in only["hooks"]:
        tool = hook["entry"].split()[2]
        assert hook["entry"].startswith(f".venv/bin/python -m {tool}")
        assert f"-m {tool}" in text("scripts/test")


def test_ci_is_the_test_script_and_may_only_read() -> None:
    flow = load(ROOT / ".github" / "workflows" / "test.yml")
    assert flow["permissions"] == {"contents": "read"}
    assert [step["run"] for step in flow["jobs"]["test"]["steps"] if "run" in step] == ["scripts/test"]
    oldest = re.search(r"python_requires = >=(\S+)", text("setup.cfg"))
    assert oldest is not None
    assert oldest[1] in flow["jobs"]["test"]["strategy"]["matrix"]["python"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_forms_ask_for_what_is_needed(form: Path) -> None:
    found = load(form)
    assert {"name", "description", "body"} <= set(found)
    kinds = {"markdown", "textarea", "dropdown", "input"}
    assert {field["type"] for field in found["body"]} <= kinds
    assert any(field.get("validations", {}).get("required") for field in found["body"])


def test_types_are_shipped() -> None:
    assert (ROOT / "NatronIExec" / "py.typed").is_file()
    assert re.search(r"^NatronIExec = .*\bpy\.typed\b", text("setup.cfg"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
