"""Every synth is audited: cdk-nag and cfn-lint find nothing that nobody has answered for."""

import subprocess
import sys
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.allowed import RULES
from tests.infra.conftest import ROOT
from tests.infra.synthesis import synth
from tests.infra.test_settings import RIGHT

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


type Overrides = dict[str, str | None]

PLACED = ("trackingId", "streamShards", "alarmEmail", "producerArns", "vpcZones", "vpcCidr")
"""Settings whose place others take."""
BESIDE = (
    *("datasetGroup", "datasetGroupDomain", "interactionFields", "streamArn", "streamKeyArn"),
    *("pageTopicArn", "ticketTopicArn", "vpcId", "vpcSubnetIds"),
)
INSTEAD: Overrides = {
    "trackingId": None,
    "streamShards": None,
    "alarmEmail": None,
    "producerArns": None,
    "vpcZones": None,
    "vpcCidr": None,
    **{name: RIGHT[name][0] for name in BESIDE},
}
PARAMETER: Overrides = {"trackingId": None, "trackingIdParameter": RIGHT["trackingIdParameter"][0]}
"""The settings that take another's place."""
EVERY_SETTING: Overrides = {name: text for name, (text, _) in RIGHT.items() if name not in INSTEAD.keys() | PARAMETER}
EVERY_SETTING |= {name: RIGHT[name][0] for name in PLACED}
"""Every setting that stands beside the others, at a value that isn't its default."""
MAKING: list[Overrides] = [{}, {"trackingId": None, "datasetGroup": "shop"}]
MADE: list[Overrides] = [
    {"stage": stage, "customerKey": key, "vpc": network, **tracker}
    for stage in ("dev", "prod")
    for key, network in product(("false", "true"), ("false", "true", "leaving"))
    for tracker in MAKING
]
"""Each stage with and without each of what a stack may also make."""
SETTINGS: list[Overrides] = [{"stage": "prod", **EVERY_SETTING}, {"stage": "prod", **EVERY_SETTING, **INSTEAD}]
"""The end-to-end tests synthesize the plain stages, and so audit them, too."""


def drawn() -> list[Overrides]:
    """Settings at other values in combinations as they come."""
    chance = Random(12)  # noqa: S311 - drawn the same each time
    names = sorted(EVERY_SETTING.keys() - {"trackingId", "mapping", "mappingSalt", "vpcZones", "vpcCidr"})
    return [{"stage": "prod", **{name: EVERY_SETTING[name] for name in chance.sample(names, 6)}} for _ in range(12)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every setting together; with --verify also what else there is, alone and as it comes."""
    if "variant" in metafunc.fixturenames:
        more = [*MADE, {"stage": "prod", **PARAMETER}, *drawn()] if metafunc.config.getoption("--verify") else []
        metafunc.parametrize("variant", [*SETTINGS[: None if more else 1], *more])


def test_every_setting_is_audited_at_another_value_than_its_default() -> None:
    audited = {name for each in [*SETTINGS, PARAMETER] for name, text in each.items() if text is not None}
    assert audited - {"stage"} == set(RULES)


def test_nothing_is_found(context: dict[str, Any], tmp_path: Path, variant: Overrides) -> None:
    run, found = synth(context | variant, tmp_path)
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
