"""A second deployment is compared with the first by the settings that both record, before anything is changed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from infra.changes import LATER
from infra.deployment import main
from infra.recorded import SECTION
from local.emulator.clients import CREDENTIALS, REGION
from local.system import TRACKER
from tests.e2e.account import ROOT, Account
from tests.e2e.conftest import Deployed

STACK = "personalize-relay-changing"
DEPLOYED = {
    "trackingId": TRACKER,
    "datasetGroup": "shop",
    "interactionFields": "DEVICE:string",
    "streamKeyArn": "a-key",
    "startingPosition": "2026-01-02T00:00:00+00:00",
    "customerKey": "true",
    "shadow": "false",
    "vpc": "true",
    "retainData": "true",
}
"""What the first deployment records, whatever it is: the comparison goes by nothing else."""
CHANGED = {
    "datasetGroup": "shop-2",
    "datasetGroupDomain": "ECOMMERCE",
    "interactionFields": "DEVICE:string,PRICE:float",
    "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/clicks",
    "streamKeyArn": "another-key",
    "startingPosition": "2026-01-03T00:00:00+00:00",
    "customerKey": "false",
    "shadow": "true",
    "vpc": "false",
    "vpcZones": "us-east-1a,us-east-1b",
    "vpcCidr": "10.1.0.0/16",
    "vpcId": "vpc-0a1b2c3d",
    "vpcSubnetIds": "subnet-0a1b2c3d",
}
"""For each setting that may not change just so: what it is changed to."""

type Assembly = Callable[..., Path]


@pytest.fixture(scope="module")
def assembly(system: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The dev stage's, for a stack of its own, recording other settings; a resource differs, as it does with most."""
    memory = count(512)

    def recording(**differing: str) -> Path:
        folder = tmp_path_factory.mktemp("altered") / "dev"
        copy(system.assembly, folder)
        (path,) = folder.glob("*.template.json")
        template = json.loads(path.read_text())
        template["Metadata"][SECTION] = DEPLOYED | differing
        (function,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
        function["Properties"]["MemorySize"] = next(memory)
        written = json.dumps(template)
        path.write_text(written)
        # The command uploads a template only where none of its hash is there.
        (assets,) = folder.glob("*.assets.json")
        (known,) = [each for each, file in json.loads(assets.read_text())["files"].items() if is_template(file)]
        for naming in (assets, folder / "manifest.json"):
            naming.write_text(naming.read_text().replace(known, hashlib.sha256(written.encode()).hexdigest()))
        name_stack(folder / "manifest.json")
        return folder

    return recording


def copy(assembly: Path, folder: Path) -> None:
    """Copy its documents; the function's code is the same."""
    folder.mkdir()
    for each in assembly.iterdir():
        if each.is_dir():
            (folder / each.name).symlink_to(each)
        else:
            shutil.copy(each, folder)


def is_template(asset: dict[str, Any]) -> bool:
    return str(asset["source"]["path"]).endswith(".template.json")


def name_stack(manifest: Path) -> None:
    """The stack is deployed beside that of all other tests."""
    written = json.loads(manifest.read_text())
    (stack,) = [each for each in written["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
    stack["properties"]["stackName"] = STACK
    manifest.write_text(json.dumps(written))


@pytest.fixture(scope="module")
def account(system: Deployed, assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The system's account, in which the stack is deployed by the command."""
    account = Account(system.emulator, tmp_path_factory.mktemp("cdk"))
    run = command(account, "deploy", assembly())
    assert run.returncode == 0, run.stdout
    assert "differ from the deployed" not in run.stdout
    return account


def environment(account: Account) -> dict[str, str]:
    """The account as a person's shell has it; approving what a deployment grants takes a terminal."""
    reached = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": account.emulator.endpoint}
    return CREDENTIALS | reached | {"CDK_REQUIRE_APPROVAL": "never", "NO_COLOR": "1"}


def command(account: Account, name: str, assembly: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run what `make deploy` and `make diff` run."""
    ordered = [name, "--stage", "dev", *words, "--", "--app", str(assembly)]
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "infra.deployment", *ordered],
        cwd=ROOT,
        env={**os.environ, **environment(account), "CDK_HOME": str(assembly.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def recorded(account: Account) -> Any:  # noqa: ANN401 - JSON
    """What the deployed template records."""
    body = account.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    return (body if isinstance(body, dict) else json.loads(body))["Metadata"][SECTION]


def test_every_setting_that_may_not_change_just_so_is_tried() -> None:
    assert CHANGED.keys() == {name for name, later in LATER.items() if later.judge}


@pytest.mark.parametrize("name", CHANGED)
def test_a_deployment_that_changes_it_is_stopped_with_the_sentence(
    account: Account,
    assembly: Assembly,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is shown what differs, and nothing is changed."""
    for variable, value in environment(account).items():
        monkeypatch.setenv(variable, value)
    said = main(["deploy", "--stage", "dev", "--", "--app", str(assembly(**{name: CHANGED[name]}))])
    assert isinstance(said, str)
    sentence, end = said.splitlines()
    assert sentence.startswith((f"{name} can't be changed like this. ", f"{name} is changed only with CONFIRM={name} "))
    assert end == "Nothing is changed."
    assert capsys.readouterr().out.splitlines()[1:] == [f"  {name}: {DEPLOYED.get(name, 'not set')} -> {CHANGED[name]}"]
    assert recorded(account) == DEPLOYED


def test_diff_says_the_same_and_goes_on(account: Account, assembly: Assembly) -> None:
    run = command(account, "diff", assembly(vpc="false", shadow="true"))
    assert run.returncode == 0, run.stdout
    lines = run.stdout.splitlines()
    assert lines[:3] == [
        "These settings differ from the deployed ones:",
        "  shadow: false -> true",
        "  vpc: true -> false",
    ]
    assert lines[3].startswith("shadow is changed only with CONFIRM=shadow ")
    assert lines[4].startswith("vpc can't be changed like this. ")
    assert f"Stack personalize-relay-dev ({STACK})" in run.stdout


def test_what_is_confirmed_is_deployed(account: Account, assembly: Assembly) -> None:
    """And what may change anyway, without a word but the line that shows it."""
    changed = {"shadow": "true", "datasetGroup": "shop-2", "retainData": "false"}
    run = command(account, "deploy", assembly(**changed), "--confirm", "shadow, datasetGroup")
    assert run.returncode == 0, run.stdout
    assert "  retainData: true -> false\n" in run.stdout
    assert recorded(account) == DEPLOYED | changed


@pytest.mark.whole
def test_a_stack_of_a_version_that_recorded_nothing_is_not_compared(account: Account, assembly: Assembly) -> None:
    """That is said, and what is asked for is done."""
    account.client("cloudformation").update_stack(
        StackName=STACK,
        TemplateBody=json.dumps({"Resources": {"Kept": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}),
    )
    run = command(account, "diff", assembly(vpc="false"))
    assert run.returncode == 0, run.stdout
    said = "the deployed template is of a version that records no settings, so nothing is compared."
    assert run.stdout.splitlines()[0] == f"{STACK}: {said}"
