"""A sandbox whose tracker has taken nothing yet, on virtual time: the tracker is doubted before its events are."""

import pytest
from msgspec.structs import replace

from personalize_relay.events import Source
from personalize_relay.requests import Request
from personalize_relay.result import Cause
from tests.simulation.run import BUSY, REJECTED, TIMED_OUT, Run, always, ids, interaction, rejecting
from tests.simulation.world import Reply, Script


def test_three_bad_events_of_one_request_do_not_make_a_tracker_suspect() -> None:
    """They are parts of a request that is taken in part: only a request that is refused whole speaks against it."""
    run = Run([interaction(n) for n in range(10)], rejecting(0, 1, 2), doubting=True)
    assert set(run.result.rejected) == {Source(0), Source(1), Source(2)}
    assert run.result.delivered == {Source(n) for n in range(3, 10)}
    assert not run.result.configuration_errors


@pytest.mark.parametrize("sessions", [2, 3, 5])
def test_a_wrong_tracker_costs_no_more_calls_where_sessions_have_several_requests(sessions: int) -> None:
    """What a session has behind a request that was refused whole waits, as all else does."""
    wrong = [interaction(n, session=f"s{n % sessions}") for n in range(30 * sessions)]
    run = Run(wrong, always(REJECTED), doubting=True)
    assert len(run.api.calls) <= 57, "three requests of ten, halved down to their events"
    assert run.result.undelivered == {Source(n): Cause.CONFIGURATION for n in range(30 * sessions)}
    assert run.result.configuration_errors == ["SuspectTracker"]


@pytest.mark.parametrize("fault", [BUSY, TIMED_OUT], ids=lambda fault: fault.answer.error)
@pytest.mark.parametrize("others", [1, 20])
def test_requests_that_keep_failing_do_not_keep_the_others_waiting_for_a_first_success(
    fault: Reply, others: int
) -> None:
    """They say nothing of the tracker, so others may try it in their place."""
    first = {"e0", "e1", "e2"}
    script: Script = lambda request, _number: fault if first & ids(request) else Reply()
    run = Run([interaction(n, session=f"s{n}") for n in range(3 + others)], script, doubting=True)
    assert run.result.delivered == {Source(3 + n) for n in range(others)}
    assert run.taken[0] == "e3", "what stands lowest in the stream"
    assert run.result.undelivered == {Source(n): Cause.DEADLINE for n in range(3)}


def test_a_failure_that_is_cured_makes_no_room_for_another_request_on_probation() -> None:
    """Or an unwell API would let a wrong tracker refuse all there is."""
    tried: set[str] = set()

    def script(request: Request, _number: int) -> Reply:
        first = not ids(request) <= tried
        tried.update(ids(request))
        return BUSY if first else REJECTED

    run = Run([interaction(n, session=f"s{n}") for n in range(20)], script, doubting=True)
    assert len(run.api.calls) == 3 * 2
    assert run.result.configuration_errors == ["SuspectTracker"]


@pytest.mark.parametrize("bad", [(0, 1), (0, 2), (1, 2)])
def test_two_bad_events_do_not_stop_a_third_from_showing_that_the_tracker_is_right(bad: tuple[int, int]) -> None:
    run = Run([interaction(n, session=f"s{n}") for n in range(6)], rejecting(*bad), doubting=True)
    assert set(run.result.rejected) == {Source(position) for position in bad}
    assert len(run.result.delivered) == 4


def test_a_tracker_that_has_not_answered_is_not_suspected() -> None:
    run = Run([interaction(n, session=f"s{n}") for n in range(5)], always(Reply(after=1e6)), doubting=True)
    assert run.result.undelivered == {Source(n): Cause.DEADLINE for n in range(5)}
    assert not run.result.configuration_errors


def test_a_request_that_keeps_failing_makes_room_also_for_what_is_held_later() -> None:
    """The second request of a session is held only once the first is settled."""
    slow = Reply(REJECTED.answer, taken=False, after=5.0)

    def script(request: Request, _number: int) -> Reply:
        return BUSY if "e0" in ids(request) else slow if {"e1", "e2"} & ids(request) else Reply()

    behind = replace(interaction(3, "b"), user_id="user")
    run = Run([interaction(0, "a"), interaction(1, "b"), interaction(2, "c"), behind], script, doubting=True)
    assert run.result.delivered == {Source(3)}
