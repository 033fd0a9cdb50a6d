"""The pace keeps to what was asked for, falls to what a throttled stream takes, and recovers."""

import math

import pytest

from personalize_relay_cli.sending.pace import FLOOR, SendingPace


def test_without_a_rate_nothing_waits() -> None:
    pace = SendingPace()
    assert [pace.reserve(500, 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.most == math.inf


def test_a_rate_is_kept_evenly() -> None:
    pace = SendingPace(100.0)
    assert pace.most == 25
    assert [pace.reserve(25, 0.0) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert pace.reserve(25, 10.0) == 0.0


def test_throttled_it_falls_to_what_was_taken_and_rises_again_without_going_above_the_rate() -> None:
    pace = SendingPace(2000.0)
    pace.reserve(500, 0.0)
    pace.answered(1000, 200, 1.0)
    assert pace.rate == pytest.approx(1000.0)
    pace.answered(500, 0, 1.5)
    assert 1000.0 < pace.rate < 2000.0
    for second in range(2, 20):
        pace.answered(500, 0, float(second))
    assert pace.rate == 2000.0


def test_a_stream_that_takes_nothing_is_still_tried() -> None:
    pace = SendingPace()
    pace.reserve(500, 0.0)
    for second in range(1, 9):
        pace.answered(0, 500, float(second))
    assert pace.rate == FLOOR


def test_a_rate_below_the_floor_is_kept() -> None:
    pace = SendingPace(5.0)
    pace.reserve(1, 0.0)
    pace.answered(0, 1, 1.0)
    assert pace.rate == 5.0
