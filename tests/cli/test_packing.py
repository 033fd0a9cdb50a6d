"""Lines that share a record are to the function what each was alone; none that may not share one does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.events import Origin, Parsed
from personalize_relay.parsing import parse
from personalize_relay_cli.sending.contents import Content, as_given, as_one
from personalize_relay_cli.sending.event_ids import Stamper
from tests.cli.s3_bucket import TRACKERS

ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=1_795_512_660.0)
AT = 1_790_000_000
ENTRY = {"eventType": "click", "sentAt": AT}
FLAT = {"sessionId": "s", "userId": "u", **ENTRY}

ENTRIES = st.fixed_dictionaries(
    {
        "eventType": st.sampled_from(["click", " view ", ""]),
        "sentAt": st.sampled_from([AT, "2026-09-21T10:00:00Z", "no"]),
    },
    optional={
        "itemId": st.sampled_from(["i", 7, "null", "\N{SNOWMAN}", "\N{PILE OF POO}", "\ud800"]),
        "eventId": st.sampled_from(["mine", None]),
        "properties": st.sampled_from([{}, {"a": {"b": "c"}}, '{"a": 1}', {"a": "\ud800"}]),
        "context": st.sampled_from([{"userId": "u"}, {"itemId": "i"}, {"eventType": "x"}]),
        "event_value": st.just(2.5),
    },
)
ADDRESSEES = st.fixed_dictionaries(
    {"sessionId": st.sampled_from(["s", "t"])},
    optional={"userId": st.sampled_from(["u", None, 7, "7"]), "trackingId": st.sampled_from(["tracker", ""])},
)
LINES = st.builds(lambda entry, addressee: entry | addressee, ENTRIES, ADDRESSEES) | st.builds(
    lambda addressee, entries: addressee | {"eventList": entries}, ADDRESSEES, st.lists(ENTRIES, min_size=1, max_size=3)
)


def line(payload: Any, **how: Any) -> Content:  # noqa: ANN401 - JSON
    return as_given(json.dumps(payload, **how).encode(), Stamper(64))


def told(parsed: Parsed) -> list[object]:
    """What becomes of each event, in order, wherever it stood; what is rejected, by its reason."""
    taken = [(each.event, each.session_id, each.user_id, each.tracking_id) for each in parsed.interactions]
    return [*taken, *((each.reason, each.event_id) for each in parsed.rejections)]


def assert_the_same(contents: list[Content]) -> None:
    alone = [parse(each.data, ORIGIN, TRACKERS) for each in contents]
    together = told(parse(as_one(contents), ORIGIN, TRACKERS))
    assert together == [each for kind in (0, 1) for parsed in alone for each in _of_kind(parsed, kind)]


def _of_kind(parsed: Parsed, kind: int) -> list[object]:
    split = len(parsed.interactions)
    return told(parsed)[split:] if kind else told(parsed)[:split]


@given(st.lists(LINES, min_size=2, max_size=6))
def test_events_that_share_a_record_are_what_they_were_alone(payloads: list[dict[str, Any]]) -> None:
    by_addressee: dict[object, list[Content]] = {}
    for each in map(line, payloads):
        if each.addressee is not None:
            by_addressee.setdefault(each.addressee, []).append(each)
    for contents in by_addressee.values():
        assert_the_same(contents)


def test_several_lines_become_one_request_with_each_event_as_it_was() -> None:
    first = FLAT | {"eventId": "a", "properties": {"price": 1.10}}
    second = {"sessionId": "s", "userId": "u", "eventList": [ENTRY | {"eventId": "b"}, ENTRY | {"eventId": "c"}]}
    made = json.loads(as_one([line(first), line(second, separators=(", ", " : "))]))
    assert made.keys() == {"sessionId", "userId", "eventList"}
    assert (made["sessionId"], made["userId"]) == ("s", "u")
    events = [{name: value for name, value in first.items() if name not in FLAT or name in ENTRY}, *second["eventList"]]
    assert made["eventList"] == events


def test_a_line_that_is_alone_stays_as_it_is() -> None:
    data = b' {"sessionId":"s" ,"eventType": "click", "sentAt": 1e9, "eventId": "a"}'
    assert as_one([as_given(data, Stamper(64))]) == data


@pytest.mark.parametrize(
    "payload",
    [
        {"sessionId": "s", "eventType": "click"},
        {"sessionId": "s", "eventList": [ENTRY, {"eventType": "click"}]},
        {"sessionId": "s", "eventList": [ENTRY | {"userId": "u"}]},
        {"sessionId": "s", "eventList": "none"},
        {"sessionId": "s", "itemId": "i", "eventList": [ENTRY]},
        {"sessionId": "null", **ENTRY},
        {"userId": "u", **ENTRY},
        {"sessionId": "s", "$schema": {"a": "b"}, **ENTRY},
        {"sessionId": "s", **ENTRY, "\ud800": 1},
        [FLAT],
    ],
    ids=[
        "no time",
        "a time too few",
        "two addressees",
        "no list",
        "both shapes",
        "no session",
        "a user alone",
        "a mark",
        "a name that can't be written",
        "no object",
    ],
)
def test_what_the_contract_wants_alone_stays_alone(payload: object) -> None:
    assert line(payload).addressee is None


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert line({**FLAT, "itemId": "\N{PILE OF POO}"}).addressee is not None


def test_users_of_a_session_share_no_request() -> None:
    assert len({line(FLAT | {"userId": user}).addressee for user in ("a", "b", None)}) == 3


def test_spellings_of_an_addressee_are_one() -> None:
    spellings: list[dict[str, Any]] = [
        {"sessionId": 7},
        {"session_id": "7", "userId": ""},
        {"SESSIONID": "7", "userId": None},
    ]
    assert len({line(ENTRY | each).addressee for each in spellings}) == 1
