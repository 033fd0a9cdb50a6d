"""The function, its role and its log, and the event source mapping that feeds it from the stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_iam import PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_kinesis import IStream
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import (
    Alias,
    Architecture,
    CfnEventSourceMapping,
    CfnFunction,
    Code,
    Function,
    IAlias,
    Runtime,
    Tracing,
    VersionOptions,
)
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from personalize_relay.settings import Settings

from .audit import acknowledge, acknowledge_wildcards
from .relay_settings import RelaySettings
from .retries import retry_attempts

HANDLER = "personalize_relay.handler.handler"
LIVE = "live"
"""The alias that the event source mapping invokes."""
ARCHITECTURES = {"arm64": Architecture.ARM_64, "x86_64": Architecture.X86_64}

RUNTIME = dict.fromkeys(
    ("AwsSolutions::AwsSolutions-L1", "Serverless::Serverless-LambdaLatestVersion"),
    "The tests run the deployed function on Python 3.13 and on no newer runtime; AWS patches it until 2029.",
)
DEAD_LETTER = {
    "Serverless::Serverless-LambdaDLQ": "A dead letter queue is for asynchronous invocations, and nobody makes any: "
    "the event source mapping sends what it gives up to its own on-failure destination."
}


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """The function's place in a network."""

    subnet_ids: Sequence[str]
    group_id: str


class Consumer(Construct):
    """The function, with a role that holds exactly the given statements and those for its log and its tracing.

    Each deployment that changes the function publishes a version and points the alias to it; `relay rollback` points
    the alias back.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RelaySettings,
        environment: Settings,
        code: Code,
        statements: Sequence[PolicyStatement],
        key: IKey | None,
        place: NetworkPlace | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = LogGroup(
            self,
            "Log",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.role = self._role([*statements, self._logging(), _tracing()])
        self.function = Function(
            self,
            "Function",
            description="Sends user interactions from the stream to Amazon Personalize",
            runtime=Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[settings.architecture],
            handler=HANDLER,
            code=code,
            environment=environment.to_env(),
            memory_size=settings.memory_mb,
            timeout=Duration.seconds(settings.timeout_seconds),
            reserved_concurrent_executions=settings.reserved_concurrency,
            environment_encryption=key,
            log_group=self.log_group,
            tracing=Tracing.ACTIVE,
            # Otherwise the CDK adds its own statements in a second policy.
            role=self.role.without_policy_updates(),
            current_version_options=VersionOptions(
                # If CloudFormation reads the tracker at deployment, a new tracker changes the function but not the
                # template. In the description, the tracker makes CloudFormation publish a version all the same.
                description=environment.tracking_id,
                # A rollback needs the old version; but the version of a failed deployment would stop the next one.
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            ),
        )
        acknowledge(self.function, RUNTIME | DEAD_LETTER)
        if place:
            self._move_to(place)
        self.live = Alias(self, "Live", alias_name=LIVE, version=self.function.current_version)

    def _move_to(self, place: NetworkPlace) -> None:
        # The CDK's own way needs the zones and routes of an existing VPC, which nobody tells us.
        function = cast("CfnFunction", self.function.node.default_child)
        function.vpc_config = CfnFunction.VpcConfigProperty(
            subnet_ids=list(place.subnet_ids), security_group_ids=[place.group_id]
        )

    def _role(self, statements: Sequence[PolicyStatement]) -> Role:
        # Inline, so that the permissions exist before the event source mapping, whose creation checks them.
        role = Role(
            self,
            "Role",
            # No aws:SourceAccount: nobody can pass a role to another account's function, and no document says that the
            # event source mapping's poller, which also assumes this role, sends one.
            assumed_by=ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Relay": PolicyDocument(statements=statements)},
        )
        reason = (
            "PutEvents, X-Ray's actions and those on network interfaces have no resource type, or no name known "
            "beforehand; the role writes objects under two fixed prefixes."
        )
        acknowledge_wildcards(role, statements, reason)
        return role

    def _logging(self) -> PolicyStatement:
        return PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
        )


class StreamMapping(Construct):
    """Retries the records that the function reports; stores those that grow too old or keep crashing it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RelaySettings,
        stream: IStream,
        function: IAlias,
        bucket: IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        start = settings.starting_position
        max_record_age_seconds = settings.max_record_age_minutes * 60
        # Not KinesisEventSource: it and its S3 destination grant more than an event source mapping uses.
        self.resource = CfnEventSourceMapping(
            self,
            "Resource",
            function_name=function.function_arn,
            event_source_arn=stream.stream_arn,
            starting_position="AT_TIMESTAMP" if start else "TRIM_HORIZON",
            starting_position_timestamp=start.timestamp() if start else None,
            batch_size=settings.batch_size,
            maximum_batching_window_in_seconds=settings.batch_window_seconds,
            parallelization_factor=settings.parallelization,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=settings.bisect_on_error,
            maximum_retry_attempts=retry_attempts(
                max_record_age_seconds=max_record_age_seconds, timeout_seconds=settings.timeout_seconds
            ),
            maximum_record_age_in_seconds=max_record_age_seconds,
            destination_config=CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=CfnEventSourceMapping.OnFailureProperty(destination=bucket.bucket_arn)
            ),
            metrics_config=CfnEventSourceMapping.MetricsConfigProperty(metrics=["EventCount"]),
        )


def putting_events() -> PolicyStatement:
    """Allow PutEvents. It has no resource type, so the function itself keeps to its allowed trackers."""
    return PolicyStatement(actions=["personalize:PutEvents"], resources=["*"])


def _tracing() -> PolicyStatement:
    # X-Ray has no resource type for these.
    return PolicyStatement(actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"])
