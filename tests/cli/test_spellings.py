"""A name that is nearly a missing member's is found, in whatever the member was to stand, and no other is."""

import json
from typing import Any

import pytest
from hypothesis import given

from personalize_relay.mapping_file import named
from personalize_relay_cli.checking.checks import Checks, trackers
from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.slips import nearest
from tests.simulation.world import ARRIVAL
from tests.test_events import json_values, nearly_events


def slips(payload: object, mapping: str = "") -> list[dict[str, str]]:
    checks = Checks(trackers(None, []), ARRIVAL, mapping=named(mapping, "salt") if mapping else None)
    line = Line("a.jsonl", 1, 0, json.dumps(payload).encode())
    return [checks.slips(line, each) for each in checks.take(line)]


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("eventType", "event_typ"),
        ("eventType", "evenType"),
        ("eventType", "Event-Tpye"),
        ("sessionId", "sesionID"),
        ("sessionId", "session"),
        ("sentAt", "send_at"),
    ],
)
def test_a_slip_of_a_member_is_found_among_other_names(member: str, name: str) -> None:
    assert nearest(member, ["userId", "eventId", "itemId", "color", name]) == name


@pytest.mark.parametrize("name", ["eventId", "EVENT_ID", "eventTime", "eventValue", "userId", "kind", "", "e" * 1000])
def test_what_means_another_or_is_far_from_it_is_none(name: str) -> None:
    assert nearest("eventType", [name]) is None


def test_it_is_looked_for_in_the_payload_and_the_entry_that_lack_the_member() -> None:
    good = {"sessionId": "s", "eventType": "view"}
    entries: list[Any] = [{"eventType": "view"}, {"eventTypo": "view", "sendAt": 1}, 3]
    request = {"Session_Ids": "s", "event_list": entries, "event_types": "view"}
    assert slips([good, {"sessionId": "s", "event_typ": 1}, [good, request]]) == [
        {"eventType": "event_typ"},
        {"sessionId": "Session_Ids"},
    ]
    inner = {"sessionId": "s", "event_list": entries}
    assert slips(inner) == [{}, {"sentAt": "sendAt", "eventType": "eventTypo"}, {}]


def test_of_an_event_that_a_mapping_makes_there_is_none() -> None:
    track = {"messageId": "m", "type": "track", "timestamp": "2026-09-21T12:00:00Z", "evenType": 1, "anonymousId": "a"}
    assert slips(track, "segment") == [{}]


@given(json_values | nearly_events)
def test_any_payload_can_be_looked_through(payload: object) -> None:
    for each in slips(payload):
        assert all(each.values())
