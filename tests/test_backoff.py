"""A request waits for moments between its attempts: the pace is what protects the API."""

from personalize_relay.backoff import LONGEST_WAIT, WAIT_WHEN_THROTTLED, longest_wait


def test_the_wait_doubles_with_each_failure_up_to_a_second() -> None:
    waits = [longest_wait(failures, throttled=False) for failures in range(1, 8)]
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, LONGEST_WAIT, LONGEST_WAIT]


def test_a_request_that_fails_for_hours_still_has_a_wait() -> None:
    assert longest_wait(10_000, throttled=False) == LONGEST_WAIT


def test_a_throttled_request_waits_alike_however_often_it_was() -> None:
    assert {longest_wait(failures, throttled=True) for failures in range(1, 50)} == {WAIT_WHEN_THROTTLED}
