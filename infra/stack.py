"""The stack of a stage: a relay, and the resources around it that the settings ask for."""

from collections.abc import Iterator
from pathlib import Path

from aws_cdk import Annotations, Stack, Tags
from aws_cdk.aws_kinesis import Stream
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_sns import ITopic, Topic
from aws_cdk.aws_ssm import StringParameter
from constructs import Construct

from .alarms import AlarmTopics
from .encryption import DataKey, let_producers_use
from .network import ExistingNetwork, Network
from .personalize import PersonalizeTracker
from .recorded import SECTION, texts
from .relay import Relay
from .settings import StackSettings
from .sharing import Home, asked_of_owners
from .stream import let_write

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
        key = DataKey(self, "Encryption", settings=settings).key if settings.customer_key else None
        network = self._network(settings, key)
        relay = Relay(
            self,
            # The CDK leaves this id out of logical ids, so stacks from before this construct keep their stream.
            "Default",
            tracking_id=self._tracking_id(settings),
            stream=Stream.from_stream_arn(self, "Existing", settings.stream_arn) if settings.stream_arn else None,
            stream_key=self._stream_key(settings.stream_key_arn),
            sees_stream=not home.is_elsewhere(settings.stream_arn),
            alarms=AlarmTopics(
                page=self._topic("PageTopic", settings.page_topic_arn),
                ticket=self._topic("TicketTopic", settings.ticket_topic_arn),
            ),
            key=key,
            vpc=network.vpc if network else None,
            subnets=network.subnets if network else None,
            security_group=network.function_group if network else None,
            leaving_vpc=not settings.in_network,
            settings=settings,
            service=f"personalize-relay-{settings.stage}",
            code=Code.from_asset(str(code)),
        )
        if isinstance(network, Network):
            network.reach_bucket(relay.bucket)
        if settings.producer_arns:
            let_write(relay.stream, settings.producer_arns)
        if settings.producer_arns and key:
            let_producers_use(key, settings.producer_arns)
        if settings.alarm_email:
            relay.alarms.subscribe(settings.alarm_email)
        relay.write_outputs()
        self._tell(settings, home)

    def _network(self, settings: StackSettings, key: IKey | None) -> Network | ExistingNetwork | None:
        if not settings.keeps_network:
            return None
        if settings.vpc_id:
            return ExistingNetwork(self, "ExistingNetwork", vpc_id=settings.vpc_id, subnet_ids=settings.vpc_subnet_ids)
        return Network(self, "Network", settings=settings, key=key)

    def _stream_key(self, arn: str | None) -> IKey | None:
        return Key.from_key_arn(self, "StreamKey", arn) if arn else None

    def _topic(self, construct_id: str, arn: str | None) -> ITopic | None:
        return Topic.from_topic_arn(self, construct_id, arn) if arn else None

    def _tell(self, settings: StackSettings, home: Home) -> None:
        """Say what whoever deploys must do before or after."""
        notes = Annotations.of(self)
        for sentence in unheard(settings):
            notes.add_warning_v2("personalize-relay:unheard", sentence)
        for number, sentence in enumerate(asked_of_owners(settings, home, stack=self.stack_name)):
            notes.add_warning_v2(f"personalize-relay:owner{number}", sentence)

    def _tracking_id(self, settings: StackSettings) -> str:
        """The tracker's id: given, read at deployment, or that of the tracker that the stack creates."""
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


def unheard(settings: StackSettings) -> Iterator[str]:
    """A sentence about the topics that the stack creates and that the settings subscribe nobody to, if any."""
    given = {"page": settings.page_topic_arn, "ticket": settings.ticket_topic_arn}
    made = [kind for kind, arn in given.items() if not arn]
    if made and not settings.alarm_email:
        kinds, instead, outputs = (
            " and ".join(form.format(kind, kind.capitalize()) for kind in made)
            for form in ("{0}s", "{0}TopicArn", "{1}TopicArn")
        )
        yield (
            f"nobody hears of {kinds}: set alarmEmail, or {instead}, or subscribe somebody to the stack's own "
            f"(outputs: {outputs})."
        )
