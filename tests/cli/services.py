"""Services that answer what a test has them answer, as boto3's clients would."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

type Answers = Mapping[str, Any]
"""By the operation's name in boto3: an answer, or the error code of a refusal as text."""

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""When they are asked."""
OUTPUTS = {
    "StreamName": "the-stream",
    "FunctionName": "the-function",
    "AliasName": "live",
    "BucketName": "the-bucket",
    "EventSourceMappingId": "the-mapping",
    "LogGroupName": "the-log",
    "PageTopicArn": "arn:aws:sns:eu-west-1:123456789012:pages",
    "TicketTopicArn": "arn:aws:sns:eu-west-1:123456789012:tickets",
}


def version(number: int) -> dict[str, str]:
    """A published version, as Lambda lists it."""
    published = f"2026-11-2{number}T09:30:00.000+0000"
    return {"Version": str(number), "LastModified": published, "Description": "the-tracker"}


STACK = {
    "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/personalize-relay-prod/1",
    "StackStatus": "CREATE_COMPLETE",
    "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()],
}
HEALTHY: Answers = {
    "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/operator"},
    "describe_stacks": {"Stacks": [STACK]},
    "describe_stream_summary": {
        "StreamDescriptionSummary": {
            "StreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/the-stream",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "EncryptionType": "KMS",
            "OpenShardCount": 4,
            "RetentionPeriodHours": 48,
        }
    },
    "get_event_source_mapping": {
        "UUID": "the-mapping",
        "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/the-stream",
        "State": "Enabled",
        "LastProcessingResult": "OK",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::the-bucket"}},
        "BisectBatchOnFunctionError": True,
        "MaximumRecordAgeInSeconds": 43_200,
        "MaximumRetryAttempts": 1913,
    },
    "get_template": {
        "TemplateBody": {
            "Resources": {
                "Bucket": {"Type": "AWS::S3::Bucket"},
                "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"MaximumRetryAttempts": 1913}},
            }
        }
    },
    "get_function_configuration": {
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Runtime": "python3.13",
        "MemorySize": 512,
        "Timeout": 60,
        "Role": "arn:aws:iam::123456789012:role/the-role",
        "Environment": {"Variables": {"TRACKING_ID": "the-tracker", "QUARANTINE_BUCKET": "the-bucket"}},
    },
    "get_alias": {"FunctionVersion": "2", "RevisionId": "the-revision"},
    "list_versions_by_function": {"Versions": [{"Version": "$LATEST"}, version(1), version(2)]},
    "list_objects_v2": {},
    "list_event_trackers": {"eventTrackers": [{"eventTrackerArn": "arn:of-the-tracker"}]},
    "describe_event_tracker": {"eventTracker": {"trackingId": "the-tracker", "status": "ACTIVE"}},
    "simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "allowed"}]},
    "filter_log_events": {"events": []},
    "list_stack_resources": {
        "StackResourceSummaries": [{"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": "the-alarm"}]
    },
    "describe_alarms": {"MetricAlarms": [{"AlarmName": "the-alarm", "StateValue": "OK"}]},
    "get_metric_data": {"MetricDataResults": [{"Id": "m0", "Timestamps": [NOW], "Values": [60.0]}]},
    "list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:x:1"}]},
}


class Client:
    """A client of any service, and its paginators of a single page."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.meta = SimpleNamespace(region_name="eu-west-1")
        self.asked: list[str] = []
        self.told: dict[str, dict[str, object]] = {}
        """The parameters that each operation was last called with."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: object) -> Any:  # noqa: ANN401 - what boto3 answers
            self.asked.append(operation)
            self.told[operation] = parameters
            answer = self._answers[operation]
            if isinstance(answer, str):
                error = {"Error": {"Code": answer, "Message": "nobody should repeat this"}}
                raise ClientError(error, operation)  # type: ignore[arg-type]  # the rest of it is never there
            return answer() if callable(answer) else answer

        return call

    def get_paginator(self, operation: str) -> SimpleNamespace:
        """A paginator of one page."""

        def paginate(**parameters: object) -> Iterator[Any]:
            yield getattr(self, operation)(**parameters)

        return SimpleNamespace(paginate=paginate)
