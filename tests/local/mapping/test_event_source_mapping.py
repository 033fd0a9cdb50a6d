"""The mapping at work between a real stream and a real function of the emulator."""

import json
from typing import Any

from local.emulator.emulator import Emulator
from local.mapping.backlog import FailureCondition
from local.mapping.clock import Pauses
from local.mapping.invocation import InvocationResult
from local.mapping.mapping import EventSourceMapping
from tests.local.relay import Relay, build

SOON = 20.0
QUICK = Pauses(poll_seconds=0.02, first_backoff=0.02, longest_backoff=0.1)
FAILED = {"OnFailure": {"Destination": "arn:aws:s3:::failed"}}


def run(relay: Relay, pace: Pauses = QUICK) -> EventSourceMapping:
    """Run the relay's mapping until its stream is drained."""
    with EventSourceMapping(relay.mapping, relay.emulator.client, pace) as mapping:
        assert mapping.wait_until_drained(SOON)
    return mapping


def stored(emulator: Emulator, key: str) -> dict[str, Any]:
    """The invocation record in the bucket."""
    body = emulator.client("s3").get_object(Bucket="failed", Key=key)["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def test_a_partial_failure_comes_again_from_its_lowest_number_on(emulator: Emulator, name: str) -> None:
    """What the function reports is delivered again, with all behind it, until it is taken."""
    relay = build(emulator, name, {})
    relay.put(*({"n": n, "fails": 1 if n in {2, 4} else 0} for n in range(6)))
    mapping = run(relay)
    assert relay.saw() == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5]]
    assert [(i.count, i.result) for i in mapping.invocations] == [
        (6, InvocationResult.PARTIAL),
        (4, InvocationResult.SUCCEEDED),
    ]
    assert mapping.invocations[0].resume_at == mapping.invocations[1].first
    assert mapping.counters.acknowledged == mapping.counters.read == 6


def test_what_runs_out_of_retries_is_stored_whole(emulator: Emulator, name: str) -> None:
    """The bucket gets the invocation with its records, under Lambda's key, and the shard goes on."""
    relay = build(emulator, name, {"MaximumRetryAttempts": 1, "DestinationConfig": FAILED})
    relay.put({"n": 0}, {"n": 1, "fails": 99}, {"n": 2})
    mapping = run(relay)
    relay.put({"n": 3})
    with mapping:
        assert mapping.wait_until_drained(SOON)
    assert relay.saw() == [[0, 1, 2], [1, 2], [3]]
    [discarded] = mapping.discards
    document = stored(emulator, discarded.stored_at)
    records = [record["kinesis"] for record in json.loads(document["payload"])["Records"]]
    assert discarded.stored_at.startswith(f"aws/lambda/{relay.mapping}/shardId-000000000000/")
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert document["responseContext"]["functionError"] is None
    assert [record["sequenceNumber"] for record in records] == [discarded.first, discarded.last]
    assert document["KinesisBatchInfo"]["batchSize"] == mapping.counters.dropped == 2


def test_a_queue_is_told_without_the_records(emulator: Emulator, name: str) -> None:
    """An SQS destination gets the metadata alone."""
    url = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    to_queue = {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{name}"}}
    relay = build(emulator, name, {"MaximumRetryAttempts": 0, "DestinationConfig": to_queue})
    relay.put({"n": 0, "raises": True})
    run(relay)
    [message] = emulator.client("sqs").receive_message(QueueUrl=url)["Messages"]
    told = json.loads(message["Body"])
    assert "payload" not in told
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}


