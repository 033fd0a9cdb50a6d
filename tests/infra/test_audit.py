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
    """What else there is, alone and as it comes; each takes seconds."""
    if "variant" in metafunc.fixturenames:
        metafunc.parametrize("variant", [*SETTINGS[1:], *MADE, {"stage": "prod", **PARAMETER}, *drawn()])


def test_every_setting_is_audited_at_another_value_than_its_default() -> None:
    audited = {name for each in [*SETTINGS, PARAMETER] for name, text in each.items() if text is not None}
    assert audited - {"stage"} == set(RULES)


def lint(folder: Path) -> tuple[int, str]:
    """What the linter says of a template."""
    (template,) = folder.glob("*.template.json")
    run = subprocess.run(  # noqa: S603 - the linter on our own template
        [Path(sys.executable).with_name("cfn-lint"), template], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout


@pytest.mark.whole
def test_nothing_is_found_with_every_setting_but_what_was_planted(context: dict[str, Any], tmp_path: Path) -> None:
    """And that fails the synth, which says what to do."""
    run, found = synth(context | SETTINGS[0], tmp_path, "-c", PLANTED)
    assert run.returncode == 1
    assert {each["ruleName"] for each in found} == {"AwsSolutions-S1", "AwsSolutions-S10"}
    assert "Traceback" not in run.stderr
    assert run.stderr.rstrip().endswith("answer it beside its resource (infra/audit.py)")
    assert lint(tmp_path) == (0, "")


@pytest.mark.whole
def test_nothing_is_found(context: dict[str, Any], tmp_path: Path, variant: Overrides) -> None:
    run, found = synth(context | variant, tmp_path)
    assert run.returncode == 0, run.stderr
    assert not found
    assert lint(tmp_path) == (0, "")
