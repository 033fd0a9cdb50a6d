"""What the function's log says of its batches: counts and error codes, as a line of it holds nothing of a record."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SETTLED = '{ $.message = "batch settled" }'
FAILED = '{ $.message = "batch settled" && $.level = "WARNING" }'
"""Batches of which something failed."""
_FIRST_SLICE = timedelta(minutes=1)
_MOST_PAGES = 20
"""Pages of a slice that are read; more come of a log that is mostly of other lines."""
# A service's code, with what the function says of the bucket before it, or a type and a line of ours; no other text.
_CODE = re.compile(
    r"(S3 refused the quarantine object: |the quarantine object did not reach S3: )?"
    r"[A-Za-z0-9._-]{1,64}( at [\w.<>-]{1,64}:\d{1,6})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as the function logged it, when it was settled."""

    at: datetime
    counts: Mapping[str, float]
    errors: tuple[str, ...]


def latest(logs: Any, group: str, *, since: datetime, until: datetime, only: str, most: int) -> list[Batch]:  # noqa: ANN401, PLR0913 - a boto3 client; a question has this many parts
    """The latest batches of a log group, newest first: `only` is SETTLED or FAILED.

    FilterLogEvents begins with the oldest: the time is looked through backwards, in ever longer slices.
    """
    found: list[Batch] = []
    for start, end in _slices(since, until):
        found += sorted(_batches(logs, group, start, end, only), key=lambda batch: batch.at, reverse=True)
        if len(found) >= most:
            break
    return found[:most]


def _slices(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    length = _FIRST_SLICE
    while until > since:
        start = max(since, until - length)
        yield start, until
        until, length = start, length * 4


def _batches(logs: Any, group: str, start: datetime, end: datetime, only: str) -> Iterator[Batch]:  # noqa: ANN401 - a boto3 client
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=_milliseconds(start),
        # The end counts in: else a line would be read in two slices.
        endTime=_milliseconds(end) - 1,
        filterPattern=only,
    )
    for _, page in zip(range(_MOST_PAGES), pages, strict=False):
        for event in page["events"]:
            batch = _batch(event)
            if batch and (batch.errors or only == SETTLED):
                yield batch


def _batch(event: Mapping[str, Any]) -> Batch | None:
    """The batch that a line tells of; None for any other line."""
    try:
        line = json.loads(event["message"])
    except ValueError:
        return None
    if not isinstance(line, dict) or line.get("message") != "batch settled":
        return None
    return Batch(
        at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        counts={name: float(count) for name, count in line.get("counts", {}).items()},
        errors=tuple(map(_code, line.get("errors", ()))),
    )


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else "an error without a code"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
