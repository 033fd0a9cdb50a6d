"""Every synth is audited: cdk-nag and cfn-lint find nothing that nobody has answered for."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT, TRACKING_ID

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


def synth(
    context: dict[str, Any], outdir: Path, *command: str, **overrides: str | None
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run the app as the CDK command does; what it said, and what its audit found."""
    given = json.dumps(context | {"trackingId": TRACKING_ID} | overrides)
    run = subprocess.run(  # noqa: S603 - our own app
        [sys.executable, *(command or ["app.py"])],
        cwd=ROOT,
        env=os.environ | {"CDK_CONTEXT_JSON": given, "CDK_OUTDIR": str(outdir)},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads((outdir / "validation-report.json").read_text())
    packs = {pack["pluginName"]: pack for pack in report["pluginReports"]}
    assert {"AwsSolutions", "Serverless"} <= packs.keys()
    return run, [found for pack in packs.values() for found in pack["violations"]]


@pytest.mark.parametrize(
    "overrides",
    [
        {"stage": "prod"},
        {"stage": "prod", "customerKey": "true", "trackingId": None, "datasetGroup": "shop"},
    ],
    ids=["prod", "all that can be chosen"],
)
def test_nothing_is_found(context: dict[str, Any], tmp_path: Path, overrides: dict[str, str | None]) -> None:
    # The dev stage is synthesized, and so audited, for the end-to-end tests.
    run, found = synth(context, tmp_path, **overrides)
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
