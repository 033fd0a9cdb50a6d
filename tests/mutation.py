"""Mutants: code that is broken on purpose, so that a test which guards it must go red."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = Path("lambda/personalize_relay")
PROMISES = "tests/simulation/test_promises.py"


class Mutant(NamedTuple):
    """Code of a file, what stands there instead, and the test that goes red."""

    file: str
    code: str
    instead: str
    test: str = PROMISES

    @property
    def is_current(self) -> bool:
        """Whether the code and the test that it names are still there."""
        file, _, name = self.test.partition("::")
        return self.code in (ROOT / PACKAGE / self.file).read_text() and f"def {name}" in (ROOT / file).read_text()

    def check(self, folder: Path) -> None:
        """Break a copy of the package in a folder, and see the test go red by an assertion."""
        copytree(ROOT / PACKAGE, folder / PACKAGE)
        source = (folder / PACKAGE / self.file).read_text()
        assert self.code in source, f"{self.file} no longer holds the code that this mutant changes"
        (folder / PACKAGE / self.file).write_text(source.replace(self.code, self.instead))

        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "hypothesispytest"]
        path = f"pythonpath={folder / 'lambda'} {ROOT}"
        run = subprocess.run(  # noqa: S603 - our own tests
            [sys.executable, "-m", "pytest", *options, "--hypothesis-profile=mutant", "-o", path, self.test],
            cwd=ROOT,
            # To look for plugins takes a second, a third of it all.
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            # A bomb that nothing stops takes two minutes, and more on a busy machine.
            timeout=900,
            check=False,
        )

        assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-2000:]
        assert "AssertionError" in run.stdout, run.stdout[-2000:]


def outdated(mutants: Mapping[str, Mutant]) -> list[str]:
    """The names of mutants that break nothing any more: a sample of them would not show it."""
    return [name for name, mutant in mutants.items() if not mutant.is_current]
