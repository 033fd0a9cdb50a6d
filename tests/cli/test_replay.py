"""Each record of the time asked for goes to the function as its mapping would bring it, in order, until settled."""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.mapping.invocation import event_of
from personalize_relay_cli.main import run
from personalize_relay_cli.replaying.function import Function, counts
from personalize_relay_cli.replaying.records import MAX_BYTES, Replayed, batches, payload, replayed
from personalize_relay_cli.replaying.replay import AT_ONCE, MAX_TRIES, Replay, ReplayTerms
from personalize_relay_cli.replaying.stream import Stream, generations
from personalize_relay_cli.replaying.text import account_lines, as_json, plan_lines
from tests.simulation.world import ARRIVAL

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
TERMS = ReplayTerms(since=ARRIVAL, until=ARRIVAL + 3600, rate=250, batch_size=100)
FIRST, SECOND = "shardId-000000000000", "shardId-000000000001"


def refusal(code: str, status: int = 400) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "Operation")


def record(number: int, at: float | None = None) -> dict[str, Any]:
    """A record that arrived `number` seconds after the first, or then."""
    arrival = datetime.fromtimestamp(ARRIVAL + number if at is None else at, UTC)
    data = {"Data": b"canary", "PartitionKey": "canary-key", "ApproximateArrivalTimestamp": arrival}
    return {"SequenceNumber": str(number), **data}


