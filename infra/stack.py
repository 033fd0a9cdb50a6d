"""The stack: a stream, the function that reads it, and the bucket for what could not be delivered."""

from pathlib import Path

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk.aws_ssm import StringParameter
from constructs import Construct

from infra.alarms import Alarms
from infra.consumer import Consumer, StreamMapping, putting_events
from infra.dashboard import RelayDashboard
from infra.encryption import DataKey
from infra.failures import FailureStore
from infra.network import Network, attaching
from infra.personalize import PersonalizeTracker
from infra.settings import StackSettings
from infra.signals import Signals
from infra.stream import InteractionStream
from personalize_relay.settings import Settings


class RelayStack(Stack):
    """One stage of the relay."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings, code: Path) -> None:
        super().__init__(scope, construct_id, description="User events from Kinesis into Amazon Personalize")
        encryption = DataKey(self, "Encryption", settings=settings) if settings.customer_key else None
        key = encryption.key if encryption else None
        source = InteractionStream(self, "Stream", settings=settings, key=key)
        failures = FailureStore(self, "Failures", settings=settings, key=key)
        environment = _environment(settings, failures, tracking_id=self._tracking_id(settings))
        network = Network(self, "Network", settings=settings, bucket=failures.bucket, key=key) if settings.vpc else None
        consumer = Consumer(
            self,
            "Consumer",
            settings=settings,
            environment=environment,
            code=code,
            statements=[
                *source.reading(),
                *failures.writing(prefix=environment.quarantine_prefix),
                putting_events(),
                *([encryption.using()] if encryption else []),
                *([attaching()] if network else []),
            ],
            key=key,
            network=network,
        )
        failures.keep_from(consumer.role)
        mapping = StreamMapping(
            self,
            "Mapping",
            settings=settings,
            stream=source.stream,
            function=consumer.function,
            bucket=failures.bucket,
        )
        if settings.parallelization > 1:
            self._warn_of_order()
        signals = Signals(
            environment=environment,
            stream=source.stream,
            function=consumer.function,
            mapping_id=mapping.resource.attr_id,
        )
        alarms = Alarms(self, "Alarms", settings=settings, signals=signals, key=key)
        watched = [*alarms.pages, *alarms.tickets]
        RelayDashboard(self, "Dashboard", settings=settings, signals=signals, alarms=watched)
        CfnOutput(self, "StreamName", value=source.stream.stream_name)
        CfnOutput(self, "FunctionName", value=consumer.function.function_name)
        CfnOutput(self, "BucketName", value=failures.bucket.bucket_name)
        CfnOutput(self, "EventSourceMappingId", value=mapping.resource.attr_id)
        CfnOutput(self, "LogGroupName", value=consumer.log_group.log_group_name)

    def _warn_of_order(self) -> None:
        Annotations.of(self).add_warning_v2(
            "personalize-relay:order",
            "parallelization is above 1: a session's events stay in order only where its id is the partition key of "
            "its records. With any other key leave it at 1.",
        )

    def _tracking_id(self, settings: StackSettings) -> str:
        """The tracker's id: given, read when the stack is deployed, or that of the tracker that the stack makes."""
        if settings.dataset_group:
            return PersonalizeTracker(
                self,
                "Personalize",
                name=settings.dataset_group,
                fields=dict(settings.interaction_fields),
                retain=settings.retain_data,
            ).tracking_id
        if settings.tracking_id_parameter:
            return StringParameter.value_for_string_parameter(self, settings.tracking_id_parameter)
        return str(settings.tracking_id)


def _environment(settings: StackSettings, failures: FailureStore, *, tracking_id: str) -> Settings:
    return Settings(
        tracking_id=tracking_id,
        allowed_tracking_ids=settings.allowed_tracking_ids,
        quarantine_bucket=failures.bucket.bucket_name,
        max_in_flight=settings.max_in_flight,
        put_events_client=settings.put_events_client,
        service=f"personalize-relay-{settings.stage}",
        log_level=settings.log_level,
    )
