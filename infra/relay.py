"""The relay as a construct for any app: from your stream or a new one to an event tracker."""

from collections.abc import Sequence

from aws_cdk import Annotations, CfnOutput, Stack, Token
from aws_cdk.aws_ec2 import ISecurityGroup, ISubnet, IVpc
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kinesis import IStream
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Code
from constructs import Construct

from personalize_relay.settings import Settings

from .alarms import Alarms, AlarmTopics
from .consumer import Consumer, NetworkPlace, StreamMapping, putting_events
from .dashboard import RelayDashboard
from .encryption import let_services_use, using
from .failures import FailureStore
from .network import attaching, function_group
from .packed import MAPPING_FILE
from .prebuilt import prebuilt
from .relay_settings import RelaySettings
from .signals import Signals
from .stream import InteractionStream, reading
from .watches import STREAM_READ_THROTTLES, STREAM_UNREAD

USUAL = RelaySettings()
TOPICS_OF_ITS_OWN = AlarmTopics()


class Relay(Construct):
    """The function with its event source mapping, the bucket for undelivered events, alarms and a dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tracking_id: str,
        stream: IStream | None = None,
        stream_key: IKey | None = None,
        sees_stream: bool | None = None,
        alarms: AlarmTopics = TOPICS_OF_ITS_OWN,
        key: IKey | None = None,
        vpc: IVpc | None = None,
        subnets: Sequence[ISubnet] | None = None,
        security_group: ISecurityGroup | None = None,
        leaving_vpc: bool = False,
        settings: RelaySettings = USUAL,
        service: str | None = None,
        code: Code | None = None,
    ) -> None:
        """Create a relay for the events of an event tracker.

        - `stream`: an existing stream, whose retention `settings` must have; by default, a new one. `stream_key` is the
          key that encrypts the stream, if the stream object doesn't know it.
        - `sees_stream`: whether the stream, and so its metrics, are in the stack's own account; by default, as the
          stack and the stream say.
        - `alarms`: where pages and tickets go.
        - `key`: encrypts everything that the relay stores. CloudWatch's logs and alarms must be allowed to use it; if
          the app creates the key, the relay allows them.
        - `vpc`: a network for the function. Its `subnets` (by default, the CDK's choice) must reach PutEvents and S3;
          without `security_group`, the relay creates one. On the way out of the network, `leaving_vpc` keeps the role's
          permission to detach the function until Lambda has done so.
        - `service`: the relay's name in its log and metrics, which should be unique in the account; by default, the
          construct's path.
        - `code`: the function's code; by default, the code in this package.
        """
        super().__init__(scope, construct_id)
        self.key = key
        self.stream = stream or InteractionStream(self, "Stream", settings=settings, key=key).stream
        self._sees_stream = sees_stream if sees_stream is not None else self._is_of_this_account(self.stream)
        if key:
            let_services_use(key)
        failures = FailureStore(self, "Failures", settings=settings, key=key)
        self.bucket = failures.bucket
        environment = self._environment(settings, tracking_id, service or self.node.path)
        self._consumer = Consumer(
            self,
            "Consumer",
            settings=settings,
            environment=environment,
            code=code or prebuilt(settings),
            statements=[
                *reading(self.stream, stream_key or (stream.encryption_key if stream else None)),
                *failures.writing(prefix=environment.quarantine_prefix),
                putting_events(),
                *_where(key, vpc),
            ],
            key=key,
            place=None if leaving_vpc or not vpc else self._place(vpc, subnets, security_group),
        )
        self.function = self._consumer.function
        failures.keep_from(self._consumer.role)
        self._mapping = StreamMapping(
            self, "Mapping", settings=settings, stream=self.stream, function=self._consumer.live, bucket=self.bucket
        )
        self.alarms = self._watched(environment, settings, alarms, owns_stream=stream is None)
        self._tell(settings)

    def _watched(
        self, environment: Settings, settings: RelaySettings, topics: AlarmTopics, *, owns_stream: bool
    ) -> Alarms:
        """Create the alarms, and the dashboard that shows them."""
        signals = Signals(
            environment=environment,
            stream=self.stream,
            function=self.function,
            mapping_id=self._mapping.resource.attr_id,
            sees_stream=self._sees_stream,
            owns_stream=owns_stream,
        )
        alarms = Alarms(self, "Alarms", settings=settings, signals=signals, topics=topics, key=self.key)
        RelayDashboard(self, "Dashboard", settings=settings, signals=signals, alarms=alarms.all)
        return alarms

    def write_outputs(self) -> None:
        """Write the outputs that the `relay` command and the runbook use; the stack may hold only one relay then.

        With `--stage NAME`, the command looks for a stack called personalize-relay-NAME.
        """
        outputs = {
            "StreamName": self.stream.stream_name,
            "StreamArn": self.stream.stream_arn,
            **({"KeyArn": self.key.key_arn} if self.key else {}),
            "FunctionName": self.function.function_name,
            "AliasName": self._consumer.live.alias_name,
            "BucketName": self.bucket.bucket_name,
            "EventSourceMappingId": self._mapping.resource.attr_id,
            "LogGroupName": self._consumer.log_group.log_group_name,
            "PageTopicArn": self.alarms.page_topic.topic_arn,
            "TicketTopicArn": self.alarms.ticket_topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(Stack.of(self), name, value=value)

    def _is_of_this_account(self, stream: IStream) -> bool:
        """Whether a stream is in this account, as far as the CDK knows, and so are its metrics."""
        theirs, ours = stream.env.account, Stack.of(self).account
        return theirs == ours or Token.is_unresolved(theirs) or Token.is_unresolved(ours)

    def _place(self, vpc: IVpc, subnets: Sequence[ISubnet] | None, group: ISecurityGroup | None) -> NetworkPlace:
        ids = [subnet.subnet_id for subnet in subnets] if subnets else vpc.select_subnets().subnet_ids
        return NetworkPlace(ids, (group or function_group(self, vpc)).security_group_id)

    def _environment(self, settings: RelaySettings, tracking_id: str, service: str) -> Settings:
        return Settings(
            tracking_id=tracking_id,
            allowed_tracking_ids=settings.allowed_tracking_ids,
            quarantine_bucket=self.bucket.bucket_name,
            max_in_flight=settings.max_in_flight,
            put_events_client=settings.put_events_client,
            mapping=MAPPING_FILE if settings.mapping_path else settings.mapping or "",
            mapping_salt=settings.mapping_salt or "",
            shadow=settings.shadow,
            service=service,
            log_level=settings.log_level,
        )

    def _tell(self, settings: RelaySettings) -> None:
        """Warn whoever deploys."""
        notes = Annotations.of(self)
        if settings.parallelization > 1:
            notes.add_warning_v2(
                "personalize-relay:order",
                "parallelization is above 1: a session's events stay in order only if its id is the partition key of "
                "its records. With any other key, leave it at 1.",
            )
        if settings.shadow:
            notes.add_warning_v2(
                "personalize-relay:shadow",
                "shadow is on: the function delivers and quarantines no event, but acknowledges the records. There is "
                "no alarm NothingDelivered.",
            )
        if not self._sees_stream:
            notes.add_warning_v2(
                "personalize-relay:unseen",
                "the stream's metrics are in another account: here are no alarms "
                f"{STREAM_UNREAD} and {STREAM_READ_THROTTLES} and no graph of the stream, and NothingArrives and "
                "NothingDelivered count what the function receives. The stream's owner should have such alarms.",
            )


def _where(key: IKey | None, vpc: IVpc | None) -> list[PolicyStatement]:
    """The statements that a key and a network require."""
    return [*([using(key)] if key else []), *([attaching()] if vpc else [])]
