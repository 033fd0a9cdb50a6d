"""The stack: a stream, the function that reads it, and the bucket for what could not be delivered."""

from pathlib import Path

from aws_cdk import Annotations, CfnOutput, Stack, Tags
from aws_cdk.aws_ssm import StringParameter
from constructs import Construct

from infra.alarms import Alarms, unheard
from infra.bundling import MAPPING_FILE
from infra.consumer import Consumer, StreamMapping, putting_events
from infra.dashboard import RelayDashboard
from infra.encryption import DataKey
from infra.failures import FailureStore
from infra.network import attaching, place_of
from infra.personalize import PersonalizeTracker
from infra.recorded import SECTION, texts
from infra.settings import StackSettings
from infra.sharing import Home, asked_of_owners
from infra.signals import Signals
from infra.stream import InteractionStream
from infra.watches import STREAM_READ_THROTTLES, STREAM_UNREAD
from personalize_relay.settings import Settings

NOWHERE = Home()


class RelayStack(Stack):
    """One stage of the relay."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StackSettings, code: Path, home: Home = NOWHERE
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="User events from Kinesis into Amazon Personalize",
            termination_protection=settings.termination_protection,
        )
        Tags.of(self).add("Application", "personalize-relay")
        Tags.of(self).add("Stage", settings.stage)
        self.template_options.metadata = {SECTION: texts(settings.public())}
        encryption = DataKey(self, "Encryption", settings=settings) if settings.customer_key else None
        key = encryption.key if encryption else None
        source = InteractionStream(self, "Stream", settings=settings, key=key)
        failures = FailureStore(self, "Failures", settings=settings, key=key)
        environment = _environment(settings, failures, tracking_id=self._tracking_id(settings))
        place = place_of(self, settings=settings, bucket=failures.bucket, key=key)
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
                *([attaching()] if place else []),
            ],
            key=key,
            place=place if settings.in_network else None,
        )
        failures.keep_from(consumer.role)
        mapping = StreamMapping(
            self,
            "Mapping",
            settings=settings,
            stream=source.stream,
            function=consumer.live,
            bucket=failures.bucket,
        )
        self._tell(settings, home)
        signals = Signals(
            environment=environment,
            stream=source.stream,
            function=consumer.function,
            mapping_id=mapping.resource.attr_id,
            sees_stream=not home.is_elsewhere(settings.stream_arn),
        )
        alarms = Alarms(self, "Alarms", settings=settings, signals=signals, key=key)
        RelayDashboard(self, "Dashboard", settings=settings, signals=signals, alarms=alarms.all)
        CfnOutput(self, "StreamName", value=source.stream.stream_name)
        CfnOutput(self, "StreamArn", value=source.stream.stream_arn)
        if key:
            CfnOutput(self, "KeyArn", value=key.key_arn)
        CfnOutput(self, "FunctionName", value=consumer.function.function_name)
        CfnOutput(self, "AliasName", value=consumer.live.alias_name)
        CfnOutput(self, "BucketName", value=failures.bucket.bucket_name)
        CfnOutput(self, "EventSourceMappingId", value=mapping.resource.attr_id)
        CfnOutput(self, "LogGroupName", value=consumer.log_group.log_group_name)
        CfnOutput(self, "PageTopicArn", value=alarms.page_topic.topic_arn)
        CfnOutput(self, "TicketTopicArn", value=alarms.ticket_topic.topic_arn)

    def _tell(self, settings: StackSettings, home: Home) -> None:
        """Say what whoever deploys must know beforehand."""
        notes = Annotations.of(self)
        if settings.parallelization > 1:
            notes.add_warning_v2(
                "personalize-relay:order",
                "parallelization is above 1: a session's events stay in order only where its id is the partition key "
                "of its records. With any other key leave it at 1.",
            )
        if settings.shadow:
            notes.add_warning_v2(
                "personalize-relay:shadow",
                "shadow is on: no event is delivered or quarantined, and the records are acknowledged all the same. "
                "There is no alarm NothingDelivered.",
            )
        for sentence in unheard(settings):
            notes.add_warning_v2("personalize-relay:unheard", sentence)
        for number, sentence in enumerate(asked_of_owners(settings, home, stack=self.stack_name)):
            notes.add_warning_v2(f"personalize-relay:owner{number}", sentence)
        if home.is_elsewhere(settings.stream_arn):
            notes.add_warning_v2(
                "personalize-relay:unseen",
                "the metrics of the stream are its own account's: there are no alarms "
                f"{STREAM_UNREAD} and {STREAM_READ_THROTTLES} and no graph of it here, and NothingArrives and "
                "NothingDelivered go by what the function receives. Its owner should have alarms of these.",
            )

    def _tracking_id(self, settings: StackSettings) -> str:
        """The tracker's id: given, read when the stack is deployed, or that of the tracker that the stack makes."""
        if settings.dataset_group:
            return PersonalizeTracker(
                self,
                "Personalize",
                name=settings.dataset_group,
                domain=settings.dataset_group_domain,
                fields=dict(settings.interaction_fields),
                removal_policy=settings.removal_policy,
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
        mapping=MAPPING_FILE if settings.mapping_path else settings.mapping or "",
        mapping_salt=settings.mapping_salt or "",
        shadow=settings.shadow,
        service=f"personalize-relay-{settings.stage}",
        log_level=settings.log_level,
    )
