"""Whose turn it is, on virtual time: no lane keeps another from its turn, and a denied tracker has one in a while."""

from itertools import pairwise

import pytest

from personalize_relay.events import Source
from personalize_relay.requests import Request
from personalize_relay.result import Cause
from tests.simulation.run import BUSY, DENIED, REJECTED, Run, failing, interaction
from tests.simulation.world import Reply, Script

SLOW_BUSY = Reply(BUSY.answer, taken=False, after=1.0)


def test_lanes_that_failed_take_turns_with_those_that_did_not() -> None:
    """Every second event always fails, and there is time for half of the calls: neither kind takes it all."""
    script: Script = lambda request, _number: Reply(after=1.0) if request.sources[0].sequence_number % 2 else SLOW_BUSY
    run = Run([interaction(n, session=f"s{n}") for n in range(100)], script, most=1)
    assert 0.4 <= run.result.retries / run.result.calls <= 0.6


@pytest.mark.parametrize("failed", range(12))
def test_after_a_configuration_error_one_call_at_a_time_probes_whatever_failed_before(failed: int) -> None:
    """What waits to be tried again, and what is due but not yet sent, waits for a probe that is let through."""

    def script(_request: object, number: int) -> Reply:
        return DENIED if number >= failed else SLOW_BUSY if number % 5 == 4 else BUSY

    run = Run([interaction(n, session=f"s{n}") for n in range(6)], script, most=1)
    denied = [call.began for call in run.api.calls[failed:]]
    rests = [later - earlier for earlier, later in pairwise(denied)]
    assert rests == pytest.approx([1, 2, 4, 8, 16][: len(rests)], abs=0.1)
    assert len(rests) >= 4
    assert run.result.configuration_errors == ["AccessDeniedException"] * len(denied)
    assert run.result.undelivered == {Source(n): Cause.CONFIGURATION for n in range(6)}


@pytest.mark.parametrize("reply", [SLOW_BUSY, Reply(after=1.0), Reply(REJECTED.answer, taken=False, after=1.0)])
def test_a_lane_with_a_call_under_way_sends_nothing_more_once_its_tracker_is_denied(reply: Reply) -> None:
    """Whatever comes of that call: it was made before, and shows nothing. Only one at a time probes."""
    script: Script = lambda request, _number: DENIED if request.session_id == "s0" else reply
    run = Run([interaction(n, session=f"s{n % 4}") for n in range(80)], script)
    assert all(earlier.due <= later.began for earlier, later in pairwise(run.api.calls[3:]))
    assert set(run.result.undelivered.values()) == {Cause.CONFIGURATION}
    assert len(run.result.undelivered) == 80 - len(run.taken)


@pytest.mark.parametrize("failed", range(12))
def test_a_configuration_error_of_one_tracker_keeps_no_other_from_trying_again(failed: int) -> None:
    """As above, with lanes of another tracker that failed before, too."""

    def script(request: Request, number: int) -> Reply:
        if number < failed:
            return SLOW_BUSY if number % 5 == 4 else BUSY
        return DENIED if request.tracking_id == "denied" else Reply()

    both = [interaction(n, session=f"s{n}", tracker="t" if n % 2 else "denied") for n in range(12)]
    run = Run(both, script, most=1)
    assert run.result.delivered == {Source(n) for n in range(12) if n % 2}
    assert set(run.result.configuration_errors) == {"AccessDeniedException"}


def test_a_tracker_whose_denial_is_cured_is_sent_all_it_has_in_the_same_invocation() -> None:
    """Also what was denied, as it was."""
    run = Run([interaction(n, session=f"s{n}") for n in range(40)], failing(3, DENIED))
    assert run.result.delivered == {Source(n) for n in range(40)}
    assert not run.result.undelivered
    assert not run.result.uncured_errors
    assert run.tries(39)[0] < 1 + 2 + 1


def test_a_tracker_that_answers_slowly_leaves_the_others_their_calls() -> None:
    script: Script = lambda request, _number: Reply(after=4.0) if request.tracking_id == "slow" else Reply()
    both = [interaction(n, session=f"s{n}", tracker="t" if n >= 20 else "slow") for n in range(40)]
    run = Run(both, script)
    assert max(run.tries(position)[0] for position in range(20, 40)) < 1
