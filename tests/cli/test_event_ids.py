"""Ids depend on a file's content alone, tell identical events apart, and change nothing else of a payload."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay import payloads
from personalize_relay_cli.sending.event_ids import Occurrences, Stamper

FLAT = {"sessionId": "s", "userId": "u", "eventType": "click", "sentAt": 1_790_000_000}
SMALL = 64
"""Counters so few that contents share them."""


def stamped(*texts: bytes | dict[str, Any], counters: int = 1 << 16) -> list[bytes]:
    """The payloads of a file, stamped."""
    stamper = Stamper(counters)
    data = [text if isinstance(text, bytes) else json.dumps(text).encode() for text in texts]
    return [stamper.stamp(each, payloads.decode(each)) for each in data]


def ids(*texts: bytes | dict[str, Any], counters: int = 1 << 16) -> list[str]:
    """The ids of all events, in order."""
    decoded = map(payloads.decode, stamped(*texts, counters=counters))
    return [each["eventId"] for outer in decoded for each in outer.get("eventList", [outer])]


def test_the_same_file_gives_the_same_ids() -> None:
    file = [FLAT, FLAT | {"itemId": "i"}, FLAT]
    assert ids(*file) == ids(*file)


def test_identical_lines_stay_two_events() -> None:
    first, second = ids(FLAT, FLAT)
    assert first != second
    assert first.partition("-")[0] == second.partition("-")[0]


def test_the_order_of_members_and_nulls_do_not_count() -> None:
    turned = dict(reversed(FLAT.items())) | {"eventId": None, "itemId": None}
    assert ids(FLAT) == ids(turned)


def test_an_event_has_the_same_id_alone_and_in_a_list() -> None:
    event = {name: FLAT[name] for name in ("eventType", "sentAt")}
    listed = {"sessionId": "s", "userId": "u", "eventList": [event, event]}
    assert ids(listed) == ids(FLAT, FLAT)


@pytest.mark.parametrize("member", ["sessionId", "userId", "trackingId", "eventType", "itemId", "sentAt", "properties"])
def test_every_member_counts(member: str) -> None:
    assert ids(FLAT) != ids(FLAT | {member: "other"})


def test_a_given_id_stays() -> None:
    text = json.dumps(FLAT | {"eventId": "mine"}).encode()
    assert stamped(text) == [text]
    assert ids({"sessionId": "s", "eventList": [{"eventId": "mine"}, {}]})[0] == "mine"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_id_of_nothing_is_none_as_the_function_has_it(nothing: str | None) -> None:
    given: list[dict[str, Any]] = [
        FLAT | {"eventId": nothing, "eventList": []},
        {"sessionId": "s", "eventList": [{"eventId": nothing}]},
    ]
    assert all(payloads.decode(stamped(each)[0])["eventId"] for each in given[:1])
    assert all(ids(given[1]))
    assert " " not in ids(given[1])


@pytest.mark.parametrize(
    "text",
    [
        b'{"sessionId":"s","eventValue":0.10000000000000000001,"big":123456789012345678901234567890}',
        b' {"a": 1,  "b":[1e999, "\\ud800"] , "eventId": null} ',
        b'{"a":1e999}',
    ],
)
def test_the_text_of_an_event_stays_as_it_was(text: bytes) -> None:
    (with_id,) = stamped(text)
    assert with_id.startswith(text.rstrip()[:-1].rstrip() + b',"eventId":"')
    assert payloads.decode(with_id).items() >= {**payloads.decode(text), "eventId": ids(text)[0]}.items()


def test_the_text_of_listed_events_stays_as_it_was() -> None:
    (with_ids,) = stamped(b'{"sessionId" : "s", "eventList": [ {"eventValue": 1.10} , {"eventId":"mine"}, 7]}')
    assert b'{"eventValue": 1.10,"eventId":"' in with_ids
    assert with_ids.endswith(b'{"eventId":"mine"},7]}')


@pytest.mark.parametrize("text", [b'{"eventList":"x"}', b'{"eventList":[7]}', b'{"eventList":[{"a":"\\ud800"}]}'])
def test_what_the_relay_rejects_or_cannot_be_read_piecemeal_stays(text: bytes) -> None:
    assert stamped(text) == [text]


@given(st.lists(st.sampled_from([FLAT | {"itemId": str(number)} for number in range(40)]), max_size=200))
def test_no_two_events_share_an_id_however_few_the_counters(file: list[dict[str, Any]]) -> None:
    given_ids = ids(*file, counters=SMALL)
    assert len(set(given_ids)) == len(file)
    assert given_ids == ids(*file, counters=SMALL)


def test_numbers_begin_at_nought_and_rise() -> None:
    occurrences = Occurrences(SMALL)
    assert [occurrences.number(bytes(range(32))) for _ in range(3)] == [0, 1, 2]
