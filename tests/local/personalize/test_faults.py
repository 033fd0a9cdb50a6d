"""The Personalize fake fails as it is told to."""

import http.client
import json
import random
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local.personalize.answers import (
    BARE_503,
    CUT,
    DENIED,
    INTERNAL_ERROR,
    REFUSED_EVENT,
    RESET,
    THROTTLED,
    THROTTLED_400,
    UNAVAILABLE,
    UNKNOWN_TRACKER,
    HttpAnswer,
)
from local.personalize.faults import Delay, Effect, Fault, Hang, Quota, SlowBody, Swallow, any_event
from local.personalize.memory import NO_ANSWER
from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import (
    REFUSED,
    PutEvents,
    a_document,
    answered,
    client_of,
    post,
    signed,
)


@pytest.mark.parametrize(
    "answer", [THROTTLED, THROTTLED_400, INTERNAL_ERROR, UNAVAILABLE, DENIED, UNKNOWN_TRACKER, REFUSED_EVENT]
)
def test_an_answer_strikes_as_often_as_told(
    personalize: PersonalizeFake, put_events: PutEvents, answer: HttpAnswer
) -> None:
    """The struck calls are answered so and accept nothing; then all is well again."""
    fault = personalize.inject(Fault(answer, times=2))
    assert [answered(put_events) for _ in range(3)] == [(answer.status, answer.code)] * 2 + [(200, "")]
    assert [call.error for call in personalize.calls] == [answer.code, answer.code, None]
    assert (fault.struck, personalize.accepted["e"].count) == (2, 1)


def test_an_answer_may_lack_a_body_or_say_when_to_retry(personalize: PersonalizeFake) -> None:
    body = json.dumps(a_document()).encode()
    personalize.inject(Fault(BARE_503, times=1))
    personalize.inject(Fault(HttpAnswer(status=429, code="ThrottlingException", retry_after=3)))
    assert post(personalize, body) == (503, None)
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("POST", "/events", body, signed(personalize, body))
    assert connection.getresponse().getheader("Retry-After") == "3"
    connection.close()


def test_a_bad_event_fails_its_call_and_no_other(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(REFUSED_EVENT, when=any_event(lambda event: event.get("itemId") == "bad")))
    assert answered(lambda: put_events("a", itemId="bad")) == REFUSED
    assert answered(lambda: put_events("b", itemId="good")) == (200, "")
    assert list(personalize.accepted) == ["b"]


@pytest.mark.parametrize("effect", [INTERNAL_ERROR, RESET, CUT])
def test_a_taken_call_is_accepted_and_its_answer_lost(
    personalize: PersonalizeFake, put_events: PutEvents, effect: Effect
) -> None:
    """The retry then brings the same id a second time."""
    personalize.inject(Fault(effect, taken=True, times=1))
    with pytest.raises((ClientError, ConnectionClosedError)):
        put_events("a")
    put_events("a")
    assert personalize.accepted["a"].count == 2


def test_a_taken_call_that_breaks_a_limit_is_refused(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(INTERNAL_ERROR, taken=True))
    assert answered(lambda: put_events(itemId="x" * 257)) == REFUSED


@pytest.mark.parametrize("answer", [RESET, CUT])
def test_a_reset_gives_no_answer(personalize: PersonalizeFake, put_events: PutEvents, answer: HttpAnswer) -> None:
    """The client sees its connection break, before the answer or in its body, and the memory says so."""
    put_events("warm")
    personalize.inject(Fault(answer, times=1))
    with pytest.raises(ConnectionClosedError):
        put_events("a")
    put_events("b")
    assert (personalize.calls[1].status, personalize.calls[1].error) == (None, NO_ANSWER)
    assert list(personalize.accepted) == ["warm", "b"]


def test_a_hanging_call_ends_with_its_client(personalize: PersonalizeFake) -> None:
    """A client that gives up takes its call with it: nothing is accepted."""
    personalize.inject(Fault(Hang()))
    with pytest.raises(ReadTimeoutError):
        client_of(personalize, read_timeout=0.1)()
    personalize.wait_for(lambda it: it.in_flight == 0, timeout=5)
    assert (personalize.calls[0].error, personalize.accepted) == (NO_ANSWER, {})


def test_a_delay_takes_its_time_anew_for_each_call(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    delays = iter([0.05, 0.0])
    personalize.inject(Fault(Delay(lambda: next(delays))))
    began = time.monotonic()
    put_events("a")
    assert time.monotonic() - began >= 0.05
    put_events("b")
    assert (next(delays, None), personalize.accepted_count) == (None, 2)


def test_a_slow_body_comes_whole_or_too_late(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """The events are accepted either way; a client that stops in mid-body can't know."""
    personalize.inject(Fault(SlowBody(0.05), times=1))
    put_events("a")
    personalize.inject(Fault(SlowBody(60)))
    with pytest.raises(ReadTimeoutError):
        client_of(personalize, read_timeout=0.1)("b")
    personalize.wait_for(lambda it: it.in_flight == 0, timeout=5)
    assert [(call.status, call.error) for call in personalize.calls] == [(200, None), (None, NO_ANSWER)]
    assert list(personalize.accepted) == ["a", "b"]


def test_a_swallowed_event_is_answered_200_and_missing(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(Swallow(), times=1))
    put_events("a")
    put_events("b")
    assert ([call.status for call in personalize.calls], list(personalize.accepted)) == ([200, 200], ["b"])


def test_a_quota_lets_through_its_burst_and_then_its_rate() -> None:
    """A token bucket on the fake's clock: two at once, then one for each half second that passes."""
    now = [0.0]
    with PersonalizeFake(clock=lambda: now[0]) as personalize:
        put = client_of(personalize)
        personalize.inject(Fault(Quota(2, burst=2)))
        assert [answered(put)[0] for _ in range(3)] == [200, 200, 429]
        now[0] = 0.5
        assert [answered(put)[0] for _ in range(2)] == [200, 429]
        now[0] = 100.0
        assert [answered(put)[0] for _ in range(3)] == [200, 200, 429]


def test_a_fault_ends_with_its_time_or_when_cleared() -> None:
    now = [10.0]
    with PersonalizeFake(clock=lambda: now[0]) as personalize:
        put = client_of(personalize)
        personalize.inject(Fault(UNAVAILABLE, seconds=5))
        assert answered(put)[0] == 503
        now[0] = 15.0
        assert answered(put)[0] == 200
        personalize.inject(Fault(UNAVAILABLE))
        assert answered(put)[0] == 503
        personalize.clear()
        assert answered(put)[0] == 200


def test_a_share_of_calls_fails_by_seed(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """The same seed strikes the same calls of the same order."""
    personalize.inject(Fault(UNAVAILABLE, share=0.5, seed=7))
    draw = random.Random(7)  # noqa: S311 - the fault's own draws, repeated
    assert [answered(put_events)[0] == 503 for _ in range(20)] == [draw.random() < 0.5 for _ in range(20)]


def test_faults_act_in_the_order_of_injection(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """One that answers in the service's place uses nothing up of those behind it."""
    personalize.inject(Fault(DENIED, times=1))
    behind = personalize.inject(Fault(UNAVAILABLE, times=1))
    assert [answered(put_events)[0] for _ in range(3)] == [403, 503, 200]
    assert behind.struck == 1
