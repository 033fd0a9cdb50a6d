"""The app run as the CDK command runs it, without the command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.infra.conftest import ROOT, TRACKING_ID


def synth(
    context: dict[str, Any], outdir: Path, *command: str, root: Path = ROOT, **overrides: str | None
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run the app of a checkout as the CDK command does; what it said, and what its audit found."""
    given = json.dumps({"trackingId": TRACKING_ID} | context | overrides)
    run = subprocess.run(  # noqa: S603 - our own app
        [sys.executable, *(command or ["app.py"])],
        cwd=root,
        env=os.environ | {"CDK_CONTEXT_JSON": given, "CDK_OUTDIR": str(outdir), "CDK_VALIDATION": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads((outdir / "validation-report.json").read_text())
    packs = {pack["pluginName"]: pack for pack in report["pluginReports"]}
    assert {"AwsSolutions", "Serverless"} <= packs.keys()
    return run, [found for pack in packs.values() for found in pack["violations"]]