class Kinesis:
    """A stream in memory; `page` records a read. `failures` are raised by the next reads, one each."""

    def __init__(self, shards: Mapping[str, Sequence[int]], page: int = 2) -> None:
        self.records = {shard: [record(number) for number in numbers] for shard, numbers in shards.items()}
        self.parents: dict[str, str] = {}
        self.failures: list[Exception] = []
        self.asked: list[dict[str, Any]] = []
        self._page = page

    def get_paginator(self, operation: str) -> SimpleNamespace:
        """See boto3."""
        assert operation == "list_shards"
        return SimpleNamespace(paginate=self._shards)

    def _shards(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked == {"StreamARN": ARN}
        for shard in self.records:
            parent = self.parents.get(shard)
            yield {"Shards": [{"ShardId": shard} | ({"ParentShardId": parent} if parent else {})]}

    def get_shard_iterator(self, **asked: Any) -> dict[str, str]:  # noqa: ANN401 - as boto3's
        """See boto3."""
        self.asked.append(asked)
        records = self.records[asked["ShardId"]]
        if asked["ShardIteratorType"] == "AT_TIMESTAMP":
            before = [each for each in records if each["ApproximateArrivalTimestamp"] < asked["Timestamp"]]
        else:
            last = int(asked["StartingSequenceNumber"])
            before = [each for each in records if int(each["SequenceNumber"]) <= last]
        return {"ShardIterator": f"{asked['ShardId']} {len(before)}"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """See boto3."""
        if self.failures:
            raise self.failures.pop(0)
        shard, place = ShardIterator.split()
        start = int(place)
        end = start + self._page
        records = self.records[shard]
        behind = 1000 * max(0, len(records) - end)
        return {"Records": records[start:end], "NextShardIterator": f"{shard} {end}", "MillisBehindLatest": behind}


class Lambda:
    """A function whose answers are given, else that all is settled; it keeps what it was invoked with."""

    def __init__(self, *answers: Callable[[list[str]], Any]) -> None:
        self.batches: list[list[str]] = []
        self.shards: list[str] = []
        self.waited: list[float] = []
        """Between its invocations, and before the first."""
        self._answers = list(answers)
        self._lock = threading.Lock()

    def invoke(self, *, FunctionName: str, Payload: bytes, LogType: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """See boto3."""
        assert (FunctionName, LogType) == ("arn:of-the-function:live", "Tail")
        records = json.loads(Payload)["Records"]
        numbers = [each["kinesis"]["sequenceNumber"] for each in records]
        with self._lock:
            self.batches.append(numbers)
            self.shards.append(records[0]["eventID"].partition(":")[0])
            answering = self._answers.pop(0) if self._answers else settled
        answer = answering(numbers)
        if isinstance(answer, Exception):
            raise answer
        return cast("dict[str, Any]", answer)


def settled(numbers: Sequence[str], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    line = {"message": "batch settled", "counts": {"EventsDelivered": len(numbers), "EventsQuarantined": 1}}
    log = f"{json.dumps(line)}\n{{'not json'\nREPORT RequestId: 1\n"
    body = json.dumps({"batchItemFailures": []}).encode()
    return {"Payload": io.BytesIO(body), "LogResult": base64.b64encode(log.encode()).decode()} | more


def reported(*numbers: str) -> Callable[[object], dict[str, Any]]:
    body = json.dumps({"batchItemFailures": [{"itemIdentifier": each} for each in numbers]}).encode()
    return lambda _numbers: {"Payload": io.BytesIO(body)}


def replay(
    kinesis: Kinesis,
    function: Lambda | None,
    terms: ReplayTerms = TERMS,
    interrupted: Callable[[], bool] = lambda: False,
) -> Replay:
    stream = Stream(cast("Any", kinesis), ARN, lambda _: None)
    invoked = Function(cast("Any", function), "arn:of-the-function:live") if function else None
    done = Replay(stream, invoked, terms, wait=function.waited.append if function else None)
    done.over(stream.shards(), interrupted)
    return done


def test_a_record_is_what_the_mapping_makes_of_it() -> None:
    """But for who invokes; to the millisecond, as events without `sentAt` are dated by it."""
    given = cast("Any", record(7, at=ARRIVAL + 0.1234567))
    made = replayed(given, FIRST, ARN)
    bring = {"stream_arn": ARN, "role_arn": "role", "timestamp": given["ApproximateArrivalTimestamp"].timestamp()}
    theirs = event_of(shard_id=FIRST, sequence_number="7", partition_key="canary-key", data=b"canary", **bring)
    expected = json.loads(theirs)
    del expected["invokeIdentityArn"]
    assert json.loads(made.event) == expected
    assert made.arrival == expected["kinesis"]["approximateArrivalTimestamp"]
    assert json.loads(payload([made, made])) == {"Records": [expected, expected]}


def test_a_batch_is_as_large_as_the_mappings_and_as_an_invocation_may_be() -> None:
    records = [Replayed(str(number), ARRIVAL, "x" * 2_000_000) for number in range(7)]
    assert [[each.sequence_number for each in batch] for batch in batches(records, 2)] == [
        ["0", "1"],
        ["2", "3"],
        ["4", "5"],
        ["6"],
    ]
    assert [len(batch) for batch in batches(records, 100)] == [3, 3, 1]
    assert all(len(payload(batch)) <= 6 * 1024 * 1024 for batch in batches(records, 100))


def test_all_of_the_time_asked_for_is_read_and_nothing_before_or_after_it() -> None:
    kinesis = Kinesis({FIRST: [-2, 0, 1, 3599, 3600, 3601], SECOND: [5], "shardId-000000000002": []})
    function = Lambda()
    done = replay(kinesis, function)
    assert sorted(number for batch in function.batches for number in batch) == ["0", "1", "3599", "5"]
    assert (done.read, done.settled, done.unfinished) == (4, 4, [])


def test_a_plan_reads_the_same_and_invokes_nothing() -> None:
    plan = replay(Kinesis({FIRST: [0, 1, 2], SECOND: []}), None)
    assert list(plan_lines(plan, TERMS)) == [
        f"{FIRST}: 3 records, {at(0)} to {at(2)}",
        f"{SECOND}: 0 records",
        "3 records would be replayed, in 0 s at the least",
    ]
    assert as_json(plan, TERMS, planned=True)["read"] == 3


def at(seconds: int) -> str:
    return datetime.fromtimestamp(ARRIVAL + seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_what_is_reported_comes_again_from_the_lowest_on_and_in_order() -> None:
    function = Lambda(reported("3", "2"), reported("3"))
    done = replay(Kinesis({FIRST: [1, 2, 3, 4]}, page=10), function)
    assert function.batches == [["1", "2", "3", "4"], ["2", "3", "4"], ["3", "4"]]
    assert (done.settled, done.unfinished) == (4, [])
    assert (done.invocations, done.uncounted, done.counts["EventsDelivered"]) == (3, 2, 2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda numbers: settled(numbers, FunctionError="Unhandled"),
        lambda _: refusal("TooManyRequestsException", 429),
        lambda _: refusal("ServiceException", 500),
        lambda _: ReadTimeoutError(endpoint_url="of Lambda"),
        reported("5"),
        lambda _: {"Payload": io.BytesIO(b'"canary"')},
        lambda _: {"Payload": io.BytesIO(b'{"batchItemFailures": [7]}')},
    ],
)
def test_a_batch_that_failed_as_a_whole_comes_again(answer: Callable[[list[str]], Any]) -> None:
    function = Lambda(answer)
    assert replay(Kinesis({FIRST: [1, 2]}), function).settled == 2
    assert function.batches == [["1", "2"]] * 2


def test_what_no_retry_mends_ends_the_run() -> None:
    with pytest.raises(ClientError):
        replay(Kinesis({FIRST: [1]}), Lambda(lambda _: refusal("AccessDeniedException", 403)))


def test_a_shard_whose_batch_is_reported_again_and_again_stops_and_the_others_go_on() -> None:
    kinesis = Kinesis({FIRST: [1, 2, 3], SECOND: []}, page=2)

    def stubborn(numbers: list[str]) -> dict[str, Any]:
        return reported("2")(numbers) if "2" in numbers else settled(numbers)

    function = Lambda(*[stubborn] * (MAX_TRIES + 1))
    done = replay(kinesis, function)
    assert function.batches == [["1", "2"], *[["2"]] * MAX_TRIES]
    (stuck,) = done.unfinished
    assert (stuck.shard_id, done.read, done.settled) == (FIRST, 2, 1)
    said = "\n".join(account_lines(done, TERMS))
    assert "2 read = 1 settled + 1 left, in 2 shards" in said
    assert f"{FIRST}: from the record 2 on nothing is replayed: the function reported it 6 times" in said
    assert f"relay replay --shard {FIRST} --since {at(2)} --until {at(3600)}" in said


def test_what_was_made_of_a_shard_that_stopped_is_not_replayed_before_it() -> None:
    others = ["shardId-000000000002", "shardId-000000000003"]
    kinesis = Kinesis({FIRST: [1], SECOND: [2], others[0]: [3], others[1]: [4]})
    kinesis.parents = {SECOND: FIRST, others[1]: others[0]}

    def stubborn(numbers: list[str]) -> dict[str, Any]:
        return reported("1")(numbers) if "1" in numbers else settled(numbers)

    function = Lambda(*[stubborn] * 9)
    done = replay(kinesis, function)
    assert sorted(function.batches) == [*[["1"]] * MAX_TRIES, ["3"], ["4"]]
    assert [each.shard_id for each in done.unfinished] == [FIRST, SECOND]
    assert f"relay replay --shard {SECOND} --since {at(0)}" in "\n".join(account_lines(done, TERMS))


def test_a_record_that_no_invocation_can_take_stops_its_shard() -> None:
    kinesis = Kinesis({FIRST: [1, 2]})
    kinesis.records[FIRST][1]["Data"] = bytes(MAX_BYTES)
    done = replay(kinesis, Lambda())
    assert "too large for an invocation" in done.shards[0].stuck


def test_shards_go_a_few_at_once_and_none_before_those_it_was_made_of() -> None:
    shards = [f"shardId-00000000000{number}" for number in range(9)]
    kinesis = Kinesis({shard: [number + 1] for number, shard in enumerate(shards)})
    kinesis.parents = {shards[0]: shards[8], shards[8]: "shardId-gone"}
    meeting = threading.Barrier(AT_ONCE)

    def meet(numbers: list[str]) -> dict[str, Any]:
        meeting.wait(10)  # no fewer get past it
        return settled(numbers)

    function = Lambda(*[meet] * AT_ONCE)
    assert replay(kinesis, function).settled == 9
    assert function.shards[-1] == shards[0]
    stream = Stream(cast("Any", kinesis), ARN, lambda _: None)
    ordered = [[each.shard_id for each in generation] for generation in generations(stream.shards())]
    assert ordered == [shards[1:], shards[:1]]


def test_a_stream_that_refuses_reads_or_whose_iterator_expired_is_read_on_where_it_was() -> None:
    kinesis = Kinesis({FIRST: [1, 2, 3]}, page=2)
    kinesis.failures = [refusal("ProvisionedThroughputExceededException"), refusal("ExpiredIteratorException")]

    def slowly(numbers: list[str]) -> dict[str, Any]:
        kinesis.failures.append(refusal("ExpiredIteratorException"))
        return settled(numbers)

    function = Lambda(slowly)
    assert replay(kinesis, function).settled == 3
    assert function.batches == [["1", "2"], ["3"]]
    assert kinesis.asked[-1]["StartingSequenceNumber"] == "2"


def test_whoever_interrupts_is_told_where_each_shard_stands_once_what_is_under_way_has_ended() -> None:
    looked = threading.Semaphore(0)

    def ending(numbers: list[str]) -> dict[str, Any]:
        assert looked.acquire(timeout=10)
        assert looked.acquire(timeout=10)  # at the second look the first has had its effect
        return settled(numbers)

    def interrupted() -> bool:
        looked.release()
        return True

    function = Lambda(ending)
    done = replay(Kinesis({FIRST: [1, 2, 3]}, page=1), function, interrupted=interrupted)
    assert (function.batches, done.settled) == ([["1"]], 1)
    assert f"{FIRST} stands at {at(1)}; to go on" in "\n".join(account_lines(done, TERMS))


def test_a_rate_holds_for_all_shards_and_cuts_batches_to_a_second() -> None:
    function = Lambda()
    replay(
        Kinesis({FIRST: range(1, 8)}, page=10),
        function,
        ReplayTerms(since=ARRIVAL, until=ARRIVAL + 99, rate=3, batch_size=9),
    )
    assert list(map(len, function.batches)) == [3, 3, 1]
    assert [round(seconds) for seconds in function.waited] == [0, 1, 2]  # no time passes in this test


def test_nothing_of_a_record_is_said() -> None:
    done = replay(Kinesis({FIRST: [1, 2]}), Lambda(lambda numbers: settled(numbers, FunctionError="Unhandled")))
    for said in (
        account_lines(done, TERMS),
        plan_lines(done, TERMS),
        [json.dumps(as_json(done, TERMS, planned=False))],
    ):
        assert "canary" not in "\n".join(said)


@pytest.mark.parametrize("line", ["", "canary", "[]", '{"message": "batch settled"}', '{"counts": {}}'])
def test_a_log_that_does_not_show_the_counts_gives_none(line: str) -> None:
    assert counts(base64.b64encode(line.encode()).decode()) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--since"),
        (["--since", "yesterday"], "ISO 8601"),
        (["--since", "1h", "--until", "2h"], "not before --until"),
        (["--since", "2099-01-01"], "not before now"),
        (["--since", "1h", "--dry-run", "--yes"], "which is it?"),
        (["--since", "1h", "--rate", "0"], "--rate"),
    ],
)
def test_wrong_usage_is_a_line_and_status_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", *words]) == 2
    assert said in capsys.readouterr().err
