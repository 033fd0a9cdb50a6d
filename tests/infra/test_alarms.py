"""Every alarm goes off for what it watches, stays silent on a healthy day, and leads to its runbook section."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from aws_cdk.aws_kinesis import Stream
from aws_cdk.aws_lambda import Function

from infra.allowed import LONGEST_SILENCE
from infra.settings import StackSettings
from infra.signals import PERIOD_MINUTES, Signals
from infra.stack import unheard
from infra.watches import Watch, watches
from personalize_relay.settings import Settings
from tests.infra.conftest import ROOT, Synthesize
from tests.infra.evaluation import Key, MetricAlarm, Samples, World, named
from tests.infra.templates import only

PAGES_ARN = "arn:aws:sns:eu-west-1:123456789012:on-call"
TICKETS_ARN = "arn:aws:sns:eu-west-1:123456789012:operators"
RUNBOOK_URL = "https://wiki.example.com/relay"
OTHERS_STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
DAY = range(1440)
TROUBLE = range(600, 720)
HOUR = 3_600_000.0

type Change = Callable[[int, Samples], list[float]]
"""What a metric is in a minute of trouble, given what it is on a healthy day."""
type Course = Mapping[str, Sequence[tuple[int, bool]]]
"""By the name of an alarm, each of its periods in a day: the minute that it ends in, and whether the alarm is on."""


class Names:
    """The metrics of the stack under test, as a template writes their dimensions."""

    def __init__(self, template: Template) -> None:
        self._function = named({"Ref": only(template, "AWS::Lambda::Function")[0]})
        made = template.find_resources("AWS::Kinesis::Stream")
        self._stream = named({"Ref": next(iter(made))}) if made else OTHERS_STREAM_ARN.rpartition("/")[2]
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

SILENCE: dict[str, Change] = NOT_INVOKED | {"stream.IncomingRecords": gone}

FAILURES: dict[str, tuple[Mapping[str, Change], set[str]]] = {
    "no producer writes any more": (SILENCE, {"NothingArrives"}),
    "Personalize is out for two hours": (
        OUTAGE | {"function.IteratorAge": growing(60_000.0)},
        {"NothingDelivered", "EventsLate"},
    ),
    "the mapping is disabled": (
        NOT_INVOKED | {"stream.GetRecords.IteratorAgeMilliseconds": gone},
        {"NothingDelivered"},
    ),
    "a shard lags a little": ({"function.IteratorAge": steady(HOUR / 3)}, {"EventsLate"}),
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
def others(synthesize: Synthesize) -> Template:
    """The prod stage on an existing stream of this account, with topics and a runbook of the operators' own."""
    return synthesize(
        stage="prod",
        streamArn=OTHERS_STREAM_ARN,
        streamRetentionHours="24",
        pageTopicArn=PAGES_ARN,
        ticketTopicArn=TICKETS_ARN,
        runbookUrl=RUNBOOK_URL,
    )


def watched(settings: StackSettings, *, sees_stream: bool = True) -> list[Watch]:
    """What is watched with these settings, without a synth."""
    stack = Stack()
    signals = Signals(
        environment=Settings(tracking_id="t", quarantine_bucket="b"),
        stream=Stream.from_stream_arn(stack, "Stream", OTHERS_STREAM_ARN),
        function=Function.from_function_name(stack, "Function", "relay"),
        mapping_id="mapping",
        sees_stream=sees_stream,
        owns_stream=True,
    )
    return list(watches(settings, signals))


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


def course(alarms: Mapping[str, MetricAlarm], world: World) -> Course:
    """The day of each alarm."""
    return {
        name: list(zip(range(alarm.period, len(DAY) + 1, alarm.period), alarm.states(world, DAY), strict=True))
        for name, alarm in alarms.items()
    }


def on_within(minutes: range, day: Course) -> set[str]:
    """The alarms that are on at the end of any period that ends within these minutes."""
    return {
        name
        for name, periods in day.items()
        if any(state and minutes.start < end <= minutes.stop for end, state in periods)
    }


def on(alarms: Mapping[str, MetricAlarm], world: World, minutes: range) -> set[str]:
    """The same, of a day in this world."""
    return on_within(minutes, course(alarms, world))


def beginnings(states: Sequence[bool]) -> list[int]:
    """The periods in which it goes on."""
    return [period for period, (before, now) in enumerate(pairwise([False, *states])) if now and not before]


