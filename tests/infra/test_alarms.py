"""Every alarm goes off for what it watches, stays silent on a healthy day, and leads to its runbook section."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.infra.conftest import ROOT, Synthesize
from tests.infra.evaluation import Key, MetricAlarm, Samples, World, named
from tests.infra.templates import only

TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:operators"
DAY = range(1440)
TROUBLE = range(600, 720)
HOUR = 3_600_000.0

type Change = Callable[[int, Samples], list[float]]
"""What a metric is in a minute of trouble, given what it is on a healthy day."""


class Names:
    """The metrics of the stack under test, as a template writes their dimensions."""

    def __init__(self, template: Template) -> None:
        self._function = named({"Ref": only(template, "AWS::Lambda::Function")[0]})
        self._stream = named({"Ref": next(iter(template.find_resources("AWS::Kinesis::Stream")), None)})
        mapping = only(template, "AWS::Lambda::EventSourceMapping")[0]
        self._mapping = named({"Fn::GetAtt": [mapping, "Id"]})

    def key(self, name: str) -> Key:
        """`relay.EventsDelivered`, `function.Errors`, `stream.IncomingRecords` or `mapping.DroppedEventCount`."""
        source, _, metric = name.partition(".")
        return {
            "relay": ("PersonalizeRelay", metric, "service", "personalize-relay-prod"),
            "function": ("AWS/Lambda", metric, "FunctionName", self._function),
            "stream": ("AWS/Kinesis", metric, "StreamName", self._stream),
            "mapping": ("AWS/Lambda", metric, "EventSourceMappingUUID", self._mapping),
        }[source]


def always(*samples: float) -> dict[int, Sequence[float]]:
    return dict.fromkeys(DAY, samples)


def awake(minute: int) -> bool:
    """Whether records arrive: at night there is one in half an hour, and nothing is reported in between."""
    return minute >= 300 or minute % 30 == 0


def healthy() -> dict[str, Samples]:
    """A day with a quiet night, a few bad events, and every failure once, in passing."""
    busy = {minute: [60.0] * 10 if minute >= 300 else [1.0] for minute in DAY if awake(minute)}
    # A minute after it arrived; at night the next period has begun by then.
    settled = {minute + (1 if minute >= 300 else 5): samples for minute, samples in busy.items()}
    nothing = {minute: [0.0] * len(samples) for minute, samples in busy.items()}
    return {
        "stream.IncomingRecords": busy,
        "stream.GetRecords.IteratorAgeMilliseconds": always(0.0, 900.0),
        # One read in fifty, and once nearly all.
        "stream.ReadProvisionedThroughputExceeded": always(*[0.0] * 49, 1.0) | {900: [1.0] * 50},
        "function.Invocations": {minute: [1.0] * len(samples) for minute, samples in busy.items()},
        "function.Errors": {**nothing, 800: [5.0] + [0.0] * 9, 806: [1.0] + [0.0] * 9},
        "function.Throttles": {**nothing, 805: [3.0]},
        "function.Duration": {minute: [20_000.0] * len(samples) for minute, samples in busy.items()}
        | {810: [59_000.0]},
        "function.IteratorAge": {minute: [1_200.0] * len(samples) for minute, samples in busy.items()},
        "relay.RecordsReceived": settled,
        "relay.EventsReceived": settled,
        # Two events in five have one.
        "relay.UnknownMembers": {minute: [0.4 * each for each in samples] for minute, samples in settled.items()}
        | {850: [900.0]},
        "relay.EventsDelivered": settled,
        "relay.RecordsReported": nothing | {815: [20.0]},
        "relay.EventsQuarantined": {minute: [3.0] for minute in DAY if minute >= 300} | {840: [60.0]},
        "relay.PutEventsCalls": {minute: [40.0] * len(samples) for minute, samples in busy.items()},
        # One call in fifty: the pace seeks the quota out.
        "relay.PutEventsThrottles": {minute: [0.8] * len(samples) for minute, samples in busy.items()},
        "relay.ConfigurationErrors": nothing | {825: [1.0]},
        "relay.QuarantineWriteErrors": {830: [1.0]},
        "relay.InternalErrors": {835: [1.0]},
        "relay.PeakMemory": {minute: [130.0] * len(samples) for minute, samples in busy.items()},
    }


def gone(_minute: int, _samples: Samples) -> list[float]:
    return []


def steady(*samples: float) -> Change:
    return lambda _minute, _samples: list(samples)


def growing(unit: float) -> Change:
    """As much each minute as the trouble has lasted."""
    return lambda minute, _samples: [(minute - TROUBLE.start) * unit]


def at_its_end(*samples: float) -> Change:
    return lambda minute, healthy: list(samples) if minute == TROUBLE.stop - 1 else list(healthy.get(minute, ()))


NOT_INVOKED: dict[str, Change] = {name: gone for name in healthy() if name.startswith(("relay.", "function."))}
WAITING: dict[str, Change] = {"relay.RecordsReported": steady(1.0), "function.Duration": steady(59_000.0)}
"""An invocation that must report a record lasts up to its deadline, as it is meant to."""
OUTAGE: dict[str, Change] = {"relay.EventsDelivered": steady(0.0)} | WAITING
SELDOM_TOLD: dict[str, Change] = {
    "function.IteratorAge": lambda minute, _: [7 * HOUR] if minute % 15 == 0 else [],
}

FAILURES: dict[str, tuple[Mapping[str, Change], set[str]]] = {
    "Personalize is out for two hours": (
        OUTAGE | {"function.IteratorAge": growing(60_000.0)},
        {"NothingDelivered", "EventsLate"},
    ),
    "the mapping is disabled": (
        NOT_INVOKED | {"stream.GetRecords.IteratorAgeMilliseconds": gone},
        {"NothingDelivered"},
    ),
    "a shard of ten lags": ({"function.IteratorAge": steady(2 * HOUR, *[1_200.0] * 9)}, {"EventsLate"}),
    "a shard lags badly": ({"function.IteratorAge": steady(7 * HOUR)}, {"EventsLate", "EventsVeryLate"}),
    "a long invocation is all that tells of the lag": (
        SELDOM_TOLD,
        {"EventsLate", "EventsVeryLate"},
    ),
    "the stream is read far behind, and nothing is invoked": (
        NOT_INVOKED | {"stream.GetRecords.IteratorAgeMilliseconds": steady(7 * HOUR, 0.0)},
        {"StreamUnread", "NothingDelivered"},
    ),
    "access is denied": (
        {"relay.ConfigurationErrors": steady(3.0)} | OUTAGE,
        {"ConfigurationErrors", "NothingDelivered"},
    ),
    "one tracker of several is wrong": ({"relay.ConfigurationErrors": steady(1.0)} | WAITING, {"ConfigurationErrors"}),
    "the bucket refuses": ({"relay.QuarantineWriteErrors": steady(1.0)} | WAITING, {"QuarantineWriteErrors"}),
    "the relay fails on a record": ({"relay.InternalErrors": steady(1.0)} | WAITING, {"InternalErrors"}),
    "a record ran out of retries": (
        {"mapping.OnFailureDestinationDeliveredEventCount": at_its_end(1.0)},
        {"RecordsGivenUp"},
    ),
    "what was given up could not be stored": (
        {"mapping.DroppedEventCount": at_its_end(1.0), "function.DestinationDeliveryFailures": at_its_end(1.0)},
        {"RecordsDropped", "RecordsNotStored"},
    ),
    "a producer breaks the contract": (
        {"relay.EventsQuarantined": steady(10.0)},
        {"QuarantinedShare"},
    ),
    "every event is bad": (
        {"relay.EventsQuarantined": steady(600.0), "relay.EventsDelivered": steady(0.0)},
        {"QuarantinedShare", "NothingDelivered"},
    ),
    "a producer names members that nobody knows": (
        {"relay.UnknownMembers": lambda minute, _: [400.0 if minute % 2 else 300.0]},
        {"UnknownMembers"},
    ),
    "batches kill the function": ({"function.Errors": steady(1.0)}, {"FunctionErrors"}),
    "some batches kill the function": (
        {"function.Errors": lambda minute, _: [5.0] if minute % 10 == 0 else [0.0]},
        {"FunctionErrors"},
    ),
    "Lambda is out of concurrency": (
        {"function.Throttles": lambda minute, _: [1.0] if minute % 5 == 0 else []},
        {"FunctionThrottles"},
    ),
    "others read the stream too often": (
        {"stream.ReadProvisionedThroughputExceeded": steady(0.0, 1.0)},
        {"StreamReadThrottles"},
    ),
    "the quota is far too small": ({"relay.PutEventsThrottles": steady(60.0)}, {"PutEventsThrottles"}),
    "batches are too large for the timeout": (
        {"function.Duration": steady(50_000.0, 900.0)},
        {"LongInvocations"},
    ),
    "batches nearly fill the memory": (
        {"relay.PeakMemory": lambda minute, _: [130.0, 480.0] if minute % 15 == 0 else []},
        {"MemoryNearlyFull"},
    ),
}


@pytest.fixture(scope="module")
def names(prod: Template) -> Names:
    """What the metrics of the prod stage are called."""
    return Names(prod)


@pytest.fixture(scope="module")
def alarms(prod: Template) -> dict[str, MetricAlarm]:
    """The prod stage's alarms, by name."""
    return {_name(alarm): MetricAlarm(alarm) for alarm in _properties(prod).values()}


