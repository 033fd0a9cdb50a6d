"""What isn't an event of the contract is told by what it looks like, in the relay's own words."""

import json
from typing import Any

import pytest

from personalize_relay.envelopes import SYSTEMS, seen
from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Parsed, Trackers
from personalize_relay.parsing import parse

ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=1.79e9)


def parsed(payload: object) -> Parsed:
    return parse(json.dumps(payload).encode(), ORIGIN, Trackers(default="tracker"))


def payload_with(paths: frozenset[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path in paths:
        outer, _, inner = path.partition(".")
        made[outer] = {inner: "canary"} if inner else "canary"
    return made


@pytest.mark.parametrize(("what", "preset", "telling"), SYSTEMS)
def test_another_systems_event_is_told_with_the_preset_for_it(what: str, preset: str, telling: frozenset[str]) -> None:
    (got,) = parsed(payload_with(telling)).rejections
    assert f"looks like {what}: set `mapping` to `{preset}`" in got.detail
    assert "canary" not in got.detail


@pytest.mark.parametrize("envelope", ["data", "canary-envelope", "Event"])
@pytest.mark.parametrize(
    "inner", [{"sessionId": "canary", "eventType": "canary"}, {"session_id": "c", "EVENT_TYPE": "c"}]
)
def test_an_envelope_is_told_by_what_it_holds(envelope: str, inner: dict[str, str]) -> None:
    (got,) = parsed({envelope: inner, "canary-other": 1}).rejections
    assert "an object one level down holds `sessionId` and `eventType`" in got.detail
    assert "canary" not in got.detail


def test_an_event_half_in_an_envelope_is_not_sent_without_that_half() -> None:
    event = {"SessionId": "s", "UserId": "u", "EventType": "Click", "Event": {"itemId": "i", "eventValue": 4.5}}
    (got,) = parsed(event).rejections
    assert got.reason is Reason.FOREIGN_FORMAT
    assert "`itemId`" in got.detail
    entry = {"eventType": "Click", "inner": {"itemId": "i"}}
    (got,) = parsed({"sessionId": "s", "eventList": [entry]}).rejections
    assert (got.reason, got.index) == (Reason.FOREIGN_FORMAT, 0)


@pytest.mark.parametrize(
    "beside",
    [{"page": {"path": "/"}}, {"context": {"userId": "u", "itemId": "i"}}, {"tags": ["itemId"]}],
)
def test_an_object_that_holds_nothing_the_event_lacks_is_only_unknown(beside: dict[str, Any]) -> None:
    got = parsed({"sessionId": "s", "userId": "u", "eventType": "view", "itemId": "i", **beside})
    assert len(got.interactions) == 1
    assert got.unknown_members == 1


def test_a_request_beside_its_user_is_not_sent_without_the_user() -> None:
    entries = [{"eventType": "view"}]
    (got,) = parsed({"sessionId": "s", "context": {"userId": "u"}, "eventList": entries}).rejections
    assert got.reason is Reason.FOREIGN_FORMAT
    assert parsed({"sessionId": "s", "userId": "u", "context": {"userId": "u"}, "eventList": entries}).interactions


def test_an_event_with_the_contracts_own_names_is_no_other_systems() -> None:
    beside = {"messageId": "m", "type": "track", "timestamp": 1.79e9}
    assert parsed({"sessionId": "s", "eventType": "view", "itemId": "i", **beside}).interactions


def test_another_systems_event_is_not_delivered_because_its_names_resemble_ours() -> None:
    """Amplitude's `event_id` counts a device's events, its item is a property: sent as it is, both would be wrong."""
    event = {"user_id": "u", "session_id": 7, "event_type": "view", "event_id": 88, "insert_id": "x", "time": 1}
    (got,) = parsed(event).rejections
    assert got.reason is Reason.FOREIGN_FORMAT
    assert "`amplitude`" in got.detail


def test_nothing_is_told_of_what_resembles_nothing() -> None:
    assert not seen({"a": 1, "b": {"c": 2}, "d": [{"sessionId": "s", "eventType": "e"}]})
