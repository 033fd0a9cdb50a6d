"""The latest batches of a log that can only be read from its beginning; nothing of a line but codes and counts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from personalize_relay_cli.health import function_log
from personalize_relay_cli.health.function_log import FAILED, SETTLED, Batch

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


class Logs:
    """A log of these lines, by how many seconds ago; it makes nothing of a filter pattern."""

    def __init__(self, lines: dict[int, str]) -> None:
        self._lines = lines
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, _operation: str) -> "Logs":
        """The only one asked for: filter_log_events."""
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - what boto3 takes
        """Each line on a page of its own, oldest first."""
        self.asked.append(asked)
        for seconds, line in sorted(self._lines.items(), reverse=True):
            at = int((NOW - timedelta(seconds=seconds)).timestamp() * 1000)
            if asked["startTime"] <= at <= asked["endTime"]:
                yield {"events": [{"timestamp": at, "message": line}]}


def settled(*errors: str, delivered: int = 1) -> str:
    return json.dumps({"message": "batch settled", "counts": {"EventsDelivered": delivered}, "errors": errors})


def latest(logs: Logs, only: str = SETTLED, most: int = 2) -> list[Batch]:
    return function_log.latest(logs, "group", since=NOW - timedelta(days=1), until=NOW, only=only, most=most)


def test_the_latest_come_first_and_older_time_is_not_read() -> None:
    logs = Logs({1: settled(delivered=3), 30: settled(delivered=2), 40: settled(delivered=1), 7200: settled()})
    assert [batch.counts["EventsDelivered"] for batch in latest(logs)] == [3, 2]
    assert len(logs.asked) == 1


def test_a_line_is_found_however_old_and_once() -> None:
    """Wherever two slices meet."""
    for seconds in (1, 60, 90, 300, 1260, 5100, 86_399):
        assert len(latest(Logs({seconds: settled()}))) == 1, seconds


def test_of_failed_batches_only_those_with_errors_come() -> None:
    logs = Logs({1: settled(), 2: settled("ThrottlingException"), 3: "START RequestId: 1"})
    assert [batch.errors for batch in latest(logs, FAILED)] == [("ThrottlingException",)]


def test_an_error_that_is_no_code_is_not_repeated() -> None:
    (batch,) = latest(Logs({1: settled("ValueError at events.py:90", "user u-7 is unknown")}))
    assert batch.errors == ("ValueError at events.py:90", "an error without a code")
