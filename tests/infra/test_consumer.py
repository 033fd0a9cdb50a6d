"""The function may do what it must and no more, and its mapping loses nothing."""

import pytest
from aws_cdk.assertions import Match, Template

from infra.packed import MAPPING_FILE
from infra.retries import retry_attempts
from personalize_relay.settings import Settings
from tests.infra.conftest import TRACKING_ID, Synthesize
from tests.infra.templates import arn, granted, only, under

QUARANTINE_PREFIX = Settings(tracking_id="x", quarantine_bucket="x").quarantine_prefix


@pytest.fixture
def bucket(prod: Template) -> str:
    """The logical id of the bucket whose accesses are logged."""
    return only(prod, "AWS::S3::Bucket", {"LoggingConfiguration": Match.any_value()})[0]


@pytest.fixture
def stream(prod: Template) -> str:
    """The logical id of the stream."""
    return only(prod, "AWS::Kinesis::Stream")[0]


def test_role_holds_exactly_what_is_used(prod: Template, bucket: str, stream: str) -> None:
    """The function's role: its list and nothing else, inline, for Lambda alone."""
    log_group, _ = only(prod, "AWS::Logs::LogGroup")
    _, role = only(prod, "AWS::IAM::Role")
    assert granted(prod) == sorted(
        [
            ("kinesis:DescribeStream", arn(stream)),
            ("kinesis:DescribeStreamSummary", arn(stream)),
            ("kinesis:GetRecords", arn(stream)),
            ("kinesis:GetShardIterator", arn(stream)),
            ("kinesis:ListShards", arn(stream)),
            ("logs:CreateLogStream", arn(log_group)),
            ("logs:PutLogEvents", arn(log_group)),
            ("personalize:PutEvents", "*"),
            ("s3:ListBucket", arn(bucket)),
            ("s3:PutObject", under(bucket, "/aws/lambda/*")),
            ("s3:PutObject", under(bucket, f"/{QUARANTINE_PREFIX}*")),
            ("xray:PutTelemetryRecords", "*"),
            ("xray:PutTraceSegments", "*"),
        ],
        key=str,
    )
    assert role["Properties"].keys() == {"AssumeRolePolicyDocument", "Policies", "Tags"}
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_mapping_loses_nothing(prod: Template, bucket: str, stream: str) -> None:
    """From the oldest record, partial failures, retries for the whole record age, and what is given up stored."""
    prod.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "EventSourceArn": arn(stream),
            "FunctionName": {"Ref": only(prod, "AWS::Lambda::Alias")[0]},
            "StartingPosition": "TRIM_HORIZON",
            "StartingPositionTimestamp": Match.absent(),
            "BatchSize": 1000,
            "MaximumBatchingWindowInSeconds": 1,
            "ParallelizationFactor": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": retry_attempts(max_record_age_seconds=43_200, timeout_seconds=60),
            "MaximumRecordAgeInSeconds": 43_200,
            "DestinationConfig": {"OnFailure": {"Destination": arn(bucket)}},
            "MetricsConfig": {"Metrics": ["EventCount"]},
        },
    )


def test_each_deployment_leaves_a_version_to_go_back_to(dev: Template, prod: Template) -> None:
    """In dev, too; all but one that a failed deployment published: the same function can't be published again."""
    for template in (dev, prod):
        name, version = only(template, "AWS::Lambda::Version")
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        _, alias = only(template, "AWS::Lambda::Alias")
        assert alias["Properties"] == {
            "FunctionName": {"Ref": only(template, "AWS::Lambda::Function")[0]},
            "FunctionVersion": {"Fn::GetAtt": [name, "Version"]},
            "Name": "live",
        }


def test_a_tracker_that_changes_outside_of_the_template_makes_a_version(synthesize: Synthesize) -> None:
    """Else the alias would go on with the old one: the template alone decides whether there is a new version."""
    template = synthesize(stage="dev", trackingId=None, trackingIdParameter="/shop/tracking-id")
    _, function = only(template, "AWS::Lambda::Function")
    _, version = only(template, "AWS::Lambda::Version")
    tracker = function["Properties"]["Environment"]["Variables"]["TRACKING_ID"]
    assert tracker.keys() == {"Ref"}
    assert version["Properties"]["Description"] == tracker


def test_function_runs_as_designed(prod: Template) -> None:
    """The newest runtime, the cheaper processor, tracing on, no share of concurrency taken from others."""
    prod.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "personalize_relay.handler.handler",
            "Runtime": "python3.13",
            "Architectures": ["arm64"],
            "MemorySize": 512,
            "Timeout": 60,
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {"LogGroup": {"Ref": only(prod, "AWS::Logs::LogGroup")[0]}},
            "ReservedConcurrentExecutions": Match.absent(),
        },
    )


def test_function_reads_the_settings_the_stack_writes(prod: Template, bucket: str) -> None:
    """The environment is what the function's own reader understands; each stage has metrics of its own."""
    _, function = only(prod, "AWS::Lambda::Function")
    variables = function["Properties"]["Environment"]["Variables"]
    assert variables["QUARANTINE_BUCKET"] == {"Ref": bucket}
    read = Settings.from_env(variables | {"QUARANTINE_BUCKET": "bucket"})
    assert read == Settings(tracking_id=TRACKING_ID, quarantine_bucket="bucket", service="personalize-relay-prod")


def test_function_finds_the_mapping_that_is_packed_with_it(shadow: Template, synthesize: Synthesize) -> None:
    """A file under the name that it is packed as, whatever its own; a preset by its name."""
    read = _environment(shadow)
    assert (read.mapping, read.mapping_salt, read.shadow) == (MAPPING_FILE, "x" * 16, True)
    assert _environment(synthesize(stage="dev", mapping="segment")).mapping == "segment"


def _environment(template: Template) -> Settings:
    variables = only(template, "AWS::Lambda::Function")[1]["Properties"]["Environment"]["Variables"]
    return Settings.from_env(variables | {"QUARANTINE_BUCKET": "bucket"})
