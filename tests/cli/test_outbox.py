"""Calls are full, a session's events share a record, and a partition key's records go one after another."""

import random

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay_cli.sending.contents import Addressee, Content
from personalize_relay_cli.sending.outbox import (
    MAX_BYTES_PER_CALL,
    MAX_PACKED_BYTES,
    MAX_RECORD_BYTES,
    MAX_RECORDS_PER_CALL,
    Entry,
    Outbox,
)

SOMEBODY: Addressee = (None, None, None, "s")


def content(key: str, size: int = 10, events: int = 1, addressee: Addressee | None = None) -> Content:
    return Content(bytes(size), key, events, addressee)


def test_a_call_holds_at_most_500_records() -> None:
    outbox = Outbox[int]()
    for number in range(MAX_RECORDS_PER_CALL + 1):
        outbox.put(content(str(number)), number)
    assert [len(outbox.take(0.0)) for _ in range(3)] == [MAX_RECORDS_PER_CALL, 1, 0]


def test_a_call_holds_at_most_5_mib_keys_included() -> None:
    outbox = Outbox[int]()
    for number in range(6):
        outbox.put(content(str(number), size=MAX_RECORD_BYTES - 1), number)
    taken = outbox.take(0.0)
    assert sum(each.size for each in taken) == MAX_BYTES_PER_CALL
    assert len(outbox.take(0.0)) == 1


def test_a_call_holds_no_more_events_than_the_pace_allows_but_always_one_entry() -> None:
    outbox = Outbox[int]()
    for number, events in enumerate([7, 2, 2, 2]):
        outbox.put(content(str(number), events=events), number)
    assert [[each.events for each in outbox.take(0.0, 4.0)] for _ in range(3)] == [[7], [2, 2], [2]]


def test_what_failed_waits_until_it_is_due_and_goes_first() -> None:
    outbox = Outbox[str]()
    outbox.put(content("a"), "first")
    (first,) = outbox.take(0.0)
    outbox.fail(first, 5.0)
    outbox.put(content("b"), "second")
    outbox.put(content("a"), "behind the first")
    assert (outbox.next_due(), outbox.ready(4.9)) == (5.0, 1)
    assert [each.of for each in outbox.take(5.0)] == [["first"], ["second"]]
    assert outbox.take(5.0) == []


def test_events_of_one_addressee_share_a_record_until_another_comes_between() -> None:
    outbox = Outbox[int]()
    other: Addressee = (None, None, "u", "s")
    for number, whose in enumerate([SOMEBODY, SOMEBODY, other, SOMEBODY]):
        outbox.put(content("s", addressee=whose), number)
    for expected in [0, 1], [2], [3]:
        (entry,) = outbox.take(0.0)
        assert entry.of == expected
        outbox.settle(entry)


def test_nothing_joins_a_record_that_was_handed_out_even_if_it_is_to_be_tried_again() -> None:
    outbox = Outbox[int]()
    outbox.put(content("s", addressee=SOMEBODY), 0)
    (entry,) = outbox.take(0.0)
    outbox.put(content("s", addressee=SOMEBODY), 1)
    outbox.fail(entry, 1.0)
    assert outbox.take(2.0) == [entry]
    assert entry.of == [0]


def test_a_record_is_shared_within_a_unit_of_25_kb_and_the_events_that_are_asked_for() -> None:
    outbox = Outbox[int]()
    for number in range(3):
        outbox.put(content("s", size=MAX_PACKED_BYTES // 2 - 20, addressee=SOMEBODY), number)
    for number in range(3):
        outbox.put(content("t", events=4, addressee=SOMEBODY), number, 10)
    assert [(each.of, each.events) for each in outbox.take(0.0)] == [([0, 1], 2), ([0, 1], 8)]


def test_a_record_ends_with_a_full_call_where_ten_more_would_not_fit() -> None:
    outbox = Outbox[int]()
    for number in range(35):
        outbox.put(content("s", size=700, addressee=SOMEBODY), number)
    (entry,) = outbox.take(0.0)
    assert entry.events == 30


def test_what_has_no_addressee_shares_no_record() -> None:
    outbox = Outbox[int]()
    for number in range(2):
        outbox.put(content("s"), number)
    assert [each.of for each in outbox.take(0.0)] == [[0]]


@given(keys=st.lists(st.sampled_from("abcde"), max_size=60), seed=st.integers())
def test_a_keys_records_are_taken_in_order_whatever_fails(keys: list[str], seed: int) -> None:
    """Several calls are under way at once, end in any order, and fail any of their entries."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    outbox = Outbox[int]()
    for number, key in enumerate(keys):
        outbox.put(content(key), number)
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
        assert numbers == [[number] for number, its in enumerate(keys) if its == key]
