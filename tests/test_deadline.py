"""Time is kept at the end of an invocation to answer in, and more of it where something is to be stored."""

import pytest

from personalize_relay.deadline import LEAST_TIME_FOR_A_CALL, QUARANTINE_MARGIN, SETTLE_MARGIN, Deadline
from personalize_relay.quarantine import LONGEST_WRITE


def deadline(end: float = 160.0, *, quarantining: bool = False) -> Deadline:
    return Deadline(now=100.0, end=end, quarantining=quarantining)


@pytest.mark.parametrize(("quarantining", "margin"), [(False, SETTLE_MARGIN), (True, QUARANTINE_MARGIN)])
def test_a_margin_is_kept_at_the_end(margin: float, *, quarantining: bool) -> None:
    assert deadline(quarantining=quarantining).at == 160 - margin


def test_the_margin_for_the_quarantine_has_room_for_a_write_and_the_answer() -> None:
    assert QUARANTINE_MARGIN >= LONGEST_WRITE + SETTLE_MARGIN


def test_as_soon_as_there_is_something_to_quarantine_it_is_brought_forward() -> None:
    late = deadline()
    late.keep_time_to_quarantine()
    assert late.at == 160 - QUARANTINE_MARGIN
    late.keep_time_to_quarantine()
    assert late.at == 160 - QUARANTINE_MARGIN


@pytest.mark.parametrize("quarantining", [False, True])
def test_half_of_a_short_invocation_is_for_sending(*, quarantining: bool) -> None:
    assert deadline(end=101.0, quarantining=quarantining).at == 100.5


def test_a_call_begins_only_while_it_can_still_be_answered() -> None:
    last = 160 - SETTLE_MARGIN - LEAST_TIME_FOR_A_CALL
    assert deadline().leaves_time(last)
    assert not deadline().leaves_time(last + 0.01)


def test_it_knows_how_long_the_invocation_is_in_all() -> None:
    assert deadline().time == 60


def test_its_repr_says_when_it_is() -> None:
    assert repr(deadline(quarantining=True)) == "<Deadline at 154.0, 6.0 s before the end>"
