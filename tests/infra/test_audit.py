"""Every synth is audited: cdk-nag and cfn-lint find nothing that nobody has answered for."""

import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT
from tests.infra.synthesis import synth

PLANTED = """
import sys
from aws_cdk.aws_s3 import Bucket
import app

class Planted(app.RelayStack):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        Bucket(self, "Planted")

app.RelayStack = Planted
sys.exit(app.main())
"""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One stage with or without each of what a stack may also make."""

    stage: str
    personalize: bool
    key: bool
    network: bool

    @property
    def overrides(self) -> dict[str, str | None]:
        """As `-c` gives them."""
        tracker: dict[str, str | None] = {"trackingId": None, "datasetGroup": "shop"} if self.personalize else {}
        return {"stage": self.stage, "customerKey": str(self.key).lower(), "vpc": str(self.network).lower(), **tracker}

    def __str__(self) -> str:
        made = ("personalize", "key", "network")
        return "-".join([self.stage, *(name for name in made if getattr(self, name))])


VARIANTS = [
    Variant(stage=stage, personalize=personalize, key=key, network=network)
    for stage in ("dev", "prod")
    for personalize, key, network in product((False, True), repeat=3)
]
SAMPLE = [VARIANTS[len(VARIANTS) // 2], VARIANTS[-1]]
"""The plain prod stage and all that it may have; the end-to-end tests synthesize, and so audit, the dev stage."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every variant, or the sample of them."""
    if "variant" in metafunc.fixturenames:
        chosen = VARIANTS if metafunc.config.getoption("--verify") else SAMPLE
        metafunc.parametrize("variant", chosen, ids=str)


def test_nothing_is_found(context: dict[str, Any], tmp_path: Path, variant: Variant) -> None:
    run, found = synth(context | variant.overrides, tmp_path)
    assert run.returncode == 0, run.stderr
    assert not found
    (template,) = tmp_path.glob("*.template.json")
    lint = subprocess.run(  # noqa: S603 - the linter on our own template
        [Path(sys.executable).with_name("cfn-lint"), template], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout) == (0, "")


def test_a_finding_fails_the_synth_and_says_what_to_do(context: dict[str, Any], tmp_path: Path) -> None:
    run, found = synth(context, tmp_path, "-c", PLANTED)
    assert run.returncode == 1
    assert {each["ruleName"] for each in found} == {"AwsSolutions-S1", "AwsSolutions-S10"}
    assert "Traceback" not in run.stderr
    assert run.stderr.rstrip().endswith("answer for it beside its resource (infra/audit.py)")
