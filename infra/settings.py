"""The stack's settings: one block per stage in cdk.json, any of them overridden by `-c name=value`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Self

from aws_cdk.aws_logs import RetentionDays

from infra.arns import Arn
from infra.personalize import FIELDS
from infra.rules import Rule, list_of, matching, names, one_of, whole
from personalize_relay.mapping_file import PRESETS, SUFFIX
from personalize_relay.settings import CLIENTS, DEFAULT_MAX_IN_FLIGHT, MAX_IN_FLIGHT_CEILING, MAX_TRACKING_ID_LENGTH

ROOM_FOR_TRACKERS = 2500
"""Characters: Lambda gives a function's environment 4 KB, names and all."""
DEFAULT_CIDR = "10.0.0.0/24"
WIDEST, NARROWEST = 16, 26
"""Prefixes of a VPC's addresses: AWS's widest, and one that has room for four subnets."""
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
    interaction_fields: tuple[tuple[str, str], ...] = ()
    """Fields of that dataset beside Personalize's own, for your `properties`: as NAME:type, with commas."""
    allowed_tracking_ids: tuple[str, ...] = ()
    """Further event trackers that an event may name: a list, or text with commas."""
    stream_arn: str | None = None
    """An existing stream of this region to read, of this account or another; without it the stack makes one."""
    stream_key_arn: str | None = None
    """The key of that stream, where it is encrypted with one that its owner made."""
    stream_shards: int | None = None
    """Shards of the stream that the stack makes; without it the stream is on-demand."""
    stream_retention_hours: int = 48
    """How long the stream keeps a record; for an existing stream, what it is set to."""
    producer_arns: tuple[str, ...] = ()
    """IAM roles and users that may write to the stream that the stack makes, of any account, and use its key for it.
    They must exist."""
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
    vpc: str = "false"
    """Whether the function runs in a network of its own, without internet, which the stack makes with its endpoints.
    From true to false by way of leaving: [leave a network](operations.md#leave-a-network)."""
    vpc_zones: tuple[str, ...] = ()
    """The availability zones of that network, else the first two: Lambda and Personalize's events must be in each."""
    vpc_cidr: str = DEFAULT_CIDR
    """The addresses of that network."""
    vpc_id: str | None = None
    """An existing VPC for the function in its place. The stack makes a security group in it and no endpoint: from its
    subnets the services personalize-events and S3 must be within reach by HTTPS."""
    vpc_subnet_ids: tuple[str, ...] = ()
    """The subnets of that VPC, best in two zones."""
    alarm_topic_arn: str | None = None
    """An existing SNS topic that alarms go to; without it the stack makes one."""
    alarm_email: str | None = None
    """An address that subscribes to the topic that the stack makes."""
    quarantine_expiry_days: int = 30
    """How long the bucket keeps an object."""
    customer_key: bool = False
    """Whether a key of your own, which the stack makes, encrypts its data; unset it only with an empty stream."""
    retain_data: bool = True
    """Whether the stream, the buckets, the logs, the key and the dataset group outlive the stack."""

    def __post_init__(self) -> None:
        longest = self.stream_retention_hours * 60
        if self.max_record_age_minutes > longest:
            rule = f"at most {longest}, the stream's retention (streamRetentionHours)"
            raise invalid("maxRecordAgeMinutes", rule, self.max_record_age_minutes, self.stage)
        # Half of the age pages.
        shortest = 2 * self.batch_window_seconds // 60 + 1
        if self.max_record_age_minutes < shortest:
            rule = f"at least {shortest}: a batch may wait for batchWindowSeconds to fill up, and twice that is late"
            raise invalid("maxRecordAgeMinutes", rule, self.max_record_age_minutes, self.stage)
        if sum(map(len, self.allowed_tracking_ids)) > ROOM_FOR_TRACKERS:
            rule = f"at most {ROOM_FOR_TRACKERS} characters in all: they are in the function's environment"
            raise invalid("allowedTrackingIds", rule, f"{len(self.allowed_tracking_ids)} ids", self.stage)
        if self.stream_arn and self.stream_shards:
            raise invalid("streamShards", "left out where streamArn is given", self.stream_shards, self.stage)
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
        if self.interaction_fields and not self.dataset_group:
            raise invalid("interactionFields", "left out without datasetGroup", self.interaction_fields, self.stage)
        if self.alarm_topic_arn and self.alarm_email:
            raise invalid("alarmEmail", "left out where alarmTopicArn is given", self.alarm_email, self.stage)
        self._check_producers()
        self._check_network()

    def _check_producers(self) -> None:
        if self.producer_arns and self.stream_arn:
            rule = "left out where streamArn is given: who may write to that stream is its owner's to say"
            raise invalid("producerArns", rule, self.producer_arns, self.stage)

    def _check_network(self) -> None:
        own = {"vpcZones": self.vpc_zones, "vpcCidr": self.vpc_cidr != DEFAULT_CIDR and self.vpc_cidr}
        existing = {"vpcId": self.vpc_id, "vpcSubnetIds": self.vpc_subnet_ids}
        for name, given in (own | existing).items():
            if given and not self.keeps_network:
                raise invalid(name, "left out where vpc is false", given, self.stage)
        for name, given in own.items():
            if given and self.vpc_id:
                raise invalid(name, "left out where vpcId is given", given, self.stage)
        for name, other in (("vpcId", "vpcSubnetIds"), ("vpcSubnetIds", "vpcId")):
            if existing[other] and not existing[name]:
                raise invalid(name, f"given where {other} is", None, self.stage)
        if len(self.vpc_zones) == 1:
            raise invalid("vpcZones", "two zones or more", self.vpc_zones[0], self.stage)

    @property
    def in_network(self) -> bool:
        """Whether the function is in a network."""
        return self.vpc == "true"

    @property
    def keeps_network(self) -> bool:
        """Whether there is a network for it: Lambda may not have left it yet."""
        return self.vpc != "false"

    @property
    def mapping_path(self) -> Path | None:
        """The mapping's file, where it is no preset."""
        return Path(self.mapping) if self.mapping and self.mapping.endswith(SUFFIX) else None

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
        return cls(stage=stage, **values)


