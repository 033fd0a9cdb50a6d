"""Who hears of the alarms: the confirmed subscribers of the topics that pages and tickets go to."""

from collections.abc import Iterator

from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, ok, warning


def pages(deployed: Deployed) -> Iterator[Finding]:
    """Somebody hears of pages."""
    yield _heard(deployed, "pages", "PageTopicArn")


def tickets(deployed: Deployed) -> Iterator[Finding]:
    """Somebody hears of tickets."""
    yield _heard(deployed, "tickets", "TicketTopicArn")


def _heard(deployed: Deployed, kind: str, output: str) -> Finding:
    topic = deployed.output(output)
    found = deployed.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    arns = [str(each["SubscriptionArn"]) for page in found for each in page["Subscriptions"]]
    # One that isn't confirmed, or was removed, has a word in its place.
    # https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    confirmed = sum(arn.startswith("arn:") for arn in arns)
    if confirmed:
        return ok(kind, f"{confirmed} subscribed to {topic}")
    waiting = f", and {len(arns)} have not confirmed it" if arns else ""
    return warning(
        kind,
        f"nobody hears of them: {topic} has no subscriber{waiting}",
        "follow the link in the mail that asks to confirm it" if arns else "subscribe somebody, or set alarmEmail",
    )
