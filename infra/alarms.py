"""The alarms, and the topics that they go to."""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk.aws_cloudwatch import (
    Alarm,
    AlarmRule,
    AlarmState,
    CfnCompositeAlarm,
    ComparisonOperator,
    TreatMissingData,
)
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_sns import ITopic, Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct

from .audit import acknowledge
from .relay_settings import RelaySettings
from .signals import Signals
from .watches import Severity, Watch, watches

NO_QUEUE = "If a mail fails, the dashboard still shows the alarm, and a queue would wake nobody."
RUNBOOK = "docs/operations.md"


@dataclass(frozen=True, slots=True)
class AlarmTopics:
    """Where pages and tickets go; None stands for a topic that the relay creates."""

    page: ITopic | None = None
    ticket: ITopic | None = None


class Alarms(Construct):
    """Every alarm, and a topic each for pages and tickets, by which an on-call service tells them apart."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RelaySettings,
        signals: Signals,
        topics: AlarmTopics,
        key: IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._runbook = settings.runbook_url or RUNBOOK
        self._made: list[ITopic] = []
        self.page_topic = topics.page or self._new("PageTopic", key)
        self.ticket_topic = topics.ticket or self._new("TicketTopic", key)
        for topic in {
            self.page_topic.node.path: self.page_topic,
            self.ticket_topic.node.path: self.ticket_topic,
        }.values():
            _let_alarms_publish(topic)
        # Pages first, as the dashboard shows them.
        urgent_first = sorted(watches(settings, signals), key=lambda watch: watch.severity)
        made = [(watch, self._alarm(watch)) for watch in urgent_first]
        self.all = [alarm for _, alarm in made]
        for watch, alarm in made:
            if watch.severity is Severity.TICKET:
                alarm.add_alarm_action(SnsAction(self.ticket_topic))
            elif watch.by_itself:
                # It sends nothing when it is off again: the loss remains until somebody sends the records again.
                alarm.add_alarm_action(SnsAction(self.page_topic))
        self._page([alarm for watch, alarm in made if watch.severity is Severity.PAGE and not watch.by_itself])

    def subscribe(self, email: str) -> None:
        """Subscribe an address to the topics that the relay has created."""
        for topic in self._made:
            subscription = topic.add_subscription(EmailSubscription(email))
            acknowledge(subscription, {"Serverless::Serverless-SNSRedrivePolicy": NO_QUEUE})

    def _new(self, construct_id: str, key: IKey | None) -> ITopic:
        # CloudWatch may not use the key that AWS manages for SNS, so no alarm could be sent with it. An alarm's text
        # holds nothing of a record, so without a customer's key the topic is not encrypted.
        topic = Topic(self, construct_id, master_key=key, enforce_ssl=True)
        self._made.append(topic)
        return topic

    def _alarm(self, watch: Watch) -> Alarm:
        return Alarm(
            self,
            watch.name,
            alarm_description=self._described(watch.severity, watch.name, watch.says, watch.runbook),
            metric=watch.metric,
            comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=watch.above,
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.breaching,
            # A metric is missing if Lambda invoked nothing or nothing failed. If records arrive and Lambda invokes
            # nothing, NothingDelivered goes off.
            treat_missing_data=TreatMissingData.BREACHING
            if watch.rings_without_data
            else TreatMissingData.NOT_BREACHING,
        )

    def _described(self, severity: Severity, name: str, says: str, section: str) -> str:
        return f"{severity} {name}: {says} Runbook: {self._runbook}#{section}"

    def _page(self, alarms: Iterable[Alarm]) -> None:
        # One cause sets off several alarms, one after another, and they send a single page. Whoever was woken sees them
        # all on the dashboard. The price: while the first cause lasts, a second one sends no page.
        rule = AlarmRule.any_of(*(AlarmRule.from_alarm(alarm, AlarmState.ALARM) for alarm in alarms))
        # Not the CDK's CompositeAlarm, which sets a physical name.
        CfnCompositeAlarm(
            self,
            "Page",
            alarm_description=self._described(Severity.PAGE, "Page", "At least one urgent alarm is on.", "paged"),
            alarm_rule=rule.render_alarm_rule(),
            alarm_actions=[self.page_topic.topic_arn],
            ok_actions=[self.page_topic.topic_arn],
        )


def _let_alarms_publish(topic: ITopic) -> None:
    """Let CloudWatch publish, because a topic's own policy replaces the default one, which lets its account publish.

    A topic from outside the app keeps its policy.
    """
    topic.add_to_resource_policy(
        PolicyStatement(
            principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
