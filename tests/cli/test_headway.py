"""A position says exactly what is settled of a file, in whatever order that came; the account adds up."""

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay_cli.sending.headway import MAX_OPEN, MAX_OPEN_BYTES, Headway, Place


def place(number: int, size: int = 10, file: str = "file") -> Place:
    return Place(file, number, number, bytes([number % 256]), size)


@given(st.permutations(range(1, 9)), st.integers(min_value=0, max_value=8))
def test_a_position_names_all_before_it_that_is_not_settled(order: list[int], settled: int) -> None:
    headway = Headway()
    places = {number: place(number) for number in range(1, 9)}
    for each in places.values():
        headway.open(each)
    for number in order[:settled]:
        headway.send(places[number])
    its = set(order[:settled])
    last = max(its, default=0)
    found = [(each.payloads, each.line, each.unsettled) for each in headway.positions()]
    assert found == [(last, last, [number for number in range(1, last) if number not in its])] * bool(its)
    assert (headway.read, headway.sent, headway.left) == (8, settled, 8 - settled)


def test_each_file_has_a_position_of_its_own() -> None:
    headway = Headway()
    left, other = place(1), place(1, file="other")
    for each in (left, last := place(2), other):
        headway.open(each)
    headway.send(last)
    headway.send(other)
    assert [(each.file, each.payloads, each.unsettled) for each in headway.positions()] == [
        ("file", 2, [1]),
        ("other", 1, []),
    ]


def test_what_is_rejected_is_settled_and_counted_by_reason() -> None:
    headway = Headway()
    headway.open(first := place(1))
    headway.reject(first, "invalid_json")
    assert (headway.rejected, headway.left, headway.reasons) == (1, 0, {"invalid_json": 1})
    assert (headway.settled, headway.settled_bytes) == (1, 10)


def test_what_an_earlier_run_settled_counts_as_neither_read_nor_sent() -> None:
    headway = Headway()
    headway.skip(place(1))
    assert (headway.read, headway.sent, headway.settled_bytes) == (0, 0, 10)
    assert [each.payloads for each in headway.positions()] == [1]


def test_there_is_room_for_a_bounded_number_of_payloads_behind_one_that_is_not_settled() -> None:
    headway = Headway()
    headway.open(first := place(1))
    for number in range(2, MAX_OPEN + 1):
        headway.open(behind := place(number))
        headway.send(behind)
    assert not headway.has_room
    headway.send(first)
    assert headway.has_room


def test_there_is_room_for_a_bounded_number_of_bytes_that_are_not_settled() -> None:
    headway = Headway()
    headway.open(large := place(1, MAX_OPEN_BYTES))
    assert not headway.has_room
    headway.send(large)
    assert headway.has_room
