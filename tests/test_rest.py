"""A rest is as long as haste is useless, and no late answer changes it."""

import math

from personalize_relay.rest import LONGEST, Rest


def test_each_rest_is_twice_as_long_as_the_one_before_up_to_half_a_minute() -> None:
    rest, rests = Rest(), []
    for attempt in range(0, 700, 100):
        rest.begin(attempt, attempt)
        rests.append(rest.over - attempt)
    assert rests == [1, 2, 4, 8, 16, LONGEST, LONGEST]


def test_a_rest_is_counted_from_the_answer_and_not_from_the_attempt() -> None:
    rest = Rest()
    rest.begin(10, 15)
    assert rest.over == 16


def test_after_a_success_there_is_no_rest_and_the_next_is_the_first_again() -> None:
    rest = Rest()
    rest.begin(0, 0)
    rest.begin(1, 1)
    rest.end(3)
    assert not rest
    assert rest.over == -math.inf
    rest.begin(10, 10)
    assert rest.over == 11


def test_the_failure_of_an_attempt_from_before_the_rest_makes_it_no_longer() -> None:
    rest = Rest()
    rest.begin(10, 11)
    rest.begin(10.5, 11.5)
    assert rest.over == 12


def test_the_success_of_an_attempt_from_before_the_rest_does_not_end_it() -> None:
    rest = Rest()
    rest.begin(10, 11)
    rest.end(10.5)
    assert rest
    assert rest.over == 12


def test_it_lasts_until_an_attempt_succeeds_however_long_it_is_over() -> None:
    rest = Rest()
    rest.begin(0, 0)
    assert rest


def test_its_repr_says_until_when() -> None:
    rest = Rest()
    assert repr(rest) == "<Rest: none>"
    rest.begin(0, 4)
    assert repr(rest) == "<Rest until 5.0>"
