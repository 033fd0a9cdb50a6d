"""CI runs what a maintainer runs, with actions that nobody can exchange."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github").glob("*/**/*.yml"))
TARGETS = set(re.findall(r"^([a-z]+)(?= ?[a-z ]*:)", (ROOT / "Makefile").read_text(), re.MULTILINE))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """Each step of a workflow, or of an action of ours."""
    document = yaml.safe_load(path.read_text())
    for job in document.get("jobs", {}).values():
        yield from job["steps"]
    yield from document.get("runs", {}).get("steps", [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_an_action_is_named_by_its_commit(path: Path) -> None:
    """Whoever owns its repository can move a tag, and no commit."""
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert all(name.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used), used


def test_a_step_is_a_target_of_the_makefile() -> None:
    """So that what fails there can be run here."""
    commands = {step["run"] for path in FILES for step in steps(path) if "run" in step}
    assert {command.removeprefix("make ") for command in commands} <= TARGETS
    assert {"make lint", "make quick", "make test", "make verify", "make coverage", "make release"} == commands


def test_pull_requests_are_tried_on_both_processors() -> None:
    checks = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())
    for job in ("quick", "test"):
        assert checks["jobs"][job]["strategy"]["matrix"]["machine"] == ["ubuntu-24.04", "ubuntu-24.04-arm"]
