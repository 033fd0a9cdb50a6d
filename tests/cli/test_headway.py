"""Everything before a position is settled; the account adds up."""

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay_cli.sending.headway import MAX_OPEN, MAX_OPEN_BYTES, Headway, Place


def place(number: int, size: int = 10) -> Place:
    return Place("file", number, number, number * 10, bytes([number % 256]), size)


@given(st.permutations(range(1, 9)), st.integers(min_value=0, max_value=8))
def test_a_position_has_nothing_unsettled_before_it(order: list[int], settled: int) -> None:
    headway = Headway()
    places = {number: place(number) for number in range(1, 9)}
    for each in places.values():
        headway.open(each)
    for number in order[:settled]:
        headway.send([(places[number], 2)])
    unsettled = [number for number in range(1, 10) if number not in order[:settled]]
    assert [each.payloads for each in headway.positions()] == ([min(unsettled) - 1] if min(unsettled) > 1 else [])
    assert (headway.read, headway.sent, headway.events, headway.left) == (8, settled, 2 * settled, 8 - settled)


def test_what_is_rejected_is_settled_and_counted_by_reason() -> None:
    headway = Headway()
    headway.open(first := place(1))
    headway.reject(first, "invalid_json")
    assert (headway.rejected, headway.left, headway.reasons) == (1, 0, {"invalid_json": 1})
    assert headway.settled is first


def test_there_is_room_for_a_bounded_number_of_payloads_behind_one_that_is_not_settled() -> None:
    headway = Headway()
    headway.open(first := place(1))
    for number in range(2, MAX_OPEN + 1):
        headway.open(behind := place(number))
        headway.send([(behind, 1)])
    assert not headway.has_room
    headway.send([(first, 1)])
    assert headway.has_room


def test_there_is_room_for_a_bounded_number_of_bytes_that_are_not_settled() -> None:
    headway = Headway()
    headway.open(large := place(1, MAX_OPEN_BYTES))
    assert not headway.has_room
    headway.send([(large, 1)])
    assert headway.has_room
