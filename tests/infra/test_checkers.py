"""Other people's checkers, on the plainest stack and on the fullest: nothing is found that nobody answered for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.answers import ANSWERS
from tests.infra.conftest import ROOT
from tests.infra.synthesis import synth
from tests.infra.test_audit import EVERY_SETTING

pytestmark = pytest.mark.whole

PACKS = """
import sys
import app
from cdk_nag import HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
app.CHECKS = (HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks, *app.CHECKS)
sys.exit(app.main())
"""
NAMES = {"AwsSolutions", "Serverless", "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321"}
"""What the packs are called in the report, which also has the synth's own warnings."""
CHECKOV = "checkov==3.3.30"
"""Run in an environment of its own: it pins the libraries that it shares with the function."""
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1")
STACKS: dict[str, dict[str, str | None]] = {
    "plainest": {"stage": "dev"},
    "fullest": {"stage": "prod", **EVERY_SETTING, "shadow": "false"},
}

type Finding = tuple[str, str]
"""A rule, and where it was found, without the name of the stack."""


@pytest.fixture(scope="module", params=STACKS)
def assembly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack, with every pack's report beside its template."""
    folder = tmp_path_factory.mktemp(request.param)
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    run, _ = synth(context | STACKS[request.param], folder, "-c", PACKS)
    assert "Traceback" not in run.stderr, run.stderr
    return folder


@pytest.fixture(scope="module")
def answered() -> set[tuple[str, ...]]:
    """The answers that were needed so far."""
    return set()


def of_packs(folder: Path) -> set[Finding]:
    """What cdk-nag's packs found."""
    reports = json.loads((folder / "validation-report.json").read_text())["pluginReports"]
    packs = {each["pluginName"]: each["violations"] for each in reports if each["pluginName"] in NAMES}
    assert packs.keys() == NAMES
    return {
        (
            violation["ruleName"].rpartition("-")[2],
            construct["constructPath"].partition("/")[2].removeprefix("Default/"),
        )
        for violations in packs.values()
        for violation in violations
        for construct in violation["violatingConstructs"]
    }


def of_checkov(folder: Path) -> set[Finding]:
    """What checkov found."""
    command = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--quiet", CHECKOV, "--skip-download"]
    words = ["--directory", str(folder), "--framework", "cloudformation", "--output", "json", "--quiet"]
    run = subprocess.run([*command, *words], capture_output=True, text=True, check=False)  # noqa: S603
    report: dict[str, Any] = json.loads(run.stdout)
    assert report["summary"]["passed"], run.stderr
    return {(each["check_id"], each["resource"].partition(".")[2]) for each in report["results"]["failed_checks"]}


def test_every_finding_has_an_answer(assembly: Path, answered: set[tuple[str, ...]]) -> None:
    found = of_packs(assembly) | of_checkov(assembly)
    assert found
    used = {(rule, place): [each for each in ANSWERS if each.is_of(rule, place)] for rule, place in found}
    assert not [finding for finding, answers in used.items() if not answers]
    answered |= {answer.rules for answers in used.values() for answer in answers}


def test_every_answer_is_needed(answered: set[tuple[str, ...]]) -> None:
    assert {each.rules for each in ANSWERS} == answered


def test_the_template_is_right_in_every_region(assembly: Path) -> None:
    (template,) = assembly.glob("*.template.json")
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", *REGIONS, "--template", str(template)]
    lint = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (lint.returncode, lint.stdout) == (0, "")
