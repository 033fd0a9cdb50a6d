"""One invocation of a function by an event source mapping: its event, and the meaning of its answer.

Pure: no I/O and no clock. The rules come from "Using Lambda to process records from Amazon Kinesis Data Streams"; where
that is silent, from what AWS did in LocalStack's recorded runs (functionError null, for instance).
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

OPENING, CLOSING = '{"Records":[', "]}"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A record of a shard, already in JSON as the function gets it in `Records`."""

    sequence_number: str
    partition_key: str
    timestamp: float
    """Approximate arrival, Unix time in seconds."""
    arrived: float
    """The same on the mapping's own clock, which may run faster."""
    event: str

    @property
    def position(self) -> int:
        """The place in the shard: sequence numbers count as integers, not as text."""
        return int(self.sequence_number)

    @property
    def size(self) -> int:
        """The bytes that it takes in the payload, comma included."""
        return len(self.event) + 1


class InvocationResult(StrEnum):
    """The result of an invocation."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """The function reported from where on it failed."""
    BATCH_FAILED = "batch failed"
    """The function's report is invalid, so the whole batch counts as failed."""
    FUNCTION_ERROR = "function error"
    """It raised, died or ran out of time."""
    NOT_INVOKED = "not invoked"
    """Throttled or out of reach: the function saw nothing, so this uses up no retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeAnswer:
    """The answer of the Invoke API."""

    request_id: str = ""
    status_code: int = 200
    executed_version: str = "$LATEST"
    function_error: str | None = None
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationOutcome:
    """An answer and its meaning; if PARTIAL, records come again from the sequence number `resume_at` on."""

    result: InvocationResult
    resume_at: str = ""
    answer: InvokeAnswer = InvokeAnswer()
    error: str = ""


def event_of(  # noqa: PLR0913 -- a record's event has this many independent parts
    *,
    shard_id: str,
    sequence_number: str,
    partition_key: str,
    data: bytes,
    timestamp: float,
    stream_arn: str,
    role_arn: str,
) -> str:
    """The record as JSON, member by member as Lambda writes it."""
    return json.dumps(
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": partition_key,
                "sequenceNumber": sequence_number,
                "data": base64.b64encode(data).decode("ascii"),
                "approximateArrivalTimestamp": round(timestamp, 3),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard_id}:{sequence_number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role_arn,
            "awsRegion": stream_arn.split(":")[3],
            "eventSourceARN": stream_arn,
        },
        separators=(",", ":"),
    )


def payload_of(records: Sequence[StreamRecord]) -> str:
    """The event for the function."""
    return OPENING + ",".join(record.event for record in records) + CLOSING


def read_answer(records: Sequence[StreamRecord], answer: InvokeAnswer, *, report_failures: bool) -> InvocationOutcome:
    """Whether the batch succeeded, failed, or failed from one of its records on."""
    if answer.function_error is not None:
        return InvocationOutcome(
            result=InvocationResult.FUNCTION_ERROR, answer=answer, error=_error_type(answer.payload)
        )
    read = (
        _read_report(records, answer.payload)
        if report_failures
        else InvocationOutcome(result=InvocationResult.SUCCEEDED)
    )
    return replace(read, answer=answer)


def _read_report(records: Sequence[StreamRecord], payload: bytes) -> InvocationOutcome:
    try:
        response = json.loads(payload or b"null")
    except ValueError:
        return _useless("the response is not JSON")
    # To Lambda, any empty answer is success.
    if not response:
        return InvocationOutcome(result=InvocationResult.SUCCEEDED)
    if not isinstance(response, dict):
        return _useless("the response is not an object")
    failures = response.get("batchItemFailures")
    return _resume_at_lowest(records, failures) if failures else InvocationOutcome(result=InvocationResult.SUCCEEDED)


def _resume_at_lowest(records: Sequence[StreamRecord], failures: object) -> InvocationOutcome:
    if not isinstance(failures, list):
        return _useless("batchItemFailures is not a list")
    known = {record.sequence_number for record in records}
    reported = [item.get("itemIdentifier") for item in failures if isinstance(item, dict)]
    found = [name for name in reported if isinstance(name, str) and name in known]
    if len(found) < len(failures):
        return _useless("an itemIdentifier is not a sequence number of the batch")
    return InvocationOutcome(result=InvocationResult.PARTIAL, resume_at=min(found, key=int))


def _useless(why: str) -> InvocationOutcome:
    return InvocationOutcome(result=InvocationResult.BATCH_FAILED, error=why)


def _error_type(payload: bytes) -> str:
    """The errorType alone: the message beside it may quote a record."""
    try:
        error: Any = json.loads(payload)
    except ValueError:
        return "unknown"
    return str(error.get("errorType", "unknown")) if isinstance(error, dict) else "unknown"
