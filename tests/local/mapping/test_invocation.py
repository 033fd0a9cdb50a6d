"""What a function's answer means, and the event it is given."""

import base64
import json
from typing import Any

import pytest

from local.mapping.invocation import (
    InvocationOutcome,
    InvocationResult,
    InvokeAnswer,
    StreamRecord,
    event_of,
    payload_of,
    read_answer,
)


def record(number: int) -> StreamRecord:
    return StreamRecord(str(number), "key", 0.0, 0.0, "{}")


def read(response: Any, *, numbers: tuple[int, ...] = (9, 10, 11), report_failures: bool = True) -> InvocationOutcome:  # noqa: ANN401 -- any JSON
    answer = InvokeAnswer(payload=json.dumps(response).encode())
    return read_answer([record(number) for number in numbers], answer, report_failures=report_failures)


def reported(*names: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    "response", ["", [], None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"a": 1}]
)
def test_an_answer_that_reports_nothing_is_success(response: object) -> None:
    """Empty in any way, or silent about failures: the batch is done."""
    assert read(response).result is InvocationResult.SUCCEEDED


def test_no_answer_at_all_is_success() -> None:
    """A function that returns no byte has succeeded."""
    assert read_answer([record(1)], InvokeAnswer(), report_failures=True).result is InvocationResult.SUCCEEDED


@pytest.mark.parametrize(
    "response",
    [
        reported(None),
        reported(""),
        reported("12"),
        reported(10),
        reported("10", "12"),
        {"batchItemFailures": [{"foo": "10"}]},
        {"batchItemFailures": ["10"]},
        {"batchItemFailures": "10"},
        {"batchItemFailures": {"itemIdentifier": "10"}},
        "done",
        [1],
    ],
)
def test_a_report_of_no_use_fails_the_whole_batch(response: object) -> None:
    """A null, empty or unknown identifier, or another shape: nothing of the batch counts as done."""
    assert read(response).result is InvocationResult.BATCH_FAILED


def test_an_answer_that_is_not_json_fails_the_whole_batch() -> None:
    """What cannot be read reports nothing."""
    assert (
        read_answer([record(1)], InvokeAnswer(payload=b"{"), report_failures=True).result
        is InvocationResult.BATCH_FAILED
    )


def test_the_lowest_reported_number_is_where_it_resumes() -> None:
    """Numbers count as integers: 9 comes before 10, though not as text."""
    assert read(reported("11", "9", "10")) == InvocationOutcome(
        result=InvocationResult.PARTIAL,
        resume_at="9",
        answer=InvokeAnswer(payload=json.dumps(reported("11", "9", "10")).encode()),
    )


def test_a_report_counts_only_where_the_mapping_asks_for_it() -> None:
    """Without ReportBatchItemFailures whatever is returned is success."""
    assert read(reported("10"), report_failures=False).result is InvocationResult.SUCCEEDED


def test_a_function_error_keeps_its_type_and_not_its_message() -> None:
    """The message may quote a record; the type does not."""
    answer = InvokeAnswer(
        function_error="Unhandled", payload=b'{"errorType": "Sandbox.Timedout", "errorMessage": "secret"}'
    )
    outcome = read_answer([record(1)], answer, report_failures=True)
    assert (outcome.result, outcome.error) == (InvocationResult.FUNCTION_ERROR, "Sandbox.Timedout")


def test_the_event_has_the_shape_that_lambda_sends() -> None:
    """Every member of a record's event, named and valued as in Lambda's own example."""
    event = event_of(
        shard_id="shardId-000000000006",
        sequence_number="49590338271490256608559692538361571095921575989136588898",
        partition_key="1",
        data=b"Hello, this is a test.",
        timestamp=1545084650.987,
        stream_arn="arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        role_arn="arn:aws:iam::123456789012:role/lambda-role",
    )
    assert json.loads(event) == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
            "data": base64.b64encode(b"Hello, this is a test.").decode(),
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
        "awsRegion": "us-east-2",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
    }


def test_the_payload_holds_the_records_in_order() -> None:
    """The function's event is the records' own JSON under `Records`."""
    records = [StreamRecord(str(n), "key", 0.0, 0.0, json.dumps({"n": n})) for n in range(3)]
    assert json.loads(payload_of(records)) == {"Records": [{"n": 0}, {"n": 1}, {"n": 2}]}
