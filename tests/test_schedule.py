"""Each lane has its turn: the lowest first, those that failed beside the others, those that wait when they are due."""

import math

from personalize_relay.lane import Lane
from personalize_relay.schedule import Schedule
from tests.test_lane import fail, lane, request


def at(position: int, *, failing: bool = False) -> Lane:
    """A lane that stands at a position of the stream."""
    made = lane(request(position))
    if failing:
        fail(made, 1)
    return made


def scheduled(*lanes: Lane) -> Schedule:
    schedule = Schedule()
    for each in lanes:
        schedule.add(each)
    return schedule


def taken(schedule: Schedule, now: float = 0.0) -> list[int]:
    """The positions of the lanes in the order of their turns."""
    positions = []
    while schedule.ready(now):
        positions.append(schedule.take().first.sources[0].sequence_number)
    return positions


def test_what_stands_lowest_in_the_stream_goes_first() -> None:
    assert taken(scheduled(at(10), at(9), at(11))) == [9, 10, 11]


def test_lanes_that_failed_and_lanes_that_did_not_take_turns() -> None:
    failing, sound = [at(n, failing=True) for n in (0, 1, 2)], [at(n) for n in (10, 11, 12)]
    assert taken(scheduled(*failing, *sound)) == [10, 0, 11, 1, 12, 2]


def test_without_lanes_of_the_one_kind_the_other_has_every_turn() -> None:
    assert taken(scheduled(at(2, failing=True), at(1, failing=True))) == [1, 2]
    assert taken(scheduled(at(2, failing=True), at(3), at(4), at(5))) == [3, 2, 4, 5]


def test_a_lane_that_waits_has_no_turn_before_it_is_due() -> None:
    schedule = scheduled()
    schedule.add_later(at(1), 5.0)
    schedule.add_later(at(2), 4.0)
    assert not schedule.ready(3.9)
    assert taken(schedule, 4.0) == [2]
    assert taken(schedule, 5.0) == [1]


def test_it_says_when_the_next_is_due() -> None:
    schedule = scheduled(at(3))
    assert schedule.next_due() == math.inf
    schedule.add_later(at(1), 5.0)
    schedule.add_later(at(2), 4.0)
    assert schedule.next_due() == 4.0


def test_a_lane_that_waits_is_something_to_send() -> None:
    schedule = scheduled()
    assert not schedule
    schedule.add_later(at(1), 5.0)
    assert schedule
    taken(schedule, 5.0)
    assert not schedule


def test_its_repr_says_how_many_lanes_of_each_kind() -> None:
    schedule = scheduled(at(1), at(2), at(3, failing=True))
    schedule.add_later(at(4), 5.0)
    assert repr(schedule) == "<Schedule: 2 sound, 1 failing, 1 waiting>"
