"""Reads a log as it grows."""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

OVERLAP = 5_000
"""Milliseconds that each read goes back from the newest line: an earlier line may be written later."""

type _Line = tuple[str, int, str]
"""Stream, moment in milliseconds, and text."""


class LogReader:
    """The lines of a log group that contain a word, each once; a group that doesn't exist yet has none."""

    def __init__(self, logs: "CloudWatchLogsClient", group: str, word: str) -> None:
        self._logs = logs
        self._group = group
        self._word = word
        self._newest = 0
        self._seen: Counter[_Line] = Counter()

    def new_lines(self) -> list[str]:
        """The lines written since the last call."""
        lines: list[str] = []
        # The emulator returns at most 10,000, and doesn't say if there are more.
        while fresh := self._read():
            lines += fresh
        return lines

    def _read(self) -> list[str]:
        found = self._found()
        # Their number distinguishes equal lines of the same moment.
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
