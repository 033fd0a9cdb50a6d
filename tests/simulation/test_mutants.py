"""The promises are really guarded: break one on purpose, and their test goes red."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path("lambda/personalize_relay")

MUTANTS = {
    "acks though the quarantine was not written": (
        "processor.py",
        "            unsettled.update(record.position for record, _ in now)\n",
        "",
    ),
    "drops one event of a full request": (
        "requests.py",
        "interactions=tuple(group))",
        "interactions=tuple(group[:9]))",
    ),
    "makes a new event id each time": (
        "events.py",
        "            return position\n",
        "            return __import__('uuid').uuid4().hex\n",
    ),
    "compares sequence numbers as texts": (
        "processor.py",
        "min(unsettled, default=math.inf)",
        "min(unsettled, key=str, default=math.inf)",
    ),
    "quarantines what comes again": (
        "processor.py",
        "in rejected if record.position < below]",
        "in rejected]",
    ),
    "sends the halves of a request in the wrong order": (
        "lane.py",
        "extendleft(reversed(instead))",
        "extendleft(instead)",
    ),
    "takes no answer for a success": (
        "verdicts.py",
        "if 200 <= status < 300:",
        "if status < 300:",
    ),
    "takes events without an outcome for settled": (
        "processor.py",
        "        unsettled.update(_without_outcome(contents, report))\n",
        "",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_breaking_a_promise_turns_its_test_red(mutant: str, tmp_path: Path) -> None:
    file, code, instead = MUTANTS[mutant]
    copytree(ROOT / PACKAGE, tmp_path / PACKAGE)
    source = (tmp_path / PACKAGE / file).read_text()
    assert code in source, f"{file} no longer holds the code that this mutant changes"
    (tmp_path / PACKAGE / file).write_text(source.replace(code, instead))

    path = f"pythonpath={tmp_path / 'lambda'} {ROOT}"
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutant", "-o", path]
    run = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", *options, "tests/simulation/test_promises.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-2000:]
    assert "AssertionError" in run.stdout, run.stdout[-2000:]
