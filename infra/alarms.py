"""The alarms on what is watched, and the topic that they go to."""

from collections.abc import Sequence

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

from infra.audit import acknowledge
from infra.settings import StackSettings
from infra.signals import Signals
from infra.watches import Severity, Watch, watches

NO_QUEUE = "An alarm that no mail can carry is on the dashboard, and no queue would wake anybody."
RUNBOOK = "docs/operations.md"


class Alarms(Construct):
    """Every alarm, and the topic that they go to."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StackSettings, signals: Signals, key: IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._existing(settings.alarm_topic_arn) if settings.alarm_topic_arn else self._new(settings, key)
        by_severity: dict[Severity, list[Alarm]] = {severity: [] for severity in Severity}
        for watch in watches(settings, signals):
            by_severity[watch.severity].append(self._alarm(watch))
        self.pages, self.tickets = by_severity[Severity.PAGE], by_severity[Severity.TICKET]
        for ticket in self.tickets:
            ticket.add_alarm_action(SnsAction(self.topic))
        self._page(self.pages)

    def _existing(self, arn: str) -> ITopic:
        return Topic.from_topic_arn(self, "Topic", arn)

    def _new(self, settings: StackSettings, key: IKey | None) -> ITopic:
        # CloudWatch may not use the key that AWS manages for SNS, and an alarm that can't be sent is none. An alarm's
        # text holds nothing of a record, so that without a key of the customer's the topic has none.
        topic = Topic(self, "Topic", master_key=key, enforce_ssl=True)
        # A topic with a policy of its own has lost the one that lets its account publish.
        topic.add_to_resource_policy(
            PolicyStatement(
                principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if settings.alarm_email:
            subscription = topic.add_subscription(EmailSubscription(settings.alarm_email))
            acknowledge(subscription, {"Serverless::Serverless-SNSRedrivePolicy": NO_QUEUE})
        return topic

    def _alarm(self, watch: Watch) -> Alarm:
        return Alarm(
            self,
            watch.name,
            alarm_description=f"{watch.severity} {watch.name}: {watch.says} Runbook: {RUNBOOK}#{watch.runbook}",
            metric=watch.metric,
            comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=watch.above,
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.breaching,
            # A metric is missing when nothing was invoked or nothing failed. That nothing is invoked though records
            # arrive is watched by itself.
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )

    def _page(self, alarms: Sequence[Alarm]) -> None:
        # One cause sets off several alarms, one after another: a page that is on already isn't sent again. Whoever
        # was woken sees them all on the dashboard. The price is that a second cause doesn't page by itself.
        rule = AlarmRule.any_of(*(AlarmRule.from_alarm(alarm, AlarmState.ALARM) for alarm in alarms))
        # Not the construct for it, which gives it a physical name.
        CfnCompositeAlarm(
            self,
            "Page",
            alarm_description=f"{Severity.PAGE} Page: one alarm or more that can't wait. Runbook: {RUNBOOK}#paged",
            alarm_rule=rule.render_alarm_rule(),
            alarm_actions=[self.topic.topic_arn],
            ok_actions=[self.topic.topic_arn],
        )