def _properties(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by logical id."""
    found = template.find_resources("AWS::CloudWatch::Alarm")
    return {logical_id: dict(body["Properties"]) for logical_id, body in found.items()}


def _name(alarm: Mapping[str, Any]) -> str:
    """What the alarm is called in its description, and in the runbook."""
    return str(alarm["AlarmDescription"].partition(":")[0].split()[1])


def world(names: Names, changes: Mapping[str, Change], period: range = TROUBLE) -> World:
    """The healthy day, with changes to some metrics for a while."""
    day = {name: dict(samples) for name, samples in healthy().items()}
    for name, change in changes.items():
        usual = day.setdefault(name, {})
        usual.update({minute: change(minute, usual) for minute in period})
    return {names.key(name): samples for name, samples in day.items()}


def on(alarms: Mapping[str, MetricAlarm], world: World, minutes: range) -> set[str]:
    """The alarms that are on at the end of any period that ends within these minutes."""
    return {
        name
        for name, alarm in alarms.items()
        for end, state in zip(range(alarm.period, len(DAY) + 1, alarm.period), alarm.states(world, DAY), strict=True)
        if state and minutes.start < end <= minutes.stop
    }


def test_a_healthy_day_is_silent(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """A quiet night, a few bad events and every failure once in passing wake nobody and make no ticket."""
    assert on(alarms, world(names, {}), DAY) == set()


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_sets_off_its_own_alarms(alarms: dict[str, MetricAlarm], names: Names, failure: str) -> None:
    """Those and no others, from within the trouble until at most an hour after it."""
    changes, expected = FAILURES[failure]
    troubled = world(names, changes)
    assert on(alarms, troubled, TROUBLE) == expected
    assert on(alarms, troubled, range(TROUBLE.start)) == set()
    assert on(alarms, troubled, range(TROUBLE.stop + 60, DAY.stop)) == set()


def test_every_alarm_is_tried(alarms: dict[str, MetricAlarm]) -> None:
    """No alarm can be added without a failure here that sets it off."""
    assert set().union(*(expected for _, expected in FAILURES.values())) == alarms.keys()


def test_standstill_pages_within_half_an_hour(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """An outage is reported long before a record is in danger."""
    first = range(TROUBLE.start, TROUBLE.start + 30)
    assert "NothingDelivered" in on(alarms, world(names, OUTAGE), first)


@pytest.mark.parametrize(("errors", "minutes"), [("Configuration", 15), ("QuarantineWrite", 15), ("Internal", 15)])
def test_a_blocked_shard_pages_soon(alarms: dict[str, MetricAlarm], names: Names, errors: str, minutes: int) -> None:
    """A person is needed, and each minute that passes makes events later; not every period tells of it."""
    blocked = world(names, {f"relay.{errors}Errors": lambda minute, _: [1.0] if minute % 10 == 0 else []})
    assert f"{errors}Errors" in on(alarms, blocked, range(TROUBLE.start, TROUBLE.start + minutes))


def test_a_short_stall_wakes_nobody(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """Ten minutes without a delivery are waited out by the function itself."""
    stall = range(TROUBLE.start, TROUBLE.start + 10)
    assert on(alarms, world(names, OUTAGE, stall), DAY) == set()


def test_a_short_stall_wakes_nobody_though_the_next_count_comes_in_late(
    alarms: dict[str, MetricAlarm], names: Names
) -> None:
    """After those ten minutes the newest period may know what arrived and not yet what was delivered."""
    stall = range(TROUBLE.start, TROUBLE.start + 15)
    assert on(alarms, world(names, OUTAGE, stall), stall) == set()


def test_a_lag_that_is_seldom_told_of_stays_on(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """Between two long invocations nothing is heard, and nobody is paged a second time."""
    states = alarms["EventsVeryLate"].states(world(names, SELDOM_TOLD), DAY)
    periods = [state for end, state in zip(range(5, len(DAY) + 1, 5), states, strict=True) if end in TROUBLE]
    assert all(periods[periods.index(True) :])


def test_a_count_that_comes_in_late_is_no_standstill(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """The newest period may know what arrived and not yet what was delivered."""
    newest = range(TROUBLE.start, TROUBLE.start + 5)
    late = {name: gone for name in healthy() if name.startswith("relay.")}
    assert on(alarms, world(names, late, newest), newest) == set()


def test_a_long_timeout_gives_an_invocation_its_time(synthesize: Synthesize) -> None:
    """An invocation of a quarter of an hour that delivers at its end is no standstill; all shards stopping is."""
    template = synthesize(stage="prod", timeoutSeconds="900", batchWindowSeconds="300")
    names = Names(template)
    standstill = {
        _name(alarm): MetricAlarm(alarm)
        for alarm in _properties(template).values()
        if _name(alarm) == "NothingDelivered"
    }
    slow: Change = lambda minute, _: [9_000.0] if minute % 25 == 24 else []
    assert on(standstill, world(names, {"relay.EventsDelivered": slow}), DAY) == set()
    assert on(standstill, world(names, {"relay.EventsDelivered": gone}), TROUBLE) == {"NothingDelivered"}


def test_a_stream_of_another_account_has_the_alarms_that_can_see_it(prod: Template, shared: Template) -> None:
    """Its own metrics are where it is; that nothing is delivered is then told by what the function received."""
    names = Names(shared)
    alarms = {_name(alarm): MetricAlarm(alarm) for alarm in _properties(shared).values()}
    assert {_name(alarm) for alarm in _properties(prod).values()} - alarms.keys() == {
        *("StreamUnread", "StreamReadThrottles")
    }
    assert {namespace for alarm in alarms.values() for namespace, *_ in alarm.reads} == {
        *("AWS/Lambda", "PersonalizeRelay")
    }
    assert on(alarms, world(names, {}), DAY) == set()
    assert on(alarms, world(names, OUTAGE), TROUBLE) == {"NothingDelivered"}


def test_in_shadow_only_the_delivery_is_not_watched(prod: Template, shadow: Template) -> None:
    """What is bad, late or fails would be so in earnest."""
    left = [{_name(alarm) for alarm in _properties(template).values()} for template in (prod, shadow)]
    assert left[0] - left[1] == {"NothingDelivered"}
    alarms = {_name(alarm): MetricAlarm(alarm) for alarm in _properties(shadow).values()}
    nothing_sent = {f"relay.{name}": gone for name in ("EventsDelivered", "PutEventsCalls", "PutEventsThrottles")}
    assert on(alarms, world(Names(shadow), nothing_sent, DAY), DAY) == set()


@pytest.mark.parametrize(("minutes", "late", "very_late"), [("720", 72, 360), ("60", 6, 30)])
def test_lateness_is_measured_by_the_greatest_age(
    synthesize: Synthesize, minutes: str, late: float, very_late: float
) -> None:
    """A tenth and a half of the age from which the mapping gives a record up."""
    properties = _properties(synthesize(stage="prod", maxRecordAgeMinutes=minutes)).values()
    thresholds = {_name(alarm): alarm["Threshold"] / 60_000 for alarm in properties}
    assert thresholds["EventsLate"] == late
    assert thresholds["EventsVeryLate"] == thresholds["StreamUnread"] == very_late


def test_pages_go_out_as_one_and_tickets_by_themselves(prod: Template) -> None:
    """The composite alarm is on while any page is, and it alone sends them."""
    topic = {"Ref": only(prod, "AWS::SNS::Topic")[0]}
    properties = _properties(prod)
    pages = {name for name, alarm in properties.items() if alarm["AlarmDescription"].startswith("page ")}
    tickets = {name for name, alarm in properties.items() if alarm["AlarmDescription"].startswith("ticket ")}
    assert all("AlarmActions" not in properties[name] for name in pages)
    assert all(properties[name]["AlarmActions"] == [topic] for name in tickets)
    assert pages | tickets == properties.keys()
    _, composite = only(prod, "AWS::CloudWatch::CompositeAlarm")
    assert composite["Properties"]["AlarmActions"] == composite["Properties"]["OKActions"] == [topic]
    rule = composite["Properties"]["AlarmRule"]["Fn::Join"][1]
    assert {part["Fn::GetAtt"][0] for part in rule if isinstance(part, dict)} == pages
    words = "".join("X" if isinstance(part, dict) else part for part in rule)
    assert words == f"({' OR '.join(['ALARM("X")'] * len(pages))})"


def test_every_alarm_leads_to_its_section(prod: Template) -> None:
    """The description ends with a link to a heading of the runbook that exists."""
    composite = only(prod, "AWS::CloudWatch::CompositeAlarm")[1]["Properties"]
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for alarm in [composite, *_properties(prod).values()]:
        link = re.search(r"\. Runbook: docs/operations\.md#([\w-]+)$", alarm["AlarmDescription"])
        assert link, alarm["AlarmDescription"]
        assert link[1] in anchors


def test_topic_takes_alarms_over_tls_alone(prod: Template) -> None:
    """And only those of this account."""
    _, policy = only(prod, "AWS::SNS::TopicPolicy")
    deny, allow = policy["Properties"]["PolicyDocument"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_customers_key_is_the_topics_too(prod: Template, synthesize: Synthesize) -> None:
    """CloudWatch can't use the key that AWS manages, so that without a customer's there is none."""
    assert "KmsMasterKeyId" not in only(prod, "AWS::SNS::Topic")[1].get("Properties", {})
    template = synthesize(stage="prod", customerKey="true")
    key = {"Fn::GetAtt": [only(template, "AWS::KMS::Key")[0], "Arn"]}
    only(template, "AWS::SNS::Topic", {"KmsMasterKeyId": key})


def test_email_subscribes_to_the_topic(synthesize: Synthesize) -> None:
    """A person hears of alarms without setting anything up."""
    template = synthesize(stage="prod", alarmEmail="somebody@example.com")
    expected = {"Protocol": "email", "Endpoint": "somebody@example.com"}
    only(template, "AWS::SNS::Subscription", expected)


def test_existing_topic_is_used(synthesize: Synthesize) -> None:
    """No second topic is made, and every alarm goes to the given one."""
    template = synthesize(stage="prod", alarmTopicArn=TOPIC_ARN)
    template.resource_count_is("AWS::SNS::Topic", 0)
    _, composite = only(template, "AWS::CloudWatch::CompositeAlarm")
    actions = [alarm["AlarmActions"] for alarm in _properties(template).values() if "AlarmActions" in alarm]
    assert composite["Properties"]["AlarmActions"] == [TOPIC_ARN]
    assert actions
    assert all(each == [TOPIC_ARN] for each in actions)
