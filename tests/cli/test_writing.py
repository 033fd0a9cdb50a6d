"""The one writer, and `relay produce` by it: whatever fails, every event, in order within its session, under one id."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from mypy_boto3_kinesis.type_defs import PutRecordsResultEntryTypeDef

from personalize_relay_cli.input.reading import read
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.contents import Content
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL, Entry
from personalize_relay_cli.sending.pace import SendingPace
from personalize_relay_cli.sending.producing import ProduceTerms
from personalize_relay_cli.sending.put_records import Writer
from personalize_relay_cli.sending.runs import Run
from tests.cli.test_produce import THROTTLED, write
from tests.simulation.world import Clock


class Killed(BaseException):
    """The process is gone."""


class Shaky:
    """A stream that fails some records, throttles some calls, and now and then outlives the process that calls it."""

    def __init__(self, seed: int, *, kills: bool = False) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.kills = kills
        self.taken: list[Entry[Any]] = []
        self.checkpoint = Path()
        self.kept = b""
        """What the checkpoint held when the sender was killed."""
        self.unknown = 0
        """Events whose sender never heard that they were taken."""

    def put(self, entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        """Take some of them."""
        assert len(entries) <= MAX_RECORDS_PER_CALL
        assert max(Counter(entry.key for entry in entries).values()) == 1
        if self.chance.random() < 0.2:
            raise ClientError({"Error": {"Code": THROTTLED}}, "PutRecords")
        failed = {entry for entry in entries if self.chance.random() < 0.3}
        its = [entry for entry in entries if entry not in failed]
        self.taken += its
        if self.kills and self.chance.random() < 0.2:
            self.unknown += sum(entry.events for entry in its)
            self.kept = self.checkpoint.read_bytes()
            raise Killed
        return [{"ErrorCode": THROTTLED} if entry in failed else {"SequenceNumber": "1"} for entry in entries]

    def events(self) -> list[dict[str, Any]]:
        """What was taken, in order, each event with its session."""
        payloads = [json.loads(entry.data) for entry in self.taken]
        return [{**each, "sessionId": of["sessionId"]} for of in payloads for each in of.get("eventList", [of])]


@given(keys=st.lists(st.sampled_from("abcdef"), max_size=80), seed=st.integers())
def test_every_record_is_written_once_and_in_order_within_its_key(keys: list[str], seed: int) -> None:
    stream, clock, told = Shaky(seed), Clock(), list[int]()
    writer = Writer[int](
        stream.put,
        lambda entry, _answer: told.extend(entry.of),
        clock=clock,
        wait=lambda seconds: clock.wait_until(clock() + seconds),
    )
    for number, key in enumerate(keys):
        writer.add(Content(b"", key, 1), number)
    writer.flush()
    assert not writer
    assert sorted(told) == list(range(len(keys)))
    for key in set(keys):
        assert [each.of for each in stream.taken if each.key == key] == [
            [number] for number, its in enumerate(keys) if its == key
        ]


@given(sessions=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60), seed=st.integers(), packing=st.booleans())
def test_killed_and_resumed_every_event_arrives_in_order_under_one_id(
    sessions: list[str], seed: int, *, packing: bool
) -> None:
    """What comes twice is no more than what the calls held whose sender was killed."""
    stream = Shaky(seed, kills=True)
    with TemporaryDirectory() as folder:
        events = [
            {"sessionId": each, "eventType": "x", "sentAt": 1_790_000_000, "itemId": f"{number}"}
            for number, each in enumerate(sessions)
        ]
        file = write(Path(folder, "clicks.jsonl"), *events)
        stream.checkpoint = Path(folder, "at")
        while not _ran(stream, file, packing=packing):
            stream.checkpoint.write_bytes(stream.kept)  # whoever is killed writes no more
    first = {event["itemId"]: event for event in reversed(stream.events())}
    assert len(stream.events()) <= len(sessions) + stream.unknown
    assert {event["eventId"] for event in stream.events()} == {event["eventId"] for event in first.values()}
    assert len({event["eventId"] for event in first.values()}) == len(sessions) == len(first)
    for session in set(sessions):
        came = [item for event in stream.events() if event["sessionId"] == session for item in [int(event["itemId"])]]
        assert list(dict.fromkeys(came)) == [number for number, each in enumerate(sessions) if each == session]


def _ran(stream: Shaky, file: Path, *, packing: bool) -> bool:
    """Whether a run came to its end."""
    rejected: list[object] = []
    kept = Checkpoint(stream.checkpoint, "clicks", stamped=True)
    clock = Clock()
    its = Run(
        stream.put,
        ProduceTerms(stream="clicks", packing=packing),
        kept,
        rejected.append,
        Interruption(),
        clock=clock,
        wait=lambda seconds: clock.wait_until(clock() + seconds),
    )
    try:
        its.over(read([str(file)]))
    except Killed:
        return False
    assert (its.problem, its.account().left, rejected) == (None, 0, [])
    return True


def test_a_stream_that_takes_others_is_not_given_up_for_a_record_that_it_refuses_for_long() -> None:
    clock = Clock()
    began = clock()

    def put(entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        clock.wait_until(clock() + 3)
        refused: PutRecordsResultEntryTypeDef = {"ErrorCode": "InternalFailure"}
        return [refused if each.key == "a" and clock() < began + 100 else {} for each in entries]

    told: list[int] = []
    writer = Writer[int](
        put,
        lambda entry, _answer: told.extend(entry.of),
        give_up_after=60,
        clock=clock,
        wait=lambda seconds: clock.wait_until(clock() + seconds),
    )
    for number in range(60):
        writer.add(Content(b"", "b" if number else "a", 1), number)
    writer.flush()
    assert sorted(told) == list(range(60))


def test_a_throttled_stream_slows_the_calls_down() -> None:
    clock = Clock()
    began = clock()
    left = {"throttled": 2}
    events: list[float] = []

    def put(entries: Sequence[Entry[Any]]) -> list[PutRecordsResultEntryTypeDef]:
        clock.wait_until(clock() + 1)
        if left["throttled"]:
            left["throttled"] -= 1
            return [{"ErrorCode": THROTTLED} for _ in entries]
        events.extend(clock() for _ in entries)
        return [{} for _ in entries]

    writer = Writer[int](
        put, lambda _entry, _answer: None, clock=clock, wait=lambda seconds: clock.wait_until(clock() + seconds)
    )
    for number in range(2000):
        writer.add(Content(b"", str(number), 1), number)
    writer.flush()
    assert len(events) == 2000
    assert clock() - began > 7, "without a pace four full calls take as many seconds, and two the throttled ones"


def test_a_slow_pace_is_even_but_leaves_no_request_half_empty() -> None:
    addressee = (None, None, None, "s")
    taken: list[int] = []
    clock = Clock()
    writer = Writer[int](
        lambda entries: [{} for _ in entries],
        lambda entry, _answer: taken.append(entry.events),
        pace=SendingPace(1.0),
        clock=clock,
        wait=lambda seconds: clock.wait_until(clock() + seconds),
    )
    for number in range(25):
        writer.add(Content(b"", "s", 1, addressee), number)
    writer.flush()
    assert taken == [10, 10, 5]
