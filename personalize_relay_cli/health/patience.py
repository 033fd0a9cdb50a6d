"""How long the mapping tries a record for: until its age, which neither its retries nor the stream may cut short."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, ok, wrong

_HOUR = timedelta(hours=1)
MARGIN = _HOUR
"""What the stream should keep a record for beyond its age: storing a batch that is given up takes its time, too."""
_WITHOUT_LIMIT = -1


def start(deployed: Deployed) -> Iterator[Finding]:
    """Where it began to read; silent but for a time that is yet to come."""
    begins: datetime | None = deployed.mapping.get("StartingPositionTimestamp")
    if begins and begins > deployed.now():
        says = f"it begins at {begins:%Y-%m-%d %H:%M:%S %Z}, which is yet to come: nothing that arrives before is read"
        yield wrong(
            "starting position", says, "wait for it, or deploy a new mapping: that of a mapping can't be changed"
        )


def retries(deployed: Deployed) -> Iterator[Finding]:
    """As many as the stack set: an operator may lower them to free a shard, and should set them back."""
    name, seen = "retries", deployed.mapping
    most, meant = (each.get("MaximumRetryAttempts", _WITHOUT_LIMIT) for each in (seen, deployed.mapping_as_deployed))
    if _fewer(most, meant):
        yield wrong(
            name,
            f"{_number(most)}, and the stack set {_number(meant)}: what fails is given up before its record age",
            "set them back once the shard is past what it was lowered for: aws lambda update-event-source-mapping "
            f"--uuid {seen['UUID']} --maximum-retry-attempts {meant}",
        )
    else:
        yield ok(name, f"{_number(most)}: the record age decides when a record is given up")


def retention(deployed: Deployed) -> Iterator[Finding]:
    """The stream keeps a record for longer than the mapping tries it, or it expires before it is stored, uncounted."""
    name, kept = "retention", timedelta(hours=deployed.stream["RetentionPeriodHours"])
    seconds = int(deployed.mapping.get("MaximumRecordAgeInSeconds", _WITHOUT_LIMIT))
    if seconds == _WITHOUT_LIMIT:
        says = f"the mapping gives no record up: what fails is gone from the stream after {_hours(kept)}, uncounted"
        yield wrong(name, says, "deploy again with another maxRecordAgeMinutes")
        return
    age = timedelta(seconds=seconds)
    says = f"the stream keeps a record for {_hours(kept)}, and the mapping gives it up after {_hours(age)}"
    if kept >= age + MARGIN:
        yield ok(name, says)
    else:
        least = -(-(age + MARGIN) // _HOUR)
        yield wrong(
            name,
            f"{says}: it may be gone before it is stored in the bucket, uncounted",
            f"have the stream keep records for {least} h (streamRetentionHours, or its owner's to set), "
            "or lower maxRecordAgeMinutes, and deploy",
        )


def _fewer(most: int, meant: int) -> bool:
    return most != _WITHOUT_LIMIT and (meant == _WITHOUT_LIMIT or most < meant)


def _number(attempts: int) -> str:
    return "no limit" if attempts == _WITHOUT_LIMIT else f"{attempts}"


def _hours(time: timedelta) -> str:
    return f"{time / _HOUR:g} h"
