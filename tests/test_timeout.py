"""A hung call is given up by what answers usually take, as RFC 6298 has it."""

import pytest

from personalize_relay.clients import TIMEOUT
from personalize_relay.timeout import SHORTEST, Timeout


def noted(*seconds: float) -> Timeout:
    timeout = Timeout()
    for each in seconds:
        timeout.note(each)
    return timeout


def test_until_an_answer_has_come_a_call_has_the_longest_time() -> None:
    assert noted().seconds(0) == TIMEOUT


def test_the_first_answer_gives_the_mean_and_half_of_it_the_deviation() -> None:
    assert noted(0.8).seconds(0) == pytest.approx(0.8 + 4 * 0.4)


def test_each_further_answer_moves_the_deviation_by_a_quarter_and_the_mean_by_an_eighth() -> None:
    """The deviation first: it is from the mean as it was."""
    deviation = 0.75 * 0.4 + 0.25 * 0.8
    mean = 0.875 * 0.8 + 0.125 * 1.6
    assert noted(0.8, 1.6).seconds(0) == pytest.approx(mean + 4 * deviation)


def test_quick_answers_leave_a_call_a_second_all_the_same() -> None:
    assert noted(*[0.02] * 100).seconds(0) == SHORTEST


def test_slow_answers_give_a_call_no_more_than_the_longest_time() -> None:
    assert noted(4.0, 0.1, 4.0).seconds(0) == TIMEOUT


def test_each_time_out_of_a_request_doubles_the_time_of_its_next_call() -> None:
    quick = noted(*[0.02] * 100)
    assert [quick.seconds(timeouts) for timeouts in range(5)] == [1, 2, 4, TIMEOUT, TIMEOUT]


def test_its_repr_says_what_a_first_attempt_has() -> None:
    assert repr(noted(0.02)) == "<Timeout 1.0 s>"
