"""The stack's settings: one block per stage in cdk.json, any of them overridden by `-c name=value`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from infra.arns import Arn
from infra.personalize import DOMAINS, FIELDS, MOST_FIELDS
from infra.rules import Rule, list_of, matching, names, one_of, whole
from personalize_relay.mapping_file import PRESETS, SUFFIX
from personalize_relay.settings import CLIENTS, DEFAULT_MAX_IN_FLIGHT, MAX_IN_FLIGHT_CEILING, MAX_TRACKING_ID_LENGTH

ROOM_FOR_TRACKERS = 2500
"""Characters: Lambda gives a function's environment 4 KB, names and all."""
LONGEST_SILENCE = 1_420
"""Minutes: over periods of five, CloudWatch looks back for a day, of which the longest invocation takes 20.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""
MARGIN = 60
"""Minutes between a record's greatest age and its end in the stream.

A record that expires in the stream is neither stored nor counted: the mapping's DroppedEventCount leaves it out. In an
hour the mapping comes to the record behind some invocations of the greatest length, a quarter of an hour.
"""
AVRO_TYPES = ("string", "int", "long", "float", "double", "boolean")


class InvalidSetting(Exception):
    """A setting that a person must mend; the message names it, what is allowed and where to set it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """What one stage's stack may be told; in cdk.json and after `-c` each field is written in camelCase."""

    stage: str
    """The stage these settings are for."""
    tracking_id: str | None = None
    """The event tracker of events that name none."""
    tracking_id_parameter: str | None = None
    """Instead: the Systems Manager parameter that holds it, read at each deployment."""
    dataset_group: str | None = None
    """Instead: the name of a dataset group that the stack makes, with an interactions dataset and an event tracker."""
    dataset_group_domain: str | None = None
    """The domain of that group, for recommenders made for it; without it the group is a custom one."""
    interaction_fields: tuple[tuple[str, str], ...] = ()
    """Fields of that dataset beside Personalize's own, for your `properties`: as NAME:type, with commas. Personalize
    has room for eight of them and distinct event types together."""
    allowed_tracking_ids: tuple[str, ...] = ()
    """Further event trackers that an event may name: a list, or text with commas."""
    stream_arn: str | None = None
    """An existing stream of this region to read, of this account or another; without it the stack makes one."""
    stream_key_arn: str | None = None
    """The key of that stream, where it is encrypted with one that its owner made."""
    stream_shards: int | None = None
    """Shards of the stream that the stack makes; without it the stream is on-demand."""
    stream_retention_hours: int = 48
    """How long the stream keeps a record; with streamArn it must be given, as that stream has it."""
    starting_position: datetime | None = None
    """The time a new mapping starts from; without it, or as TRIM_HORIZON, it starts at the oldest record."""
    batch_size: int = 1000
    """Records an invocation takes at most."""
    batch_window_seconds: int = 1
    """How long a batch may wait to fill up."""
    parallelization: int = 1
    """Invocations at once for each shard; over 1, order holds only among records of one partition key."""
    max_record_age_minutes: int = 720
    """The age from which the mapping stores a record in the bucket instead of retrying it."""
    bisect_on_error: bool = True
    """Whether the mapping halves a batch whose invocation failed."""
    memory_mb: int = 512
    """The function's memory, and with it its share of processor."""
    timeout_seconds: int = 60
    """How long an invocation may take."""
    architecture: str = "arm64"
    """The function's processor."""
    reserved_concurrency: int | None = None
    """Invocations that Lambda keeps for the function alone, and the most it gives it; without it, none and no limit."""
    max_in_flight: int = DEFAULT_MAX_IN_FLIGHT
    """PutEvents calls that an invocation may have under way at once."""
    put_events_client: str = CLIENTS[0]
    """What calls PutEvents: libcurl, or boto3 at several times the CPU."""
    mapping: str | None = None
    """What makes events of payloads of another form: a preset, or a file, packed with the function."""
    mapping_salt: str | None = field(default=None, repr=False)
    """What its `hash` mixes in: readable in the template and the function's configuration to whoever may read those."""
    shadow: bool = False
    """Whether nothing is delivered or quarantined: events are read, checked, counted and acknowledged."""
    log_level: str = "INFO"
    """The function's log level."""
    log_retention: RetentionDays = RetentionDays.ONE_MONTH
    """How long CloudWatch keeps the function's log."""
    vpc: bool = False
    """Whether the function runs in a network of its own, without internet, which the stack makes with its endpoints."""
    silence_minutes: int = 60
    """How long no record may come before somebody is paged; 0 for never."""
    freshness_minutes: int = 15
    """How long a record may wait before it makes a ticket."""
    page_topic_arn: str | None = None
    """An existing SNS topic that pages go to; without it the stack makes one."""
    ticket_topic_arn: str | None = None
    """An existing SNS topic that tickets go to; without it the stack makes one."""
    alarm_email: str | None = None
    """An address that subscribes to the topics that the stack makes."""
    runbook_url: str | None = None
    """Where your people read docs/operations.md: an alarm's description ends with the link to its section there."""
    quarantine_expiry_days: int = 30
    """How long the bucket keeps an object."""
    customer_key: bool = False
    """Whether a key of your own, which the stack makes, encrypts its data; unset it only with an empty stream."""
    retain_data: bool = True
    """Whether the stream, the buckets, the logs, the key and the dataset group outlive the stack."""
    termination_protection: bool = True
    """Whether the stack refuses to be destroyed, until a deployment sets this to false."""

    def __post_init__(self) -> None:
        longest = self.stream_retention_hours * 60 - MARGIN
        if self.max_record_age_minutes > longest:
            rule = f"at most {longest}, {MARGIN} less than the stream's retention (streamRetentionHours)"
            raise invalid("maxRecordAgeMinutes", rule, self.max_record_age_minutes, self.stage)
        # Half of the age pages, and a ticket comes before.
        shortest = 2 * self._least_wait + 1
        if self.max_record_age_minutes < shortest:
            rule = f"at least {shortest}: a batch may wait for batchWindowSeconds to fill up, and twice that is late"
            raise invalid("maxRecordAgeMinutes", rule, self.max_record_age_minutes, self.stage)
        if sum(map(len, self.allowed_tracking_ids)) > ROOM_FOR_TRACKERS:
            rule = f"at most {ROOM_FOR_TRACKERS} characters in all: they are in the function's environment"
            raise invalid("allowedTrackingIds", rule, f"{len(self.allowed_tracking_ids)} ids", self.stage)
        if self.stream_arn and self.stream_shards:
            raise invalid("streamShards", "left out where streamArn is given", self.stream_shards, self.stage)
        at_once = (self.stream_shards or 1) * self.parallelization
        if self.reserved_concurrency and self.reserved_concurrency < at_once:
            rule = f"at least {at_once}, an invocation for each shard times parallelization, or records would wait"
            raise invalid("reservedConcurrency", rule, self.reserved_concurrency, self.stage)
        if self.stream_key_arn and not self.stream_arn:
            raise invalid("streamKeyArn", "left out without streamArn", self.stream_key_arn, self.stage)
        if (
            self.stream_arn
            and self.stream_key_arn
            and Arn.of(self.stream_key_arn).region != Arn.of(self.stream_arn).region
        ):
            raise invalid("streamKeyArn", "of the region of streamArn", self.stream_key_arn, self.stage)
        if self.mapping_salt and not self.mapping:
            raise invalid("mappingSalt", "left out without mapping", self.mapping_salt, self.stage)
        self._check_dataset()
        self._check_alarms()

    def _check_alarms(self) -> None:
        longest_wait = (self.max_record_age_minutes - 1) // 2
        if not self._least_wait <= self.freshness_minutes <= longest_wait:
            limits = "a batch may wait for batchWindowSeconds to fill up, and half of maxRecordAgeMinutes pages"
            rule = f"from {self._least_wait} to {longest_wait}: {limits}"
            raise invalid("freshnessMinutes", rule, self.freshness_minutes, self.stage)
        if self.alarm_email and self.page_topic_arn and self.ticket_topic_arn:
            rule = "left out where pageTopicArn and ticketTopicArn are given"
            raise invalid("alarmEmail", rule, self.alarm_email, self.stage)

    @property
    def _least_wait(self) -> int:
        """Minutes that a record may wait though nothing holds it up."""
        return self.batch_window_seconds // 60 + 1

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of data, when the stack goes; what a first deployment made that then failed goes in any case."""
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.retain_data else RemovalPolicy.DESTROY

    def _check_dataset(self) -> None:
        added = [name for name, _ in self.interaction_fields]
        if self.interaction_fields and not self.dataset_group:
            raise invalid("interactionFields", "left out without datasetGroup", added, self.stage)
        if self.dataset_group_domain and not self.dataset_group:
            rule = "left out without datasetGroup"
            raise invalid("datasetGroupDomain", rule, self.dataset_group_domain, self.stage)
        if len(added) > MOST_FIELDS:
            rule = f"at most {MOST_FIELDS} fields, which is Personalize's limit"
            raise invalid("interactionFields", rule, f"{len(added)} fields", self.stage)
        # Personalize takes names that differ in an underscore alone for the same.
        letters = [name.replace("_", "") for name in (*FIELDS, *added)]
        if len(set(letters)) < len(letters):
            rule = "of names that differ from each other, and from Personalize's own, in more than an underscore"
            raise invalid("interactionFields", rule, ", ".join(added), self.stage)

    @property
    def mapping_path(self) -> Path | None:
        """The mapping's file, where it is no preset."""
        return Path(self.mapping) if self.mapping and self.mapping.endswith(SUFFIX) else None

    def public(self) -> dict[str, object]:
        """The value of each setting but the secrets, by the setting's name."""
        return {name: getattr(self, field_of(name)) for name in RULES if name not in SECRETS}

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the chosen stage's block and what `-c` overrides in it; raises InvalidSetting."""
        stage = _chosen_stage(context)
        given = context["stages"][stage] | _overrides(context)
        for name in given.keys() - RULES.keys():
            raise _unknown(name, stage)
        values = {field_of(name): _read(name, value, stage) for name, value in given.items() if value is not None}
        trackers = [name for name in ("tracking_id", "tracking_id_parameter", "dataset_group") if name in values]
        if len(trackers) != 1:
            rule = f"{RULES['trackingId'].says}, or trackingIdParameter or datasetGroup be set in its place"
            raise invalid("trackingId", rule, values.get(trackers[0]) if trackers else None, stage)
        if "stream_arn" in values and "stream_retention_hours" not in values:
            rule = f"given with streamArn: {RULES['streamRetentionHours'].says}, as that stream has it"
            raise invalid("streamRetentionHours", rule, None, stage)
        return cls(stage=stage, **values)


