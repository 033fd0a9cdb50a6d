"""What the template promises, looked up by property; one test knows logical ids, as deployed stacks do."""

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.relay_settings import RelaySettings
from infra.stream import InteractionStream
from tests.infra.conftest import HOME, SHARED_KEY_ARN, SHARED_STREAM_ARN, Compose, Synthesize
from tests.infra.templates import granted, only, warned

KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/0b9c2f6e-1111-2222-3333-444455556666"
STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"


def test_stack_holds_nothing_else(prod: Template) -> None:
    """No custom resource, no second function and no managed policy can slip in."""
    kinds = sorted(body["Type"] for body in prod.to_json()["Resources"].values())
    assert [kind for kind in kinds if kind != "AWS::CloudWatch::Alarm"] == [
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::IAM::Role",
        "AWS::Kinesis::Stream",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SNS::TopicPolicy",
    ]


def test_what_holds_data_keeps_its_logical_id(prod: Template) -> None:
    """Under another one, the next deployment would make it anew, and leave or delete the one with the records in it."""
    holding = {"AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SNS::Topic"}
    resources = prod.to_json()["Resources"]
    assert {name for name, body in resources.items() if body["Type"] in holding} == {
        "StreamNew7B39721F",
        "FailuresBucket3D5A4556",
        "FailuresAccessLogs9B61BB3B",
        "ConsumerLog35DA0B86",
        "AlarmsPageTopic40500CB4",
        "AlarmsTicketTopic3C81C432",
    }
    assert "MappingE24B359D" in resources, "a mapping made anew would begin at its starting position"


def test_nothing_has_a_physical_name(prod: Template) -> None:
    """Two stages, or two stacks of a stage, never claim one name."""
    named = {
        *("AlarmName", "BucketName", "DashboardName", "FunctionName", "LogGroupName", "Name", "RoleName", "TopicName"),
    }
    parts = {f"AWS::Lambda::{kind}" for kind in ("Alias", "EventSourceMapping", "Version")}  # of the function
    for body in prod.to_json()["Resources"].values():
        assert body["Type"] in parts or not named & body.get("Properties", {}).keys()


def test_stream_is_encrypted_and_keeps_two_days(prod: Template) -> None:
    """Longer than the mapping retries, without a shard to count."""
    prod.has_resource_properties(
        "AWS::Kinesis::Stream",
        {
            "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "RetentionPeriodHours": 48,
            "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
        },
    )


def test_the_relay_adds_nothing_to_the_ids_of_its_resources(prod: Template) -> None:
    """A stage that was deployed before there was the construct keeps its stream, and the records in it."""
    stack = Stack(App(), "Any")
    InteractionStream(stack, "Stream", settings=RelaySettings(), key=None)
    kind = "AWS::Kinesis::Stream"
    assert only(Template.from_stack(stack), kind)[0] == only(prod, kind)[0]


@pytest.mark.parametrize(
    ("stage", "policies"), [("dev", ("Delete", "Delete")), ("prod", ("RetainExceptOnCreate", "Retain"))]
)
@pytest.mark.parametrize("kind", ["AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"])
def test_data_outlives_the_prod_stack(synthesize: Synthesize, stage: str, policies: tuple[str, str], kind: str) -> None:
    """Removing the prod stack removes no event, and leaves its buckets closed; dev cleans up.

    A first deployment of either that fails leaves nothing behind, which would cost money unseen.
    """
    for body in synthesize(stage=stage).find_resources(kind).values():
        assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == policies


def test_prod_is_destroyed_only_after_a_deployment_that_allows_it(compose: Compose) -> None:
    assert compose(stage="prod").termination_protection
    assert not compose(stage="prod", terminationProtection="false").termination_protection
    assert not compose(stage="dev").termination_protection


def test_what_it_costs_can_be_told_by_stage(prod: Template) -> None:
    """Each kind that takes tags has them."""
    for kind in ("AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::CloudWatch::Alarm"):
        for body in prod.find_resources(kind).values():
            tags = {tag["Key"]: tag["Value"] for tag in body["Properties"]["Tags"]}
            assert tags == {"Application": "personalize-relay", "Stage": "prod"}


def test_outputs_name_what_a_person_looks_for(dev: Template) -> None:
    """The names that the commands and the runbook use."""
    names = {
        "StreamName",
        "StreamArn",
        "FunctionName",
        "AliasName",
        "BucketName",
        "EventSourceMappingId",
        "LogGroupName",
        "PageTopicArn",
        "TicketTopicArn",
    }
    assert dev.find_outputs("*").keys() == names