def test_a_healthy_day_is_silent(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """A quiet night, a few bad events and every failure once in passing wake nobody and make no ticket."""
    assert on(alarms, world(names, {}), DAY) == set()


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_sets_off_its_own_alarms(alarms: dict[str, MetricAlarm], names: Names, failure: str) -> None:
    """Those and no others, each once, from within the trouble until at most an hour after it."""
    changes, expected = FAILURES[failure]
    day = course(alarms, world(names, changes))
    assert on_within(TROUBLE, day) == expected
    assert {name: len(beginnings([state for _, state in day[name]])) for name in expected} == dict.fromkeys(expected, 1)
    assert on_within(range(TROUBLE.start), day) == set()
    assert on_within(range(TROUBLE.stop + 60, DAY.stop), day) == set()


def test_every_alarm_is_tried(alarms: dict[str, MetricAlarm]) -> None:
    """No alarm can be added without a failure here that sets it off."""
    assert set().union(*(expected for _, expected in FAILURES.values())) == alarms.keys()


def test_standstill_pages_within_half_an_hour(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """An outage is reported long before a record is in danger."""
    first = range(TROUBLE.start, TROUBLE.start + 30)
    assert "NothingDelivered" in on(alarms, world(names, OUTAGE), first)


@pytest.mark.parametrize("fills", [True, False])
def test_a_stream_that_never_had_a_record_is_silence(alarms: dict[str, MetricAlarm], *, fills: bool) -> None:
    """A stack that reads the wrong stream: whatever CloudWatch makes of metrics that it never had."""
    told = {name: replace(alarm, fills_what_never_was=fills) for name, alarm in alarms.items()}
    assert on(told, {}, DAY) == {"NothingArrives"}


def test_silence_pages_after_its_time_and_not_before(alarms: dict[str, MetricAlarm], names: Names) -> None:
    """An hour by default; a period more, as the newest count may not have come in yet."""
    beginning = beginnings(alarms["NothingArrives"].states(world(names, SILENCE), DAY))
    assert [5 * (period + 1) - TROUBLE.start for period in beginning] == [65]
    seldom: Change = lambda minute, _: [1.0] if minute % 60 == 0 else []
    assert on(alarms, world(names, SILENCE | {"stream.IncomingRecords": seldom}), TROUBLE) == set()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_longest_silence_is_one_that_cloudwatch_can_look_back_over(*, elsewhere: bool) -> None:
    """A day at most for periods below an hour; the longest invocation is part of it where the function counts.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    settings = StackSettings(
        stage="x", tracking_id="t", silence_minutes=LONGEST_SILENCE, timeout_seconds=900, batch_window_seconds=300
    )
    (watch,) = [each for each in watched(settings, sees_stream=not elsewhere) if each.name == "NothingArrives"]
    assert watch.periods * PERIOD_MINUTES <= 24 * 60
    assert (watch.periods * PERIOD_MINUTES == 24 * 60) is elsewhere


def test_silence_is_left_alone_where_it_is_meant(dev: Template) -> None:
    """A dev stage is quiet for days; an alarm that is always on is none."""
    assert "NothingArrives" not in {_name(alarm) for alarm in _properties(dev).values()}


@pytest.mark.parametrize(("errors", "minutes"), [("Configuration", 15), ("QuarantineWrite", 15), ("Internal", 15)])
def test_a_blocked_shard_pages_soon(alarms: dict[str, MetricAlarm], names: Names, errors: str, minutes: int) -> None:
    """A person is needed, and each minute makes events later; not every period tells of it, and it is one page."""
    blocked = world(names, {f"relay.{errors}Errors": lambda minute, _: [1.0] if minute % 10 == 0 else []})
    alarm = alarms[f"{errors}Errors"]
    (beginning,) = beginnings(alarm.states(blocked, DAY))
    assert 5 * (beginning + 1) <= TROUBLE.start + minutes


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
    assert on(alarms, world(names, NOT_INVOKED), TROUBLE) == {"NothingArrives"}


def test_other_readers_of_an_existing_stream_wake_nobody(others: Template) -> None:
    """Their lag is a ticket: it says no more of the relay than that somebody should look."""
    names, alarms = Names(others), {_name(alarm): MetricAlarm(alarm) for alarm in _properties(others).values()}
    lagging = world(names, {"stream.GetRecords.IteratorAgeMilliseconds": steady(7 * HOUR)})
    assert on(alarms, lagging, TROUBLE) == {"StreamUnread"}
    assert alarms["StreamUnread"].properties["AlarmActions"] == [TICKETS_ARN]
    assert pages(others, lagging) == []


def test_in_shadow_only_the_delivery_is_not_watched(prod: Template, shadow: Template) -> None:
    """What is bad, late or fails would be so in earnest."""
    left = [{_name(alarm) for alarm in _properties(template).values()} for template in (prod, shadow)]
    assert left[0] - left[1] == {"NothingDelivered"}
    alarms = {_name(alarm): MetricAlarm(alarm) for alarm in _properties(shadow).values()}
    nothing_sent = {f"relay.{name}": gone for name in ("EventsDelivered", "PutEventsCalls", "PutEventsThrottles")}
    assert on(alarms, world(Names(shadow), nothing_sent, DAY), DAY) == set()


@pytest.mark.parametrize(
    ("given", "late", "very_late"),
    [({}, 15, 360), ({"max_record_age_minutes": 60, "freshness_minutes": 29}, 29, 30)],
)
def test_lateness_is_a_ticket_by_freshness_and_a_page_by_the_greatest_age(
    given: Mapping[str, Any], late: float, very_late: float
) -> None:
    """Recommendations are stale long before a record is in danger: half of the age from which it is given up."""
    settings = StackSettings(stage="x", tracking_id="t", **given)
    minutes = {watch.name: watch.above / 60_000 for watch in watched(settings)}
    assert minutes["EventsLate"] == late
    assert minutes["EventsVeryLate"] == minutes["StreamUnread"] == very_late


def pages(template: Template, world: World) -> list[tuple[int, str]]:
    """The pages that are sent in a day, each with the minute: by the composite alarm, and by those that act alone."""
    found = template.find_resources("AWS::CloudWatch::Alarm")
    alarms = {logical_id: MetricAlarm(body["Properties"]) for logical_id, body in found.items()}
    composite = only(template, "AWS::CloudWatch::CompositeAlarm")[1]["Properties"]
    members = [alarms[name].states(world, DAY) for name in _members(composite)]
    states = {"Page": [any(at) for at in zip(*members, strict=True)]}
    for alarm in alarms.values():
        if alarm.properties.get("AlarmActions") == composite["AlarmActions"]:
            states[_name(alarm.properties)] = alarm.states(world, DAY)
    return sorted((5 * (period + 1), name) for name, state in states.items() for period in beginnings(state))


def _members(composite: Mapping[str, Any]) -> list[str]:
    """The alarms that it is on with, by logical id; its rule is nothing but an OR of them."""
    rule = composite["AlarmRule"]["Fn::Join"][1]
    words = "".join("X" if isinstance(part, dict) else part for part in rule)
    found = [part["Fn::GetAtt"][0] for part in rule if isinstance(part, dict)]
    assert words == f"({' OR '.join(['ALARM("X")'] * len(found))})"
    return found


DENIED: Mapping[str, Change] = FAILURES["access is denied"][0]
DROPPED: Change = lambda minute, _: [1.0] if minute == 690 else []
LOSS: dict[str, Change] = {"mapping.DroppedEventCount": DROPPED}


def test_one_cause_pages_once(prod: Template, names: Names) -> None:
    """Though it sets off two alarms, one after the other."""
    assert [name for _, name in pages(prod, world(names, DENIED))] == ["Page"]
    assert pages(prod, world(names, {})) == []


@pytest.mark.parametrize(
    ("metric", "alarm"),
    [("mapping.DroppedEventCount", "RecordsDropped"), ("function.DestinationDeliveryFailures", "RecordsNotStored")],
)
def test_a_loss_pages_though_a_page_is_on(prod: Template, names: Names, metric: str, alarm: str) -> None:
    """Whoever was woken by an outage hears that records are lost in it."""
    sent = pages(prod, world(names, {**DENIED, metric: DROPPED}))
    assert sent == [(610, "Page"), (695, alarm)]


def test_pages_and_tickets_go_to_their_topics(prod: Template) -> None:
    """Losses page by themselves and no longer as part of the one page; tickets each by itself, to a topic of theirs."""
    topics = {
        name: {"Ref": output["Value"]["Ref"]} for name, output in prod.find_outputs("*").items() if "Topic" in name
    }
    assert topics["PageTopicArn"] != topics["TicketTopicArn"]
    properties = _properties(prod)
    severities = {logical_id: alarm["AlarmDescription"].split()[0] for logical_id, alarm in properties.items()}
    assert set(severities.values()) == {"page", "ticket"}
    acting = {logical_id: alarm["AlarmActions"] for logical_id, alarm in properties.items() if "AlarmActions" in alarm}
    alone = {logical_id for logical_id in acting if severities[logical_id] == "page"}
    assert {_name(properties[logical_id]) for logical_id in alone} == {"RecordsDropped", "RecordsNotStored"}
    for logical_id, actions in acting.items():
        assert actions == [topics[f"{severities[logical_id].capitalize()}TopicArn"]]
    assert not [alarm for alarm in properties.values() if "OKActions" in alarm]
    composite = only(prod, "AWS::CloudWatch::CompositeAlarm")[1]["Properties"]
    assert composite["AlarmActions"] == composite["OKActions"] == [topics["PageTopicArn"]]
    assert {*_members(composite)} | acting.keys() == properties.keys()
    assert not {*_members(composite)} & acting.keys()


def test_every_alarm_leads_to_its_section(prod: Template) -> None:
    """The description ends with a link to a heading of the runbook that exists."""
    composite = only(prod, "AWS::CloudWatch::CompositeAlarm")[1]["Properties"]
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for alarm in [composite, *_properties(prod).values()]:
        link = re.search(r"\. Runbook: docs/operations\.md#([\w-]+)$", alarm["AlarmDescription"])
        assert link, alarm["AlarmDescription"]
        assert link[1] in anchors


def test_a_section_is_a_link_where_the_runbook_is_read(others: Template) -> None:
    """On a phone at night a path in a repository is nothing to follow."""
    composite = only(others, "AWS::CloudWatch::CompositeAlarm")[1]["Properties"]
    for alarm in [composite, *_properties(others).values()]:
        assert re.search(rf"\. Runbook: {re.escape(RUNBOOK_URL)}#[\w-]+$", alarm["AlarmDescription"])


def test_topics_take_alarms_over_tls_alone(prod: Template) -> None:
    """And only those of this account."""
    policies = prod.find_resources("AWS::SNS::TopicPolicy").values()
    assert len(policies) == 2
    for policy in policies:
        deny, allow = policy["Properties"]["PolicyDocument"]["Statement"]
        assert deny["Effect"] == "Deny"
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
        assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_customers_key_is_the_topics_too(prod: Template, synthesize: Synthesize) -> None:
    """CloudWatch can't use the key that AWS manages, so that without a customer's there is none."""
    for topic in prod.find_resources("AWS::SNS::Topic").values():
        assert "KmsMasterKeyId" not in topic.get("Properties", {})
    template = synthesize(stage="prod", customerKey="true")
    key = {"Fn::GetAtt": [only(template, "AWS::KMS::Key")[0], "Arn"]}
    template.all_resources_properties("AWS::SNS::Topic", {"KmsMasterKeyId": key})


def test_email_subscribes_to_the_topic_that_the_stack_makes(synthesize: Synthesize) -> None:
    """A person hears of alarms without setting anything up; whoever has the pages has subscribers for them."""
    template = synthesize(stage="prod", pageTopicArn=PAGES_ARN, alarmEmail="somebody@example.com")
    made = only(template, "AWS::SNS::Topic")[0]
    expected = {"Protocol": "email", "Endpoint": "somebody@example.com", "TopicArn": {"Ref": made}}
    only(template, "AWS::SNS::Subscription", expected)
    template.has_output("TicketTopicArn", {"Value": {"Ref": made}})
    template.has_output("PageTopicArn", {"Value": PAGES_ARN})


def test_existing_topics_are_used(others: Template) -> None:
    """None is made, and every alarm goes to the given ones."""
    others.resource_count_is("AWS::SNS::Topic", 0)
    _, composite = only(others, "AWS::CloudWatch::CompositeAlarm")
    assert composite["Properties"]["AlarmActions"] == [PAGES_ARN]
    actions = {
        alarm["AlarmDescription"].split()[0]: alarm["AlarmActions"]
        for alarm in _properties(others).values()
        if "AlarmActions" in alarm
    }
    assert actions == {"page": [PAGES_ARN], "ticket": [TICKETS_ARN]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nobody hears of pages and tickets: set alarmEmail, or pageTopicArn and ticketTopicArn, or subscribe"),
        ({"page_topic_arn": PAGES_ARN}, "nobody hears of tickets: set alarmEmail, or ticketTopicArn, or subscribe"),
        ({"ticket_topic_arn": TICKETS_ARN}, "nobody hears of pages: set alarmEmail, or pageTopicArn, or subscribe"),
        ({"page_topic_arn": PAGES_ARN, "ticket_topic_arn": TICKETS_ARN}, None),
        ({"page_topic_arn": PAGES_ARN, "alarm_email": "somebody@example.com"}, None),
    ],
)
def test_topics_that_nobody_subscribes_to_are_told_of(given: Mapping[str, str], said: str | None) -> None:
    """By their settings; who subscribes by hand is known once it is deployed, and `relay doctor` looks."""
    sentences = list(unheard(StackSettings(stage="x", tracking_id="t", **given)))  # type: ignore[arg-type]  # text, all of it
    assert [sentence[: len(said or "")] for sentence in sentences] == ([said] if said else [])
