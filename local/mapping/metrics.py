"""The metrics that Lambda and Kinesis count for an event source mapping, as far as this machine knows them.

It knows what the mapping reads and does. So a record counts once the mapping has read it, in the second of its arrival;
and ConcurrentExecutions counts only the mapping's invocations. Not here are the metrics that the emulator counts by
itself (Invocations, Errors, Throttles, Duration), and throttling by the stream, which nothing imitates.

Names, dimensions and meanings as in "Types of metrics for Lambda functions" and "Monitor the Amazon Kinesis Data
Streams service with Amazon CloudWatch". Only the sums of IncomingRecords and IncomingBytes are as on AWS, which
takes a sample for each put; records don't show which put they came with. Bytes are those of the data.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from local.cloudwatch.statistics import Datum, MetricKey, SampleTally
from local.mapping.executions import Executions
from local.mapping.invocation import InvocationOutcome, InvocationResult
from local.mapping.settings import MappingSettings

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import RecordTypeDef


_INCOMING_RECORDS = MetricKey("AWS/Kinesis", "IncomingRecords", "StreamName")
_INCOMING_BYTES = MetricKey("AWS/Kinesis", "IncomingBytes", "StreamName", "Bytes")
_READ_AGE = MetricKey("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", "Milliseconds")
_INVOKED_AGE = MetricKey("AWS/Lambda", "IteratorAge", "FunctionName", "Milliseconds")
_AT_ONCE = MetricKey("AWS/Lambda", "ConcurrentExecutions", "FunctionName")
_NOT_STORED = MetricKey("AWS/Lambda", "DestinationDeliveryFailures", "FunctionName")
_STORED = MetricKey("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", "EventSourceMappingUUID")
_DROPPED = MetricKey("AWS/Lambda", "DroppedEventCount", "EventSourceMappingUUID")
_IDLE = 30.0
"""Seconds between two samples of an idle shard's age: enough for each minute, and few over the days that they stay."""


class MappingMetrics:
    """The shards' threads write it, and the publisher takes from it."""

    def __init__(self) -> None:
        self._executions = Executions()
        self._tally = SampleTally()
        self._idle_until = 0.0

    def read(self, records: "Sequence[RecordTypeDef]", *, at_tip: bool) -> None:
        """Count a read of the stream.

        A read that found nothing gives an age only if there was nothing to find, and then not again for a while.
        """
        now = time.time()
        arrivals = [record["ApproximateArrivalTimestamp"].timestamp() for record in records]
        for record, arrived in zip(records, arrivals, strict=True):
            self._tally.add(_INCOMING_RECORDS, 1, arrived)
            self._tally.add(_INCOMING_BYTES, len(record["Data"]), arrived)
        if records or (at_tip and now >= self._idle_until):
            self._tally.add(_READ_AGE, max(0.0, now - arrivals[-1]) * 1000 if arrivals else 0, now)
            self._idle_until = 0.0 if records else now + _IDLE

    def invoking(self) -> float:
        """Count an attempt to invoke that begins now; return its moment, for `invoked`."""
        began = time.time()
        self._executions.begin(began)
        return began

    def invoked(self, outcome: InvocationOutcome, began: float, *, age: float) -> None:
        """Count the outcome of an attempt; `age` is the last record's at its beginning, in seconds.

        An attempt that didn't reach the function has no age.
        """
        ran = outcome.result is not InvocationResult.NOT_INVOKED
        self._executions.end(began, time.time(), ran=ran)
        if ran:
            self._tally.add(_INVOKED_AGE, max(0.0, age) * 1000, began)

    def discarded(self, count: int, stored_at: str) -> None:
        """Count records that were given up; only those without a destination count as dropped."""
        self._tally.add(_STORED if stored_at else _DROPPED, count, time.time())

    def destination_failed(self) -> None:
        """Count that the destination took nothing."""
        self._tally.add(_NOT_STORED, 1, time.time())

    def take(self, settings: MappingSettings) -> list[Datum]:
        """The samples since the last call, under the names of the stream, the function and the mapping."""
        for began, at_once in self._executions.take(time.time()):
            self._tally.add(_AT_ONCE, at_once, began)
        names = {
            "StreamName": settings.stream_arn.rpartition("/")[2],
            "FunctionName": settings.function_arn.split(":")[6],
            "EventSourceMappingUUID": settings.uuid,
        }
        return list(self._tally.take(names))
