"""The template of a release: it deploys without the CDK, and is the stack but for its parameters."""

import json
import os
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from aws_cdk.assertions import Template

from infra.packed import pack
from infra.release import write_template
from infra.release_template import archive_name
from tests.infra.test_audit import lint

MOST_BYTES = 51_200
"""Of a template in a call: "CloudFormation quotas"."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the template in it."""
    folder = tmp_path_factory.mktemp("release")
    write_template(folder, "1.2.3")
    return folder


@pytest.fixture(scope="module")
def template(folder: Path) -> dict[str, Any]:
    """The template that is written."""
    (path,) = folder.glob("*.template.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_it_fits_into_a_call(folder: Path) -> None:
    """Who has no bucket for templates deploys it all the same."""
    (path,) = folder.glob("*.template.json")
    assert path.stat().st_size <= MOST_BYTES


def test_the_linter_finds_nothing(folder: Path) -> None:
    assert lint(folder) == (0, "")


def test_an_account_needs_no_bootstrap_and_tells_what_differs(template: dict[str, Any]) -> None:
    """Only the tracker and the bucket with the code have no default."""
    parameters = template["Parameters"]
    assert {name for name, body in parameters.items() if "Default" not in body} == {"TrackingId", "CodeBucket"}
    assert parameters.keys() == {
        *("TrackingId", "CodeBucket", "CodePrefix", "Architecture", "ExistingStreamArn", "AlarmEmail"),
    }
    assert "Rules" not in template
    assert all(body["Description"].endswith(".") for body in parameters.values())


def test_it_holds_the_resources_of_a_stage(template: dict[str, Any], prod: Template) -> None:
    """And a subscription for each topic, where an address is given."""
    kinds = sorted(body["Type"] for body in template["Resources"].values())
    usual = [body["Type"] for body in prod.to_json()["Resources"].values()]
    assert kinds == sorted([*usual, "AWS::SNS::Subscription", "AWS::SNS::Subscription"])


def test_only_the_stream_and_the_subscriptions_hang_on_what_is_given(template: dict[str, Any]) -> None:
    conditional = {body["Type"]: body["Condition"] for body in template["Resources"].values() if "Condition" in body}
    assert conditional == {"AWS::Kinesis::Stream": "StreamIsMade", "AWS::SNS::Subscription": "AlarmEmailIsGiven"}


def test_the_code_is_the_archive_of_that_version_and_processor(template: dict[str, Any]) -> None:
    (function,) = [body for body in template["Resources"].values() if body["Type"] == "AWS::Lambda::Function"]
    code = function["Properties"]["Code"]
    assert code["S3Bucket"] == {"Ref": "CodeBucket"}
    values = {"CodePrefix": "relay/", "Architecture": "x86_64"}
    (_, parts) = code["S3Key"]["Fn::Join"]
    key = "".join(part if isinstance(part, str) else values[part["Ref"]] for part in parts)
    assert key == "relay/" + archive_name("1.2.3", "x86_64")
    assert function["Properties"]["Architectures"] == [{"Ref": "Architecture"}]


def test_an_archive_depends_on_its_files_alone(tmp_path: Path) -> None:
    """Not on when and in which order they were written, nor on who may read them here: Lambda may."""
    archives: list[bytes] = []
    for names in (("a.py", "b/c.py"), ("b/c.py", "a.py")):
        folder = tmp_path / str(len(archives))
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            path.chmod(0o600 if archives else 0o644)
            os.utime(path, (number, 1_700_000_000 + number))
        pack(folder, tmp_path / f"{folder.name}.zip")
        archives.append((tmp_path / f"{folder.name}.zip").read_bytes())
    assert archives[0] == archives[1]
    with ZipFile(tmp_path / "1.zip") as opened:
        assert {entry.external_attr >> 16 for entry in opened.infolist()} == {0o100644}
