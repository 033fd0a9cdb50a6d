"""`python app.py` as the CDK command starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import ROOT, SHARED_STREAM_ARN

PLACES = "set it in cdk.json under stages.dev or by -c"


def refusal(context: dict[str, Any], *, region: str = "eu-west-1", **overrides: str) -> str:
    """The one line that a synth ends with."""
    given = json.dumps(context | {"trackingId": "tracker"} | overrides)
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=os.environ | {"CDK_CONTEXT_JSON": given, "CDK_DEFAULT_REGION": region},
        capture_output=True,
        text=True,
        check=False,
    )
    # The CDK's runtime greets an old Node.js with a framed notice of its own.
    (said,) = [line for line in result.stderr.splitlines() if not line.startswith("b'!!")]
    assert (result.returncode, result.stdout) == (1, "")
    return said


@pytest.mark.whole
def test_wrong_setting_ends_in_one_line(context: dict[str, Any]) -> None:
    """A person who mistypes a setting reads a sentence, not a traceback."""
    rule = "batchSize must be a whole number from 1 to 10000, not '0'"
    assert refusal(context, batchSize="0") == f"{rule}; {PLACES} batchSize=…"


def test_wrong_mapping_ends_in_one_line(context: dict[str, Any], tmp_path: Path) -> None:
    """Nothing is deployed that would turn every record away, or whose own tests fail."""
    mapping = tmp_path / "ours.toml"
    mapping.write_text(
        '[[rule]]\nname = "all"\ndrop = true\n[[test]]\nname = "one"\ninput = "{}"\nreason = "not_mapped"\n'
    )
    assert refusal(context, mapping=str(mapping)).startswith(f'{mapping}: test "one": ')


@pytest.mark.whole
def test_stream_of_another_region_ends_in_one_line(context: dict[str, Any]) -> None:
    """By the region that the CDK command says."""
    said = refusal(context, region="us-east-1", streamArn=SHARED_STREAM_ARN, streamRetentionHours="24")
    assert said.startswith("streamArn must be of the region that is deployed to, us-east-1: ")
    assert said.endswith(f"{PLACES} streamArn=…")