def _starting_position(text: str) -> datetime | None:
    if text == "TRIM_HORIZON":
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time


def _block(text: str) -> str:
    block = IPv4Network(text)
    if not WIDEST <= block.prefixlen <= NARROWEST:
        raise ValueError
    return str(block)


def _interaction_field(text: str) -> tuple[str, str]:
    name, _, kind = text.partition(":")
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,62}", name) or name in FIELDS or kind not in AVRO_TYPES:
        raise ValueError
    return name, kind


_TRACKER = matching(
    rf"[^\s,]{{1,{MAX_TRACKING_ID_LENGTH}}}", f"an event tracker's id, 1 to {MAX_TRACKING_ID_LENGTH} characters"
)

_YES_OR_NO = one_of({"true": True, "false": False})

# LATEST is not offered: it can miss records while a mapping is being made.
RULES = {
    "trackingId": _TRACKER,
    "trackingIdParameter": matching(r"[\w./-]{1,1011}", "the name of a Systems Manager parameter"),
    "datasetGroup": matching(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,49}", "a name of up to 50 letters, digits, - and _"),
    "interactionFields": list_of(
        Rule("", _interaction_field),
        f"NAME:type with commas, no name of Personalize's own, a type one of {', '.join(AVRO_TYPES)}",
    ),
    "allowedTrackingIds": list_of(_TRACKER, "event trackers' ids, as a list or with commas"),
    "streamArn": matching(r"arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream/[\w.-]{1,128}", "the ARN of a Kinesis stream"),
    "streamKeyArn": matching(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]{1,64}", "the ARN of a KMS key"),
    "streamShards": whole(1, 20_000),
    "streamRetentionHours": whole(24, 8_760),
    "producerArns": list_of(
        matching(r"arn:[\w-]+:iam::\d{12}:(role|user)/[\w+=.@/-]{1,512}", ""),
        "ARNs of IAM roles and users, as a list or with commas",
    ),
    "startingPosition": Rule("TRIM_HORIZON or an ISO 8601 time with its zone", _starting_position),
    "batchSize": whole(1, 10_000),
    "batchWindowSeconds": whole(0, 300),
    "parallelization": whole(1, 10),
    "maxRecordAgeMinutes": whole(1, 10_080),
    "bisectOnError": _YES_OR_NO,
    "memoryMb": whole(128, 10_240),
    "timeoutSeconds": whole(10, 900),
    "architecture": names(("arm64", "x86_64")),
    "maxInFlight": whole(1, MAX_IN_FLIGHT_CEILING),
    "putEventsClient": names(CLIENTS),
    "mapping": matching(
        "|".join([*PRESETS, rf".+\{SUFFIX}"]), f"one of {', '.join(PRESETS)}, or the path of a {SUFFIX} file"
    ),
    "mappingSalt": matching(r"\S{16,256}", "16 to 256 characters without a blank"),
    "shadow": _YES_OR_NO,
    "logLevel": names(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "logRetention": one_of(RetentionDays.__members__),
    "vpc": names(("false", "true", "leaving")),
    "vpcZones": list_of(
        matching(r"[a-z]{2}-[a-z0-9-]*\d[a-z]", ""), "names of availability zones, as a list or with commas"
    ),
    "vpcCidr": Rule("an IPv4 block of /16 to /26", _block),
    "vpcId": matching(r"vpc-[0-9a-f]{8,17}", "the id of a VPC"),
    "vpcSubnetIds": list_of(matching(r"subnet-[0-9a-f]{8,17}", ""), "ids of subnets, as a list or with commas"),
    "alarmTopicArn": matching(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}", "the ARN of an SNS topic"),
    "alarmEmail": matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"),
    "quarantineExpiryDays": whole(1, 3_650),
    "customerKey": _YES_OR_NO,
    "retainData": _YES_OR_NO,
}

SECRETS = {"mappingSalt"}


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
    meant = get_close_matches(name, RULES, n=1) or [f"one of {', '.join(RULES)}"]
    return InvalidSetting(f"{name} is not a setting; set {meant[0]} in cdk.json under stages.{stage} or by -c name=…")


def field_of(name: str) -> str:
    """The field of a setting."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
