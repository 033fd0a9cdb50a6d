"""Which settings go together; each rule raises InvalidSetting, which names the setting to change."""

from typing import TYPE_CHECKING

from .allowed import RULES
from .arns import Arn
from .interactions import FIELDS, MOST_FIELDS
from .recorded import texts
from .refusal import field_of, invalid

if TYPE_CHECKING:
    from .relay_settings import RelaySettings
    from .settings import StackSettings

ROOM_FOR_TRACKERS = 2500
"""Characters: Lambda gives a function's environment 4 KB, names and all."""
MARGIN = 60
"""Minutes between a record's greatest age and its end in the stream.

Nobody stores or counts a record that expires in the stream: the event source mapping's DroppedEventCount leaves it
out. An hour is enough to get past a few invocations of the greatest length, a quarter of an hour.
"""
DEFAULT_CIDR = "10.0.0.0/24"


def check(settings: "StackSettings") -> None:
    """Raise InvalidSetting for the first setting that doesn't go with another."""
    check_relay(settings, settings.stage)
    for rule in (_stream, _dataset, _alarms, _network):
        rule(settings)


def check_relay(settings: "RelaySettings", stage: str | None) -> None:
    """Raise InvalidSetting for the first setting of any relay that is wrong by itself, or doesn't go with another."""
    for rule in (_values, _ages, _trackers, _concurrency, _mapping, _freshness):
        rule(settings, stage)


def _values(settings: "RelaySettings", stage: str | None) -> None:
    """Check each value by the rule that reads its text, because Python code passes the values themselves."""
    values = {name: getattr(settings, field_of(name), None) for name in RULES}
    for name, text in texts(values).items():
        try:
            RULES[name].read(text)
        except (ValueError, KeyError) as exc:
            raise invalid(name, RULES[name].says, values[name], stage) from exc


def _ages(settings: "RelaySettings", stage: str | None) -> None:
    age = settings.max_record_age_minutes
    longest = settings.stream_retention_hours * 60 - MARGIN
    if age > longest:
        rule = f"at most {longest}, {MARGIN} less than the stream's retention (streamRetentionHours)"
        raise invalid("maxRecordAgeMinutes", rule, age, stage)
    # A page comes at half of the age, and a ticket before that.
    shortest = 2 * _least_wait(settings) + 1
    if age < shortest:
        rule = f"at least {shortest}: over twice the time that a batch may wait to fill up (batchWindowSeconds)"
        raise invalid("maxRecordAgeMinutes", rule, age, stage)


def _least_wait(settings: "RelaySettings") -> int:
    """The minutes that a record may wait even if nothing holds it up."""
    return settings.batch_window_seconds // 60 + 1


def _trackers(settings: "RelaySettings", stage: str | None) -> None:
    if sum(map(len, settings.allowed_tracking_ids)) > ROOM_FOR_TRACKERS:
        rule = f"at most {ROOM_FOR_TRACKERS} characters in all: they are in the function's environment"
        raise invalid("allowedTrackingIds", rule, f"{len(settings.allowed_tracking_ids)} ids", stage)


def _stream(settings: "StackSettings") -> None:
    stream, key = settings.stream_arn, settings.stream_key_arn
    if stream and settings.stream_shards:
        raise invalid("streamShards", "left out where streamArn is given", settings.stream_shards, settings.stage)
    if stream and settings.producer_arns:
        rule = "left out where streamArn is given: the owner of that stream decides who may write to it"
        raise invalid("producerArns", rule, settings.producer_arns, settings.stage)
    if key and not stream:
        raise invalid("streamKeyArn", "left out without streamArn", key, settings.stage)
    if stream and key and Arn.of(key).region != Arn.of(stream).region:
        raise invalid("streamKeyArn", "of the region of streamArn", key, settings.stage)


def _concurrency(settings: "RelaySettings", stage: str | None) -> None:
    at_once = (settings.stream_shards or 1) * settings.parallelization
    if settings.reserved_concurrency and settings.reserved_concurrency < at_once:
        rule = f"at least {at_once}, the shards times parallelization, or records would wait"
        raise invalid("reservedConcurrency", rule, settings.reserved_concurrency, stage)


def _mapping(settings: "RelaySettings", stage: str | None) -> None:
    if settings.mapping_salt and not settings.mapping:
        raise invalid("mappingSalt", "left out without mapping", settings.mapping_salt, stage)


def _dataset(settings: "StackSettings") -> None:
    added = [name for name, _ in settings.interaction_fields]
    for name, given in (("interactionFields", added), ("datasetGroupDomain", settings.dataset_group_domain)):
        if given and not settings.dataset_group:
            raise invalid(name, "left out without datasetGroup", given, settings.stage)
    if len(added) > MOST_FIELDS:
        rule = f"at most {MOST_FIELDS} fields, which is Personalize's limit"
        raise invalid("interactionFields", rule, f"{len(added)} fields", settings.stage)
    # To Personalize, names that differ only in an underscore are the same.
    letters = [name.replace("_", "") for name in (*FIELDS, *added)]
    if len(set(letters)) < len(letters):
        rule = "of names that differ from each other, and from Personalize's own, in more than an underscore"
        raise invalid("interactionFields", rule, ", ".join(added), settings.stage)


def _freshness(settings: "RelaySettings", stage: str | None) -> None:
    least, most, fresh = _least_wait(settings), (settings.max_record_age_minutes - 1) // 2, settings.freshness_minutes
    if not least <= fresh <= most:
        limits = "a batch may wait for batchWindowSeconds, and a wait of half of maxRecordAgeMinutes pages"
        raise invalid("freshnessMinutes", f"from {least} to {most}: {limits}", fresh, stage)


def _alarms(settings: "StackSettings") -> None:
    if settings.alarm_email and settings.page_topic_arn and settings.ticket_topic_arn:
        rule = "left out where pageTopicArn and ticketTopicArn are given"
        raise invalid("alarmEmail", rule, settings.alarm_email, settings.stage)


def _network(settings: "StackSettings") -> None:
    cidr = settings.vpc_cidr if settings.vpc_cidr != DEFAULT_CIDR else None
    own = {"vpcZones": settings.vpc_zones, "vpcCidr": cidr}
    existing = {"vpcId": settings.vpc_id, "vpcSubnetIds": settings.vpc_subnet_ids}
    for name, given in (own | existing).items():
        if given and not settings.keeps_network:
            raise invalid(name, "left out where vpc is false", given, settings.stage)
    for name, given in own.items():
        if given and settings.vpc_id:
            raise invalid(name, "left out where vpcId is given", given, settings.stage)
    for name, other in (("vpcId", "vpcSubnetIds"), ("vpcSubnetIds", "vpcId")):
        if existing[other] and not existing[name]:
            raise invalid(name, f"given where {other} is", None, settings.stage)
    if len(settings.vpc_zones) == 1:
        raise invalid("vpcZones", "two zones or more", settings.vpc_zones[0], settings.stage)
