"""The alarms on what is watched, and the topics that they go to."""

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

NO_QUEUE = "An alarm that no mail can carry is on the dashboard, and no queue would wake anybody."
RUNBOOK = "docs/operations.md"


@dataclass(frozen=True, slots=True)
class AlarmTopics:
    """Where pages and tickets go; None is a topic that the relay makes."""

    page: ITopic | None = None
    ticket: ITopic | None = None


class Alarms(Construct):
    """Every alarm, and the topics that pages and tickets go to: an on-call service tells them apart by topic."""

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
                # Nothing is sent when it is off again: what is lost is lost until somebody sends it again.
                alarm.add_alarm_action(SnsAction(self.page_topic))
        self._page([alarm for watch, alarm in made if watch.severity is Severity.PAGE and not watch.by_itself])

    def subscribe(self, email: str) -> None:
        """Subscribe an address to the topics that are the relay's own."""
        for topic in self._made:
            subscription = topic.add_subscription(EmailSubscription(email))
            acknowledge(subscription, {"Serverless::Serverless-SNSRedrivePolicy": NO_QUEUE})

    def _new(self, construct_id: str, key: IKey | None) -> ITopic:
        # CloudWatch may not use the key that AWS manages for SNS, and an alarm that can't be sent is none. An alarm's
        # text holds nothing of a record, so that without a key of the customer's the topic has none.
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
            # A metric is missing when nothing was invoked or nothing failed. That nothing is invoked though records
            # arrive is watched by itself.
            treat_missing_data=TreatMissingData.BREACHING
            if watch.rings_without_data
            else TreatMissingData.NOT_BREACHING,
        )

    def _described(self, severity: Severity, name: str, says: str, section: str) -> str:
        return f"{severity} {name}: {says} Runbook: {self._runbook}#{section}"

    def _page(self, alarms: Iterable[Alarm]) -> None:
        # One cause sets off several alarms, one after another: a page that is on already isn't sent again. Whoever
        # was woken sees them all on the dashboard. The price is that a second cause among these doesn't page by itself.
        rule = AlarmRule.any_of(*(AlarmRule.from_alarm(alarm, AlarmState.ALARM) for alarm in alarms))
        # Not the construct for it, which gives it a physical name.
        CfnCompositeAlarm(
            self,
            "Page",
            alarm_description=self._described(Severity.PAGE, "Page", "One alarm or more that can't wait.", "paged"),
            alarm_rule=rule.render_alarm_rule(),
            alarm_actions=[self.page_topic.topic_arn],
            ok_actions=[self.page_topic.topic_arn],
        )


def _let_alarms_publish(topic: ITopic) -> None:
    """Let CloudWatch publish: a topic with a policy of its own has lost the one that lets its account do so.

    A topic that isn't made in the app keeps the policy that it has.
    """
    topic.add_to_resource_policy(
        PolicyStatement(
            principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
