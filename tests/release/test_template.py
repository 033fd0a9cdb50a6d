"""The template of a release deploys as it is, by its parameters alone, and relays."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo.clickstream import REFUSED_ITEM, sample
from local.demo.producer import produce
from local.demo.reconciliation import reconcile
from local.personalize.answers import REFUSED_EVENT
from local.personalize.faults import Fault, any_event
from local.system import ARCHITECTURES, TRACKER, System
from tests.release.packages import ROOT, Installed

pytestmark = pytest.mark.whole
BUCKET = "releases"
PREFIX = "relay/"
PATIENCE = 120


class ReleasedSystem(System):
    """The local system, of a release: its archives are uploaded, and its template is deployed, as by hand."""

    def __init__(self, dist: Path) -> None:
        super().__init__()
        self._dist = dist

    def deploy(self) -> dict[str, str]:
        """Without the CDK."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for archive in self._dist.glob("*.zip"):
            s3.put_object(Bucket=BUCKET, Key=PREFIX + archive.name, Body=archive.read_bytes())
        return self.create(self.stack)

    def create(self, stack: str, **parameters: str) -> dict[str, str]:
        """Create a stack from the template; returns its outputs."""
        given = {
            "TrackingId": TRACKER,
            "CodeBucket": BUCKET,
            "CodePrefix": PREFIX,
            "Architecture": ARCHITECTURES[platform.machine()],
            **parameters,
        }
        (template,) = self._dist.glob("*.template.json")
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=template.read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": PATIENCE}
        )
        (made,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in made["Outputs"]}


@pytest.fixture(scope="module")
def released(dist: Path) -> Iterator[ReleasedSystem]:
    """A release, deployed."""
    with ReleasedSystem(dist) as running:
        yield running


def test_the_demos_events_are_accounted_for(released: ReleasedSystem) -> None:
    """Each delivered once, or quarantined for its reason."""
    withdrawn = any_event(lambda event: event.get("itemId") == REFUSED_ITEM)
    released.personalize.inject(Fault(REFUSED_EVENT, when=withdrawn))
    produced = list(produce(released.client("kinesis"), released.stream, sample(sessions=100)))
    assert released.mapping.wait_until_drained(PATIENCE)
    accepted = {event_id: each.count for event_id, each in released.personalize.accepted.items()}
    account = reconcile(produced, accepted, released.quarantine(), released.filtered())
    assert account.delivered > 1_000
    assert account.holds, account


def test_a_stream_that_is_there_is_read_and_an_address_subscribed(released: ReleasedSystem) -> None:
    """No second stream is made; the function counts under the stack's name."""
    kinesis, streams = released.client("kinesis"), released.client("kinesis").list_streams()["StreamNames"]
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
    outputs = released.create("personalize-relay-beside", ExistingStreamArn=arn, AlarmEmail="on-call@example.com")
    assert set(kinesis.list_streams()["StreamNames"]) == {*streams, "clicks"}
    assert (outputs["StreamName"], outputs["StreamArn"]) == ("clicks", arn)
    function = released.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
    assert function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == "personalize-relay-beside"
    mapping = released.client("lambda").get_event_source_mapping(UUID=outputs["EventSourceMappingId"])
    assert mapping["EventSourceArn"] == arn
    resources = released.client("cloudformation").list_stack_resources(StackName="personalize-relay-beside")
    kinds = [each["ResourceType"] for each in resources["StackResourceSummaries"]]
    assert kinds.count("AWS::SNS::Subscription") == 2


def test_the_installed_command_sends_to_it(released: ReleasedSystem, installed: Installed, tmp_path: Path) -> None:
    """Away from the checkout: `--local` needs nothing of it."""
    events = Path(shutil.copy(ROOT / "docs" / "example.jsonl", tmp_path))
    before = released.personalize.call_count
    port = released.emulator.endpoint.rpartition(":")[2]
    run = installed.relay("produce", "--local", "--port", port, events)
    assert run.returncode == 0, run.stderr
    assert released.mapping.wait_until_drained(PATIENCE)
    assert released.personalize.call_count > before
