"""`python app.py` as the CDK command starts it."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.infra.conftest import ROOT


def test_wrong_setting_ends_in_one_line(context: dict[str, Any]) -> None:
    """A person who mistypes a setting reads a sentence, not a traceback."""
    given = {"CDK_CONTEXT_JSON": json.dumps(context | {"trackingId": "tracker", "batchSize": "0"})}
    result = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=os.environ | given, capture_output=True, text=True, check=False
    )
    # The CDK's runtime greets an old Node.js with a framed notice of its own.
    said = [line for line in result.stderr.splitlines() if not line.startswith("b'!!")]
    rule = "batchSize must be a whole number from 1 to 10000, not '0'"
    assert said == [f"{rule}; set it in cdk.json under stages.dev or by -c batchSize=…"]
    assert (result.returncode, result.stdout) == (1, "")