def _starting_position(text: str) -> datetime | None:
    if text == "TRIM_HORIZON":
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time


def _interaction_field(text: str) -> tuple[str, str]:
    name, _, kind = text.partition(":")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,62}", name) or name in FIELDS or kind not in AVRO_TYPES:
        raise ValueError
    return name, kind


_TRACKER = matching(
    rf"[^\s,]{{1,{MAX_TRACKING_ID_LENGTH}}}", f"an event tracker's id, 1 to {MAX_TRACKING_ID_LENGTH} characters"
)

_TOPIC = matching(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}", "the ARN of an SNS topic")

_YES_OR_NO = one_of({"true": True, "false": False})

# LATEST is not offered: it can miss records while a mapping is being made.
RULES = {
    "trackingId": _TRACKER,
    "trackingIdParameter": matching(r"[\w./-]{1,1011}", "the name of a Systems Manager parameter"),
    "datasetGroup": matching(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,49}", "a name of up to 50 letters, digits, - and _"),
    "datasetGroupDomain": names(DOMAINS),
    "interactionFields": list_of(
        Rule("", _interaction_field),
        f"up to {MOST_FIELDS} NAME:type with commas, no name of Personalize's own, a type of {', '.join(AVRO_TYPES)}",
    ),
    "allowedTrackingIds": list_of(_TRACKER, "event trackers' ids, as a list or with commas"),
    "streamArn": matching(r"arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream/[\w.-]{1,128}", "the ARN of a Kinesis stream"),
    "streamKeyArn": matching(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]{1,64}", "the ARN of a KMS key"),
    "streamShards": whole(1, 20_000),
    "streamRetentionHours": whole(24, 8_760),
    "startingPosition": Rule("TRIM_HORIZON or an ISO 8601 time with its zone", _starting_position),
    "batchSize": whole(1, 10_000),
    "batchWindowSeconds": whole(0, 300),
    "parallelization": whole(1, 10),
    "maxRecordAgeMinutes": whole(1, 10_080),
    "bisectOnError": _YES_OR_NO,
    "memoryMb": whole(128, 10_240),
    "timeoutSeconds": whole(10, 900),
    "architecture": names(("arm64", "x86_64")),
    "reservedConcurrency": whole(1, 200_000),
    "maxInFlight": whole(1, MAX_IN_FLIGHT_CEILING),
    "putEventsClient": names(CLIENTS),
    "mapping": matching(
        "|".join([*PRESETS, rf".+\{SUFFIX}"]), f"one of {', '.join(PRESETS)}, or the path of a {SUFFIX} file"
    ),
    "mappingSalt": matching(r"\S{16,256}", "16 to 256 characters without a blank"),
    "shadow": _YES_OR_NO,
    "logLevel": names(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "logRetention": one_of(RetentionDays.__members__),
    "vpc": _YES_OR_NO,
    "silenceMinutes": whole(0, LONGEST_SILENCE),
    "freshnessMinutes": whole(1, 5_039),
    "pageTopicArn": _TOPIC,
    "ticketTopicArn": _TOPIC,
    "alarmEmail": matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"),
    "runbookUrl": matching(r"https?://[^\s#]{1,500}", "an address that begins with http, without a #"),
    "quarantineExpiryDays": whole(1, 3_650),
    "customerKey": _YES_OR_NO,
    "retainData": _YES_OR_NO,
    "terminationProtection": _YES_OR_NO,
}

SECRETS = {"mappingSalt"}
RENAMED = {"alarmTopicArn": "pageTopicArn and ticketTopicArn"}
"""What took the place of a setting whose name leads to no more than one of them."""


def _chosen_stage(context: Mapping[str, Any]) -> str:
    stages = context.get("stages", {})
    stage = context.get("stage")
    if stage not in stages:
        raise InvalidSetting(
            f"stage must be one of {', '.join(stages) or 'those in cdk.json'}, not {stage!r}; "
            "choose it by -c stage=…, or add its block to cdk.json under stages"
        )
    return str(stage)


def _overrides(context: Mapping[str, Any]) -> dict[str, Any]:
    # The CDK's own names hold a colon, a slash or a hyphen, so that any plain name is meant for us.
    return {name: value for name, value in context.items() if name.isidentifier() and name not in {"stage", "stages"}}


def _read(name: str, value: object, stage: str) -> Any:  # noqa: ANN401 - each rule reads a type of its own
    rule = RULES[name]
    try:
        return rule.read(_as_text(value))
    except (ValueError, KeyError) as exc:
        raise invalid(name, rule.says, value, stage) from exc


def _as_text(value: object) -> str:
    """Write a JSON value as `-c` would give it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def invalid(name: str, rule: str, value: object, stage: str) -> InvalidSetting:
    """What is wrong with a setting, and where to set it; a secret isn't repeated."""
    found = "and is not set" if value is None else "not what it is" if name in SECRETS else f"not {value!r}"
    return InvalidSetting(f"{name} must be {rule}, {found}; set it in cdk.json under stages.{stage} or by -c {name}=…")


def _unknown(name: str, stage: str) -> InvalidSetting:
    close = [RENAMED[name]] if name in RENAMED else get_close_matches(name, RULES, n=1)
    meant = close[0] if close else f"one of {', '.join(RULES)}"
    return InvalidSetting(f"{name} is not a setting; set {meant} in cdk.json under stages.{stage} or by -c name=…")


def field_of(name: str) -> str:
    """The field of a setting."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