def test_existing_stream_is_read_not_made(synthesize: Synthesize) -> None:
    """A stream that is given stays its owner's: the stack only reads it."""
    template = synthesize(stage="prod", streamArn=STREAM_ARN, streamRetentionHours="24")
    template.resource_count_is("AWS::Kinesis::Stream", 0)
    template.has_resource_properties("AWS::Lambda::EventSourceMapping", {"EventSourceArn": STREAM_ARN})
    template.has_output("StreamName", {"Value": "clicks"})
    _, role = only(template, "AWS::IAM::Role")
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert [one["Resource"] for one in statements if "kinesis:GetRecords" in one["Action"]] == [STREAM_ARN]


def test_the_key_of_an_existing_stream_may_decrypt_it(synthesize: Synthesize) -> None:
    """And nothing else: without it a stream that its owner encrypted can't be read."""
    template = synthesize(stage="prod", streamArn=STREAM_ARN, streamKeyArn=KEY_ARN, streamRetentionHours="24")
    _, role = only(template, "AWS::IAM::Role")
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert [one["Action"] for one in statements if one["Resource"] == KEY_ARN] == ["kms:Decrypt"]


@pytest.mark.parametrize(("parallelization", "warnings"), [("1", 0), ("2", 1)])
def test_lost_order_is_warned_of(compose: Compose, parallelization: str, warnings: int) -> None:
    """Several invocations a shard keep the order of a partition key alone; a person is told before deploying."""
    said = warned(compose(stage="dev", parallelization=parallelization))
    assert sum("stay in order only if" in each for each in said) == warnings


def test_a_stream_and_a_key_of_other_accounts_are_read_as_ones_own_would_be(shared: Template) -> None:
    """And the commands get its ARN: by its name they would find another stream, or none."""
    allowed = dict(granted(shared))
    assert allowed["kinesis:GetRecords"] == SHARED_STREAM_ARN
    assert allowed["kms:Decrypt"] == SHARED_KEY_ARN
    shared.has_output("StreamArn", {"Value": SHARED_STREAM_ARN})


def test_whoever_deploys_is_told_what_to_do_and_what_is_left_out(compose: Compose) -> None:
    """In shadow, with topics that nobody subscribes to, and with a stream and a key of other accounts."""
    given = {"streamArn": SHARED_STREAM_ARN, "streamKeyArn": SHARED_KEY_ARN, "streamRetentionHours": "24"}
    stack = compose(stage="dev", shadow="true", home=HOME, **given)
    said = warned(stack)
    beginnings = ["nobody hears of pages and tickets"]
    beginnings += ["streamArn is a stream of account 222222222222", "streamKeyArn is a key of account 333333333333"]
    beginnings += ["shadow is on: the function delivers and", "the stream's metrics are in another account"]
    assert len(said) == len(beginnings)
    assert all(each.startswith(beginning) for each, beginning in zip(said, beginnings, strict=True))


def test_settings_reach_the_template(synthesize: Synthesize) -> None:
    """Each setting that a person overrides changes the property it is named after."""
    template = synthesize(
        stage="dev",
        allowedTrackingIds="a,b",
        architecture="x86_64",
        batchSize="10",
        batchWindowSeconds="0",
        bisectOnError="false",
        logLevel="DEBUG",
        logRetention="ONE_DAY",
        maxInFlight="8",
        freshnessMinutes="1",
        maxRecordAgeMinutes="3",
        memoryMb="256",
        parallelization="2",
        startingPosition="2026-01-02T03:04:05Z",
        streamRetentionHours="24",
        streamShards="4",
        timeoutSeconds="30",
    )
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 10,
            "BisectBatchOnFunctionError": False,
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": 180,
            "MaximumRetryAttempts": 118,
            "ParallelizationFactor": 2,
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": 1_767_323_045,
        },
    )
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["x86_64"],
            "Environment": {"Variables": {"ALLOWED_TRACKING_IDS": "a,b", "LOG_LEVEL": "DEBUG", "MAX_IN_FLIGHT": "8"}},
            "MemorySize": 256,
            "Timeout": 30,
        },
    )
    template.has_resource_properties(
        "AWS::Kinesis::Stream",
        {"RetentionPeriodHours": 24, "ShardCount": 4, "StreamModeDetails": {"StreamMode": "PROVISIONED"}},
    )
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 1})
