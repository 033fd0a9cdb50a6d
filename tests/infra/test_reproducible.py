"""What is deployed depends on the sources alone: two checkouts of a commit give the same bytes."""

import shutil
from compileall import compile_dir
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT
from tests.infra.synthesis import synth

MADE = (".venv", "node_modules", "build", "cdk.out", "__pycache__", ".*_cache", ".hypothesis", ".git")


@pytest.mark.whole
def test_a_fresh_checkout_gives_the_template_and_the_package_of_a_used_one(
    context: dict[str, Any], tmp_path: Path
) -> None:
    """The one holds bytecode, as of a run of the function; the other lies at a path of its own and has run nothing."""
    assert compile_dir(ROOT / "lambda", quiet=1)
    fresh = tmp_path / "a" / "fresh checkout"
    shutil.copytree(ROOT, fresh, ignore=shutil.ignore_patterns(*MADE))
    written = {}
    for checkout, folder in ((ROOT, tmp_path / "used"), (fresh, tmp_path / "fresh")):
        run, _ = synth(context, folder, root=checkout, stage="prod")
        assert run.returncode == 0, run.stderr
        # The template, and the file that names each asset by the hash of its content.
        written[checkout] = [
            (folder / f"personalize-relay-prod.{kind}.json").read_bytes() for kind in ("template", "assets")
        ]
    assert written[ROOT] == written[fresh]
