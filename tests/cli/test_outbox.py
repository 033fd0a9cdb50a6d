"""Calls are full, and a partition key's records go one after another, whatever fails."""

import random

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay_cli.sending.outbox import (
    MAX_BYTES_PER_CALL,
    MAX_RECORD_BYTES,
    MAX_RECORDS_PER_CALL,
    Entry,
    Outbox,
)


def entry(key: str, number: int = 0, size: int = 10, events: int = 1) -> Entry[int]:
    return Entry(key, bytes(size), events, number)


def test_a_call_holds_at_most_500_records() -> None:
    outbox = Outbox[int]()
    for number in range(MAX_RECORDS_PER_CALL + 1):
        outbox.put(entry(str(number)))
    assert [len(outbox.take(0.0)) for _ in range(3)] == [MAX_RECORDS_PER_CALL, 1, 0]


def test_a_call_holds_at_most_5_mib_keys_included() -> None:
    outbox = Outbox[int]()
    for number in range(6):
        outbox.put(entry(str(number), size=MAX_RECORD_BYTES - 1))
    taken = outbox.take(0.0)
    assert sum(each.size for each in taken) == MAX_BYTES_PER_CALL
    assert len(outbox.take(0.0)) == 1


def test_a_call_holds_no_more_events_than_the_pace_allows_but_always_one_entry() -> None:
    outbox = Outbox[int]()
    for number, events in enumerate([7, 2, 2, 2]):
        outbox.put(entry(str(number), events=events))
    assert [[each.events for each in outbox.take(0.0, 4.0)] for _ in range(3)] == [[7], [2, 2], [2]]


def test_what_failed_waits_until_it_is_due_and_goes_first() -> None:
    outbox = Outbox[int]()
    first, second = entry("a"), entry("b")
    outbox.put(first)
    assert outbox.take(0.0) == [first]
    outbox.fail(first, 5.0)
    outbox.put(second)
    outbox.put(entry("a"))
    assert (outbox.next_due(), outbox.ready(4.9)) == (5.0, 1)
    assert outbox.take(5.0) == [first, second]
    assert outbox.take(5.0) == []


@given(keys=st.lists(st.sampled_from("abcde"), max_size=60), seed=st.integers())
def test_a_keys_records_are_taken_in_order_whatever_fails(keys: list[str], seed: int) -> None:
    """Several calls are under way at once, end in any order, and fail any of their entries."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    outbox = Outbox[int]()
    for number, key in enumerate(keys):
        outbox.put(entry(key, number))
    under_way: list[list[Entry[int]]] = []
    settled: list[Entry[int]] = []
    now = 0.0
    while outbox:
        now += 1.0
        if batch := outbox.take(now):
            under_way.append(batch)
        if under_way and chance.random() < 0.6:
            for each in under_way.pop(chance.randrange(len(under_way))):
                if chance.random() < 0.3:
                    outbox.fail(each, now + chance.random() * 3)
                else:
                    outbox.settle(each)
                    settled.append(each)
    for key in set(keys):
        numbers = [each.of for each in settled if each.key == key]
        assert numbers == [number for number, its in enumerate(keys) if its == key]
