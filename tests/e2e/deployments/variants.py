"""The variants of the stack that these tests deploy, and how the deployed parts are reached."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.emulator.clients import ACCOUNT, REGION
from local.mapping.clock import Pauses
from local.mapping.mapping import EventSourceMapping
from local.system import ARCHITECTURES, TRACKER
from tests.e2e.account import CONTEXT, Account

HERE = {"architecture": ARCHITECTURES[platform.machine()]}
GIVEN = HERE | {"trackingId": TRACKER}
(NOT_HERE,) = {"arm64", "x86_64"} - set(HERE.values())
OF_PROD = {name: value for name, value in CONTEXT["stages"]["prod"].items() if value is not None} | {
    "memoryMb": 1024,
    "timeoutSeconds": 30,
    "batchSize": 20,
    "batchWindowSeconds": 0,
    "maxRecordAgeMinutes": 600,
    "streamRetentionHours": 72,
    "quarantineExpiryDays": 60,
    "parallelization": 2,
    "bisectOnError": False,
    "maxInFlight": 8,
    "putEventsClient": "boto3",
    "allowedTrackingIds": "another",
    "logLevel": "WARNING",
    "alarmEmail": "somebody@example.com",
}
"""What the prod stage sets, and what it might: dev has another value for each."""
OTHER_TRACKER = "00000000-0000-0000-0000-000000000002"
PARAMETER = "/shop/tracking-id"
MAPPING = Path(__file__).with_name("by_mapping.toml")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:"
THE_REST = {
    "trackingId": None,
    "trackingIdParameter": PARAMETER,
    "mapping": str(MAPPING),
    "mappingSalt": "a-salt-for-hashes",
    "streamShards": 8,
    "producerArns": f"arn:aws:iam::{ACCOUNT}:role/web",
    "reservedConcurrency": 50,
    "vpc": True,
    "silenceMinutes": 30,
    "freshnessMinutes": 5,
    "pageTopicArn": f"{TOPIC}pages",
    "ticketTopicArn": f"{TOPIC}tickets",
    "runbookUrl": "https://example.com/runbook",
    "terminationProtection": True,
}
"""All other settings that may change at any time; `architecture` and `shadow` have tests of their own below."""
VARIANTS: dict[str, dict[str, Any]] = {
    "dev": {"stage": "dev", **GIVEN},
    "dev-as-prod": {"stage": "dev", **GIVEN, **OF_PROD},
    "dev-with-tracker": {"stage": "dev", **HERE, "datasetGroup": "shop"},
    "dev-with-the-rest": {"stage": "dev", **HERE, **THE_REST},
    "dev-leaving": {"stage": "dev", **GIVEN, "vpc": "leaving", "streamShards": 4},
    "dev-elsewhere": {"stage": "dev", **GIVEN, "architecture": NOT_HERE},
    "dev-in-shadow": {"stage": "dev", **GIVEN, "shadow": True},
    "prod": {"stage": "prod", **GIVEN},
    "prod-with-key": {"stage": "prod", **GIVEN, "customerKey": True, "terminationProtection": False},
}

type Variants = Callable[[str], Path]
"""The assembly of a variant, by its name."""


def mapping_of(account: Account, outputs: dict[str, str]) -> EventSourceMapping:
    pace = Pauses(poll_seconds=0.05, discover_seconds=0.1)
    return EventSourceMapping(outputs["EventSourceMappingId"], account.emulator.client, pace)


def live(outputs: dict[str, str]) -> str:
    """The function as the mapping invokes it."""
    return f"{outputs['FunctionName']}:{outputs['AliasName']}"
