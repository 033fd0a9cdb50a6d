"""The values that each setting allows, whatever the others are."""

import re
from datetime import UTC, datetime
from ipaddress import IPv4Network

from aws_cdk.aws_logs import RetentionDays

from personalize_relay.mapping_file import PRESETS, SUFFIX
from personalize_relay.settings import CLIENTS, MAX_IN_FLIGHT_CEILING, MAX_TRACKING_ID_LENGTH

from .interactions import DOMAINS, FIELDS, MOST_FIELDS
from .rules import SettingRule, list_of, matching, names, one_of, whole

LONGEST_SILENCE = 1_420
"""Minutes: in periods of five, CloudWatch looks back over a day, and the longest invocation takes up 20 of it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""
WIDEST, NARROWEST = 16, 26
"""Prefixes of a VPC's addresses: the widest that AWS allows, and the narrowest with room for four subnets."""
AVRO_TYPES = ("string", "int", "long", "float", "double", "boolean")


def _starting_position(text: str) -> datetime | None:
    if text == "TRIM_HORIZON":
        return None
    time = datetime.fromisoformat(text)
    # Lambda refuses a time in the future: API_CreateEventSourceMapping, StartingPositionTimestamp.
    if time.tzinfo is None or time > datetime.now(UTC):
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

_TOPIC = matching(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}", "the ARN of an SNS topic")

_YES_OR_NO = one_of({"true": True, "false": False})

# LATEST is not allowed: it can miss records while Lambda creates the event source mapping.
RULES = {
    "trackingId": _TRACKER,
    "trackingIdParameter": matching(r"[\w./-]{1,1011}", "the name of a Systems Manager parameter"),
    "datasetGroup": matching(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,49}", "a name of up to 50 letters, digits, - and _"),
    "datasetGroupDomain": names(DOMAINS),
    "interactionFields": list_of(
        SettingRule("", _interaction_field),
        f"up to {MOST_FIELDS} NAME:type with commas, no name of Personalize's own, type one of {', '.join(AVRO_TYPES)}",
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
    "startingPosition": SettingRule(
        "TRIM_HORIZON or an ISO 8601 time with its zone, not in the future", _starting_position
    ),
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
    "mappingSalt": matching(r"\S{16,256}", "16 to 256 characters without white space"),
    "shadow": _YES_OR_NO,
    "logLevel": names(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "logRetention": one_of(RetentionDays.__members__),
    "vpc": names(("false", "true", "leaving")),
    "vpcZones": list_of(
        matching(r"[a-z]{2}-[a-z0-9-]*\d[a-z]", ""), "names of availability zones, as a list or with commas"
    ),
    "vpcCidr": SettingRule("an IPv4 block of /16 to /26", _block),
    "vpcId": matching(r"vpc-[0-9a-f]{8,17}", "the id of a VPC"),
    "vpcSubnetIds": list_of(matching(r"subnet-[0-9a-f]{8,17}", ""), "ids of subnets, as a list or with commas"),
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

RENAMED = {"alarmTopicArn": "pageTopicArn and ticketTopicArn"}
"""Settings that replace an old one whose name alone would suggest only one of them."""
