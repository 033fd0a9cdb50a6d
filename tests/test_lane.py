"""A lane goes through its requests in stream order, and through the parts of one before the next."""

from personalize_relay.lane import Lane
from personalize_relay.requests import Request
from personalize_relay.suspicion import FIRST_TRIAL, FirstAttempts
from tests.simulation.run import interaction


def request(first: int, events: int = 1) -> Request:
    return Request(interactions=tuple(interaction(first + n) for n in range(events)))


def lane(*requests: Request) -> Lane:
    return Lane(list(requests), FirstAttempts())


def left(of: Lane) -> list[list[int]]:
    """The positions of the events that are left, by request."""
    return [[source.sequence_number for source in each.sources] for each in of.requests]


def fail(of: Lane, times: int, now: float = 0.0) -> None:
    """Have a lane's first request fail."""
    for _ in range(times):
        of.begin_call(now)
        of.fail("ServiceUnavailable")
        events = len(of.first.interactions)
        of.suspicion.note_failure(now, events=events, age=0.0, trial=FIRST_TRIAL)


def test_the_lane_that_stands_lowest_in_the_stream_sorts_first() -> None:
    assert min(lane(request(10)), lane(request(9))).first == request(9)


def test_a_lane_sorts_by_the_request_that_comes_next() -> None:
    ahead, behind = lane(request(1), request(9)), lane(request(5))
    ahead.advance()
    assert behind < ahead
    assert not ahead < behind


def test_behind_a_request_comes_the_next() -> None:
    two = lane(request(0), request(1))
    two.advance()
    assert left(two) == [[1]]
    two.advance()
    assert not two.requests


def test_halves_come_in_stream_order_before_the_next_request() -> None:
    two = lane(request(0, 4), request(4))
    two.split()
    assert left(two) == [[0, 1], [2, 3], [4]]
    two.split()
    assert left(two) == [[0], [1], [2, 3], [4]]


def test_a_failure_is_counted_with_its_error_and_whether_it_timed_out() -> None:
    one = lane(request(0))
    one.fail("ThrottlingException")
    one.fail("ReadTimeoutError", timed_out=True)
    assert (one.failures, one.timeouts, one.error) == (2, 1, "ReadTimeoutError")


def test_a_half_begins_without_failures_and_without_time_outs() -> None:
    one = lane(request(0, 2))
    one.fail("ReadTimeoutError", timed_out=True)
    one.split()
    assert (one.failures, one.timeouts) == (0, 0)


def test_what_is_held_against_a_request_is_held_against_its_parts_and_not_against_the_next() -> None:
    two = lane(request(0, 2), request(2))
    fail(two, 8)
    two.split()
    assert two.suspicion.suspected
    two.advance()
    assert two.suspicion.suspected, "the second half"
    two.advance()
    assert not two.suspicion.suspected
    assert not two.suspicion.failing


def test_a_part_was_tried_with_its_request_and_the_next_was_not() -> None:
    two = lane(request(0, 2), request(2))
    two.tried = True
    two.split()
    assert two.tried
    two.advance()
    assert two.tried, "the second half"
    two.advance()
    assert not two.tried


def test_its_repr_says_what_is_left_and_how_it_fares() -> None:
    one = lane(request(0), request(1))
    fail(one, 2)
    assert repr(one).startswith("<Lane of 2 requests, 2 failures, <Suspicion: failing, 2 failures")
