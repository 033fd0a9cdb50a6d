"""The relay from end to end: the deployed template, a real stream, bucket and function process, Lambda's rules."""

import base64
import json
import signal

from local.mapping.invocation import InvocationResult
from local.personalize.answers import DENIED, REFUSED_EVENT, THROTTLED, UNAVAILABLE
from local.personalize.faults import Fault, Hang, any_event
from tests.e2e.conftest import PATIENCE, Relay, retries
from tests.e2e.crash.sitecustomize import MARKER
from tests.e2e.versions import function_set


def items(*numbers: int) -> list[str]:
    return [f"canary-item-{number}" for number in numbers]


def test_one_bad_event_of_ten_is_quarantined_with_its_bytes_and_nine_are_delivered(relay: Relay) -> None:
    bad = json.dumps(relay.event(4, eventType="null")).encode()
    numbers = relay.put(*(bad if number == 4 else relay.event(number) for number in range(10)))
    relay.settle()

    assert relay.delivered() == items(0, 1, 2, 3, 5, 6, 7, 8, 9)
    (line,) = relay.quarantined
    assert line["source"]["sequenceNumber"] == numbers[4]
    assert line["rejected"][0]["reason"] == "placeholder_text"
    assert base64.b64decode(line["data"]) == bad
    assert [(each.result, each.count) for each in relay.invocations] == [(InvocationResult.SUCCEEDED, 10)]
    assert relay.personalize.call_count == 1


def test_one_event_of_ten_that_personalize_rejects_is_quarantined_and_nine_are_delivered_in_order(relay: Relay) -> None:
    relay.personalize.inject(Fault(REFUSED_EVENT, when=any_event(lambda event: event["itemId"] == "canary-item-6")))
    numbers = relay.put(*(relay.event(number) for number in range(10)))
    relay.settle()

    assert relay.delivered() == items(0, 1, 2, 3, 4, 5, 7, 8, 9)
    (line,) = relay.quarantined
    assert line["source"]["sequenceNumber"] == numbers[6]
    assert line["rejected"][0]["reason"] == "rejected_by_personalize"
    assert json.loads(base64.b64decode(line["data"]))["itemId"] == "canary-item-6"
    assert [each.result for each in relay.invocations] == [InvocationResult.SUCCEEDED]
    assert relay.personalize.call_count <= 9


def test_while_the_api_throttles_nothing_is_lost_or_sent_again_by_the_mapping(relay: Relay) -> None:
    throttle = relay.personalize.inject(Fault(THROTTLED, times=6))
    put = [relay.event(number, "abc"[number % 3]) for number in range(30)]
    relay.put(*put)
    relay.settle()

    assert throttle.struck == 6
    assert [(each.result, each.count) for each in relay.invocations] == [(InvocationResult.SUCCEEDED, 30)]
    assert {event_id: each.count for event_id, each in relay.personalize.accepted.items()} == {
        event["eventId"]: 1 for event in put
    }
    assert not relay.quarantined


def test_while_the_api_is_out_nothing_is_lost_and_the_mapping_resumes_at_the_lowest_failed(relay: Relay) -> None:
    # One session's calls go through before the others' fail, so that the mapping has something to resume after.
    outside = relay.event(0, "a")["sessionId"]
    relay.personalize.inject(Fault(UNAVAILABLE, when=lambda request: request.session_id != outside))
    put = [relay.event(0, "a"), *(relay.event(number, "b" if number % 2 else "c") for number in range(1, 9))]
    numbers = relay.put(*put)
    failed = relay.wait_for_invocation(InvocationResult.PARTIAL)
    relay.personalize.clear()
    relay.settle()

    assert failed.resume_at == numbers[1]
    assert relay.invocations[1].first == numbers[1]
    assert not relay.quarantined
    assert not relay.discards
    accepted = relay.personalize.accepted
    assert sorted(accepted) == sorted(event["eventId"] for event in put)
    assert {each.count for each in accepted.values()} == {1}
    assert relay.delivered("b") == items(1, 3, 5, 7)
    assert relay.delivered("c") == items(2, 4, 6, 8)


