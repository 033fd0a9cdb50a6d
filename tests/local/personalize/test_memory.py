"""The Personalize fake remembers what it took, in order."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from local.personalize.faults import Fault, Hang
from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import ACCEPTED, PutEvents, a_document, post_document


def test_events_are_remembered_by_id_and_the_first_stands(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """A repeat is counted, not kept: Personalize trains with the first event of an id."""
    put_events("a", "b", itemId="first")
    put_events("a", itemId="second")
    assert {event_id: (it.event["itemId"], it.count) for event_id, it in personalize.accepted.items()} == {
        "a": ("first", 2),
        "b": ("first", 1),
    }
    assert [(call.event_ids, call.status) for call in personalize.calls] == [(("a", "b"), 200), (("a",), 200)]
    assert (personalize.accepted_count, personalize.repeated_count) == (2, 1)


def test_sessions_list_their_events_in_order_of_arrival(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    for event_id, session_id in [("1", "x"), ("2", "y"), ("3", "x"), ("1", "x")]:
        put_events(event_id, session_id=session_id)
    assert personalize.sessions == {("t", "x"): ("1", "3"), ("t", "y"): ("2",)}


def test_an_event_without_an_id_gets_a_new_one_each_time(personalize: PersonalizeFake) -> None:
    """So a retry without ids becomes a second row, as with Personalize."""
    event = {"eventType": "click", "sentAt": 1769817600}
    for _ in range(2):
        assert post_document(personalize, a_document(eventList=[event])) == ACCEPTED
    assert personalize.accepted_count == 2


def test_the_session_null_is_answered_and_ignored(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    put_events(session_id="null")
    assert (personalize.call_count, personalize.accepted) == (1, {})


def test_forget_starts_the_memory_afresh(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    put_events("a")
    personalize.forget()
    put_events("b")
    assert (personalize.call_count, list(personalize.accepted), personalize.most_in_flight) == (1, ["b"], 1)


def test_calls_in_flight_are_counted_in_all_and_by_session(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """Two calls of one session held at once are seen as two: what proves order elsewhere can fail."""
    personalize.inject(Fault(Hang()))
    with ThreadPoolExecutor() as pool:
        for event_id, session_id in [("1", "x"), ("2", "x"), ("3", "y")]:
            pool.submit(put_events, event_id, session_id=session_id)
        personalize.wait_for(lambda it: it.in_flight == 3, timeout=5)
        assert [call.status for call in personalize.calls] == [None] * 3
        personalize.clear()
    assert personalize.most_in_flight == 3
    assert personalize.most_in_flight_by_session == {("t", "x"): 2, ("t", "y"): 1}
    assert personalize.in_flight == 0


def test_calls_one_after_the_other_are_never_two_in_flight(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """A call is over before its client knows, so that the next one is no false alarm."""
    for number in range(100):
        put_events(str(number))
    assert personalize.most_in_flight_by_session == {("t", "s"): 1}


def test_wait_for_gives_up_with_the_state_of_things(personalize: PersonalizeFake) -> None:
    with pytest.raises(TimeoutError, match="0 calls, 0 of them under way, 0 events accepted"):
        personalize.wait_for(lambda it: it.call_count == 1, timeout=0.01)
