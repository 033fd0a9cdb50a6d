"""Reads a log as it grows."""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

OVERLAP = 5_000
"""Milliseconds that each read goes back behind the newest line: a line may be written after one of a later moment."""

type _Line = tuple[str, int, str]
"""Stream, moment in milliseconds, and text."""


class LogReader:
    """The lines of a log group with a word in them, each once; a group that isn't there yet has none."""

    def __init__(self, logs: "CloudWatchLogsClient", group: str, word: str) -> None:
        self._logs = logs
        self._group = group
        self._word = word
        self._newest = 0
        self._seen: Counter[_Line] = Counter()

    def new_lines(self) -> list[str]:
        """What was written since the last call."""
        lines: list[str] = []
        # The emulator gives out 10,000 at most, and doesn't say that there are more.
        while fresh := self._read():
            lines += fresh
        return lines

    def _read(self) -> list[str]:
        found = self._found()
        # Equal lines of the same moment are told apart by their number.
        fresh = found - self._seen
        self._newest = max([self._newest, *(moment for _, moment, _ in fresh)])
        self._seen = found
        return [text for _, _, text in fresh.elements()]

    def _found(self) -> Counter[_Line]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, filterPattern=f'"{self._word}"', startTime=self._from
        )
        try:
            events = [event for page in pages for event in page["events"]]
        except self._logs.exceptions.ResourceNotFoundException:
            return Counter()
        return Counter((event["logStreamName"], event["timestamp"], event["message"]) for event in events)

    @property
    def _from(self) -> int:
        return max(0, self._newest - OVERLAP)