def test_denied_access_quarantines_and_acknowledges_nothing_and_counts(relay: Relay) -> None:
    before = relay.metric("ConfigurationErrors")
    acknowledged = relay.system.mapping.counters.acknowledged
    relay.personalize.inject(Fault(DENIED))
    numbers = relay.put(relay.event(0), b"bad", relay.event(2))
    failed = relay.wait_for_invocation(InvocationResult.PARTIAL)
    assert failed.resume_at == numbers[0]
    assert relay.system.mapping.counters.acknowledged == acknowledged
    assert not relay.quarantined
    assert relay.metric("ConfigurationErrors") > before

    relay.personalize.clear()
    relay.settle()
    assert relay.delivered() == items(0, 2)
    assert [line["source"]["sequenceNumber"] for line in relay.quarantined] == [numbers[1]]
    assert not relay.discards


def test_a_function_killed_in_mid_batch_is_invoked_again_with_the_same_event_ids(relay: Relay) -> None:
    # The first call is carried out and its answer never comes; the process dies waiting for it.
    relay.personalize.inject(Fault(Hang(), taken=True, times=1))
    without_ids = [relay.event(number, eventId=None) for number in range(12)]
    relay.put(*without_ids)
    relay.personalize.wait_for(lambda fake: fake.in_flight > 0, PATIENCE)
    relay.signal(signal.SIGKILL)
    relay.wait_for_invocation(InvocationResult.FUNCTION_ERROR)
    relay.personalize.clear()
    relay.settle()

    assert relay.delivered() == items(*range(12))
    counts = [each.count for each in relay.personalize.accepted.values()]
    assert counts == [2] * 10 + [1] * 2
    assert not relay.quarantined
    assert not relay.discards


def test_a_function_that_runs_into_its_timeout_is_invoked_again_and_nothing_is_lost(relay: Relay) -> None:
    relay.personalize.inject(Fault(Hang(), times=1))
    relay.put(*(relay.event(number) for number in range(12)))
    relay.personalize.wait_for(lambda fake: fake.in_flight > 0, PATIENCE)
    relay.signal(signal.SIGSTOP)  # what hangs can't keep its own deadline
    relay.wait_for_invocation(InvocationResult.FUNCTION_ERROR)
    relay.personalize.clear()
    relay.settle()

    assert relay.delivered() == items(*range(12))
    assert len(relay.personalize.accepted) == 12
    assert not relay.quarantined
    assert not relay.discards


def test_a_record_that_kills_the_function_every_time_ends_alone_in_the_bucket_with_its_payload(relay: Relay) -> None:
    """After one retry here, which costs a cold start; the stack sets as many as 12 hours have room for."""
    deadly = json.dumps(relay.event(2)).encode() + MARKER
    with retries(relay.system, 1):
        numbers = relay.put(*(deadly if number == 2 else relay.event(number) for number in range(4)))
        relay.settle()

    assert relay.delivered() == items(0, 1, 3)
    (key,) = relay.discards
    stored = json.loads(relay.system.objects("aws/lambda/")[key.removeprefix(f"s3://{relay.system.bucket}/")])
    (record,) = json.loads(stored["payload"])["Records"]
    assert record["kinesis"]["sequenceNumber"] == numbers[2]
    assert base64.b64decode(record["kinesis"]["data"]) == deadly
    assert stored["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_a_bad_record_that_the_bucket_refuses_is_neither_acknowledged_nor_lost(relay: Relay) -> None:
    before = relay.metric("QuarantineWriteErrors")
    with function_set(relay.system, {"QUARANTINE_BUCKET": "a-bucket-that-is-not-there"}):
        numbers = relay.put(relay.event(0), b"bad", relay.event(2))
        failed = relay.wait_for_invocation(InvocationResult.PARTIAL)
        assert failed.resume_at == numbers[1]
        assert relay.metric("QuarantineWriteErrors") > before

    relay.settle()
    assert relay.delivered() == items(0, 2)
    assert [line["source"]["sequenceNumber"] for line in relay.quarantined] == [numbers[1]]
    assert not relay.discards


def test_nothing_of_a_record_was_logged_in_all_of_this(relay: Relay) -> None:
    """Each record of these tests is full of canaries, and the one here shows that a log line would be found."""
    relay.put(relay.event(0), relay.event(1, eventType="null"), b"canary, not JSON")
    relay.settle()
    log = "\n".join(relay.system.log())
    assert '"message":"batch settled"' in log
    assert "canary" not in log
    assert base64.b64encode(b"canary")[:-2].decode() not in log
