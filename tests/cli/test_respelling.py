"""A payload is sent under the contract's names, and but for them as it was."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay import payloads
from personalize_relay.events import Origin, Parsed
from personalize_relay.names import EVENT_MEMBERS, FLAT_MEMBERS
from personalize_relay.parsing import parse
from personalize_relay_cli.sending.respelling import respelled
from tests.cli.s3_bucket import TRACKERS
from tests.simulation.world import ARRIVAL, click

ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=ARRIVAL)


def sent(data: bytes | dict[str, Any]) -> bytes:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    made, named = respelled(text, payloads.decode(text))
    assert payloads.decode(made) == named
    return made


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (b'{"session_id":"s","EVENT_TYPE":"v"}', b'{"sessionId":"s","eventType":"v"}'),
        (b'{"SessionId":"s", "eventValue" : 1.10, "x":[1.0, 2]}', b'{"sessionId":"s","eventValue":1.10,"x":[1.0, 2]}'),
        (
            b'{"TIMESTAMP":1790000000.250,"ITEM_ID":12345678901234567890123}',
            b'{"sentAt":1790000000.250,"itemId":12345678901234567890123}',
        ),
        (b'{"EVENT_ATTRIBUTION_SOURCE":"x"}', b'{"metricAttribution":{"eventAttributionSource":"x"}}'),
        (
            b'{"session_id":"s","event_list":[{"event_id":1,"eventValue":2.0},{"eventType":"v" },7]}',
            b'{"sessionId":"s","eventList":[{"eventId":1,"eventValue":2.0},{"eventType":"v" },7]}',
        ),
        (b'{"sessionId":"s","eventList":[{"item_id":"i"}]}', b'{"sessionId":"s","eventList":[{"itemId":"i"}]}'),
        (b'{"session_id":"s","sessionId":null}', b'{"sessionId":"s"}'),
    ],
)
def test_another_spelling_is_sent_as_the_name_it_means_with_its_value_as_written(given: bytes, made: bytes) -> None:
    assert sent(given) == made


@pytest.mark.parametrize(
    "given",
    [
        b' {"sessionId" : "s", "eventList": [ {"eventValue": 1.10} , 7 ] } ',
        b'{"unknown": 1.0, "sessionId":"s"}',
        b'{"session_id":"a","sessionId":"b"}',
        b'{"session_id":"a","SESSION-ID":"b"}',
        b'{"session_id":"a","eventList":"x","eventValue":NaN}',
        b'{"$schema":"personalize-relay.event/1","sessionId":"s"}',
        b"{}",
    ],
)
def test_every_byte_of_any_other_stays(given: bytes) -> None:
    assert respelled(given, payloads.decode(given))[0] == given


def spellings(name: str) -> st.SearchStrategy[str]:
    snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
    return st.sampled_from([name, snake, snake.upper(), snake.replace("_", " "), name.lower()])


members = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["a", "", None, 7, 1.5, ["a"]]) for name in ("itemId", "userId", "eventId")}
)


@given(members, st.data())
def test_the_function_makes_the_same_of_it(changed: dict[str, Any], data: st.DataObject) -> None:
    event = click(eventType="view") | changed
    spelt = {data.draw(spellings(name)): value for name, value in event.items()}
    listed = {data.draw(spellings("sessionId")): "s", data.draw(spellings("eventList")): [spelt | {"sessionId": "s"}]}
    for payload in spelt, listed:
        text = json.dumps(payload).encode()
        assert told(parse(sent(text), ORIGIN, TRACKERS)) == told(parse(text, ORIGIN, TRACKERS))


def told(parsed: Parsed) -> object:
    """But for the ids of what is rejected: of an entry of a list the function reads only one under its own name."""
    rejections = tuple(msgspec.structs.replace(each, event_id=None) for each in parsed.rejections)
    return msgspec.structs.replace(parsed, renamed_members=0, rejections=rejections)


@pytest.mark.parametrize("name", sorted(FLAT_MEMBERS - {"eventList"}))
def test_no_name_but_the_contracts_is_left(name: str) -> None:
    assert list(payloads.decode(sent({name.upper(): "x"}))) == [name]


@pytest.mark.parametrize("name", sorted(EVENT_MEMBERS))
def test_nor_is_one_in_a_list(name: str) -> None:
    (entry,) = payloads.decode(sent({"event-list": [{name.upper(): "x"}]}))["eventList"]
    assert list(entry) == [name]