def test_bisecting_lets_the_neighbours_of_a_raising_record_through(emulator: Emulator, name: str) -> None:
    """Halves are tried in order and use no retry, until the record that raises stands alone."""
    bisect = {"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 0, "DestinationConfig": FAILED}
    relay = build(emulator, name, bisect)
    relay.put(*({"n": n, "raises": n == 2} for n in range(4)))
    mapping = run(relay)
    assert relay.saw() == [[0, 1, 2], [0, 1], [2], [2], [3]]
    assert [d.count for d in mapping.discards] == [1]
    assert mapping.counters.acknowledged == 3
    assert mapping.invocations[0].error == "Runtime.HandlerError"


def test_a_timeout_is_a_function_error(emulator: Emulator, name: str) -> None:
    """A function that runs out of time fails its batch, like one that raises."""
    relay = build(emulator, name, {"MaximumRetryAttempts": 0}, timeout=1)
    relay.put({"n": 0, "hangs": True})
    mapping = run(relay)
    assert [(i.result, i.error) for i in mapping.invocations] == [(InvocationResult.FUNCTION_ERROR, "Sandbox.Timedout")]
    assert mapping.discards[0].stored_at == ""


def test_throttling_uses_no_retry(emulator: Emulator, name: str) -> None:
    """A throttled batch waits and comes, even where no retry is allowed."""
    relay = build(emulator, name, {"MaximumRetryAttempts": 0})
    emulator.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    relay.put({"n": 0})
    with EventSourceMapping(relay.mapping, emulator.client, QUICK) as mapping:
        assert mapping.wait_until(lambda: mapping.counters.not_invoked > 2, SOON)
        emulator.client("lambda").delete_function_concurrency(FunctionName=name)
        assert mapping.wait_until_drained(SOON)
    assert mapping.counters.acknowledged == 1
    assert mapping.invocations[0].error == "TooManyRequestsException"


def test_a_record_past_its_age_is_given_up(emulator: Emulator, name: str) -> None:
    """On a clock 600 times as fast, a minute's age limit ends a failure without end."""
    relay = build(emulator, name, {"MaximumRecordAgeInSeconds": 60, "DestinationConfig": FAILED})
    relay.put({"n": 0, "fails": 10**6})
    mapping = run(relay, Pauses(time_scale=600, poll_seconds=0.02, first_backoff=10, longest_backoff=10))
    [discarded] = mapping.discards
    assert discarded.condition is FailureCondition.AGE
    document = stored(emulator, discarded.stored_at)
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert "responseContext" not in document


def test_a_destination_that_fails_holds_its_shard(emulator: Emulator, name: str) -> None:
    """Nothing is lost while the destination takes nothing; it is asked until it does."""
    missing = {"OnFailure": {"Destination": "arn:aws:s3:::not-yet"}}
    relay = build(emulator, name, {"MaximumRetryAttempts": 0, "BatchSize": 1, "DestinationConfig": missing})
    relay.put({"n": 0, "fails": 99}, {"n": 1})
    with EventSourceMapping(relay.mapping, emulator.client, QUICK) as mapping:
        assert mapping.wait_until(lambda: mapping.counters.destination_failures > 2, SOON)
        assert (mapping.counters.dropped, mapping.unacknowledged, relay.saw()) == (0, 2, [[0]])
        emulator.client("s3").create_bucket(Bucket="not-yet")
        assert mapping.wait_until_drained(SOON)
    assert (mapping.counters.dropped, mapping.counters.acknowledged) == (1, 1)


def test_every_shard_is_read(emulator: Emulator, name: str) -> None:
    """Records of all shards arrive, each batch from one shard."""
    relay = build(emulator, name, {"BatchSize": 2}, shards=3)
    for key in "abcdefgh":
        relay.put(*({"n": n} for n in range(3)), key=key)
    mapping = run(relay)
    assert len({i.shard for i in mapping.invocations}) == 3
    assert mapping.counters.acknowledged == 24


def test_a_window_gathers_a_batch(emulator: Emulator, name: str) -> None:
    """A record waits in its window for the rest of its batch, and counts as lag meanwhile."""
    relay = build(emulator, name, {"MaximumBatchingWindowInSeconds": 300, "BatchSize": 2})
    with EventSourceMapping(relay.mapping, emulator.client, QUICK) as mapping:
        relay.put({"n": 0})
        assert mapping.wait_until(lambda: mapping.unacknowledged == 1, SOON)
        assert mapping.lag > 0
        assert not mapping.drained
        relay.put({"n": 1})
        assert mapping.wait_until_drained(SOON)
        assert (mapping.lag, mapping.drained) == (0.0, True)
    assert relay.saw() == [[0, 1]]


def test_parallel_batches_keep_the_order_of_a_key(emulator: Emulator, name: str) -> None:
    """With parallelization a failing key holds up no other, and each key's records stay in order."""
    relay = build(emulator, name, {"ParallelizationFactor": 3, "BatchSize": 1})
    relay.put({"n": 0, "fails": 8}, {"n": 1}, key="stuck")
    for place in range(6):
        relay.put({"n": 100 + 2 * place}, {"n": 101 + 2 * place}, key=f"free-{place}")
    mapping = run(relay)
    order = [n for [n] in relay.saw()]
    last_failure = max(place for place, n in enumerate(order) if n == 0)
    assert mapping.counters.acknowledged == 14
    assert order.index(1) > last_failure > min(order.index(n) for n in range(100, 112))
    assert all(order.index(n) < order.index(n + 1) for n in range(100, 112, 2))
