"""A mended event is what was asked for and still the same event: its id, its time, its tracker, its session."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo import kpl
from personalize_relay import events
from personalize_relay.errors import Reason
from personalize_relay.events import Origin
from personalize_relay.parsing import parse
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.mending import TRANSFORM_FAILED, Mended, Mender, NotMended, compiled
from personalize_relay_cli.recovery.selection import Piece, Selection
from personalize_relay_cli.recovery.set_aside import FailureCause, SetAside
from tests.cli.s3_bucket import TRACKERS
from tests.packing import text
from tests.simulation.world import ARRIVAL, click
from tests.test_events import json_values, nearly_events

ORIGIN = Origin(stream="clicks", shard_id="shardId-000000000000", sequence_number="7", arrival=ARRIVAL)
DERIVED = "clicks:shardId-000000000000:7"
DOCUMENTED: dict[str, dict[str, Any]] = {
    "missing_member": {"eventType": None},
    "wrong_type": {"itemId": 7.5},
    "wrong_length": {"impression": ["item"] * 26},
    "placeholder_text": {"userId": "null"},
    "invalid_number": {"eventValue": 10**400},
    "invalid_timestamp": {"sentAt": "2026-01-01T00:00:00"},
    "timestamp_out_of_range": {"sentAt": 300_000_000},
    "forbidden_property": {"properties": {"city": "Zürich", "userId": "u"}},
    "tracker_not_allowed": {"trackingId": "somebody else's"},
}
"""Members that make an event bad, by the reason it is then rejected for."""


def pieces(payload: bytes | dict[str, Any]) -> list[Piece]:
    """The events of a record that is set aside whole."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    record = SetAside(
        key="key",
        line=1,
        origin=ORIGIN,
        partition_key="k",
        stored_at="",
        causes=(FailureCause(None, "any", ""),),
        data=base64.b64encode(data).decode(),
    )
    return list(Selection().pieces(record))


def mended(payload: bytes | dict[str, Any], transform: str | None = None, place: int = 0) -> Mended:
    return Mender(TRACKERS, None if transform is None else compiled(transform)).mend(pieces(payload)[place])


def sent(payload: bytes | dict[str, Any], transform: str | None = None, place: int = 0) -> dict[str, Any]:
    """The event on the stream."""
    read: dict[str, Any] = json.loads(mended(payload, transform, place).payload)
    return read


def refusal(payload: bytes | dict[str, Any], transform: str | None = None, place: int = 0) -> str:
    with pytest.raises(NotMended) as raised:
        mended(payload, transform, place)
    return raised.value.reason


def test_an_event_keeps_what_its_producer_gave() -> None:
    given = click("s", userId="u", eventId="e", trackingId="other", properties={"a": "ü"})
    assert sent(given) == given
    assert mended(given).partition_key == "s"


def test_an_event_gets_what_the_function_would_have_given_it() -> None:
    made = sent({"sessionId": "s", "eventType": "click"})
    assert made == {
        "sessionId": "s",
        "eventType": "click",
        "eventId": DERIVED,
        "sentAt": ARRIVAL,
        "trackingId": TRACKERS.default,
    }


def test_an_event_of_a_list_goes_alone_under_its_own_place() -> None:
    listed = [{"eventType": "click", "sentAt": 1_790_000_000 + number, "userId": "stray"} for number in range(2)]
    payload = {"sessionId": "s", "userId": "u", "eventList": listed}
    first, second = sent(payload), sent(payload, place=1)
    assert first["eventId"] == f"{DERIVED}:0"
    assert second == {
        "sessionId": "s",
        "userId": "u",
        "eventType": "click",
        "sentAt": 1_790_000_001,
        "eventId": f"{DERIVED}:1",
        "trackingId": TRACKERS.default,
    }
    assert mended(payload, place=1).interaction.source == events.Source(7, index=1)


def test_a_payload_of_several_goes_alone_under_its_own_place() -> None:
    lines = b"\n".join(text({"sessionId": "s", "eventType": "click", "itemId": str(number)}) for number in range(2))
    payload = kpl.aggregate([text(click("s")), lines])
    second = sent(payload, place=2)
    assert (second["itemId"], second["eventId"], second["sentAt"]) == ("1", f"{DERIVED}:1.1", ARRIVAL)
    assert mended(payload, place=2).interaction.source == events.Source(7, (1, 1))
    assert mended(payload, place=2).position == ("7:1.1", None)


def test_of_several_events_one_without_a_time_is_still_rejected_as_personalize_would_keep_only_one() -> None:
    payload = {"sessionId": "s", "eventList": [{"eventType": "click"}, {"eventType": "click"}]}
    assert refusal(payload) == Reason.MISSING_MEMBER
    assert sent(payload, "merge(@, {sentAt: `1790000000`})")["sentAt"] == 1_790_000_000


@pytest.mark.parametrize(
    ("bad", "transform", "expected"),
    [
        ({"eventType": None}, "merge(@, {eventType: 'view'})", {"eventType": "view"}),
        ({"itemId": 7.5}, "merge(@, {itemId: to_string(itemId)})", {"itemId": "7.5"}),
        ({"sessionId": "null"}, "merge(@, {sessionId: 'mended'})", {"sessionId": "mended"}),
        ({"userId": "u" * 300}, "merge(@, {userId: `null`})", {"userId": None}),
        ({"trackingId": "else"}, "merge(@, {trackingId: `null`})", {"trackingId": TRACKERS.default}),
        ({"trackingId": "else"}, "merge(@, {trackingId: 'other'})", {"trackingId": "other"}),
        ({"sentAt": 300_000_000}, "merge(@, {sentAt: `null`})", {"sentAt": ARRIVAL}),
        (
            {"sentAt": "2026-01-01T00:00:00"},
            "merge(@, {sentAt: join('', [sentAt, 'Z'])})",
            {"sentAt": "2026-01-01T00:00:00Z"},
        ),
        ({"eventId": 7.5}, "@", {"eventId": DERIVED}),
        ({"eventId": "given"}, "merge(@, {eventId: 'another'})", {"eventId": "given"}),
        (
            {"eventId": "given"},
            "{eventType: eventType}",
            {"eventId": "given", "sessionId": "s", "sentAt": ARRIVAL - 60},
        ),
        ({"userId": "u"}, "{eventType: eventType, userId: `null`}", {"userId": None}),
        (
            {"properties": {"userId": "u", "a": 1}},
            "merge(@, {properties: {a: properties.a}})",
            {"properties": {"a": 1}},
        ),
    ],
)
def test_a_transform_mends(bad: dict[str, Any], transform: str, expected: dict[str, Any]) -> None:
    made = sent(click("s", **bad), transform)
    assert {name: made[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("bad", "transform", "reason"),
    [
        ({"itemId": 7.5}, None, Reason.WRONG_TYPE),
        ({"itemId": 7.5}, "merge(@, {itemId: 'x', eventType: ''})", Reason.MISSING_MEMBER),
        ({"sentAt": ARRIVAL + 1000}, None, Reason.TIMESTAMP_OUT_OF_RANGE),
        ({"trackingId": "else"}, None, Reason.TRACKER_NOT_ALLOWED),
        ({"properties": {"a": 1}}, "properties.a", TRANSFORM_FAILED),
        ({}, "nothing", TRANSFORM_FAILED),
        ({}, "merge(itemId, @)", TRANSFORM_FAILED),
        ({}, "{eventList: [@, @]}", TRANSFORM_FAILED),
        ({}, "{eventList: [@]}", TRANSFORM_FAILED),
        ({}, "merge(@, {itemId: &itemId})", TRANSFORM_FAILED),
    ],
)
def test_what_the_function_would_still_reject_is_refused_with_its_reason(
    bad: dict[str, Any], transform: str | None, reason: str
) -> None:
    assert refusal(click("s", **bad), transform) == reason


def test_a_number_beyond_a_double_and_half_a_character_are_refused_where_they_count() -> None:
    huge = json.dumps(click("s", eventValue=1)).replace('"eventValue": 1', '"eventValue": 1e999').encode()
    assert refusal(huge) == Reason.INVALID_NUMBER
    assert sent(huge, "merge(@, {eventValue: `1`})")["eventValue"] == 1
    assert refusal(click("s", itemId="\ud800")) == Reason.INVALID_CHARACTER
    assert sent(click("s", unknown="\ud800"))["unknown"] == "\ud800"


def test_what_is_no_expression_is_wrong_usage() -> None:
    for wrong in ("merge(@,", "(" * 5000 + "@", f"[{'9' * 5000}]"):
        with pytest.raises(Misuse, match="--transform is n"):
            compiled(wrong)
    with pytest.raises(Misuse, match=r"calls str\(\), which there is not: use one of .*to_string"):
        compiled("merge(@, {itemId: str(itemId)})")


def test_a_transform_may_call_what_a_mapping_may() -> None:
    assert sent(click("s", itemId="ABC"), "merge(@, {itemId: lower(itemId)})")["itemId"] == "abc"


@given(nearly_events | st.dictionaries(st.text(), json_values), st.sampled_from([1, 2]))
def test_what_is_sent_is_what_the_function_takes_under_the_id_it_had(value: dict[str, Any], payloads: int) -> None:
    """Whatever the event: what passes is taken from the stream as it was meant, and never under another id."""
    try:
        payload = kpl.aggregate([json.dumps(value).encode()] * payloads)
    except ValueError:
        return
    for piece in pieces(payload):
        before = parse(payload, ORIGIN, TRACKERS)
        try:
            made = Mender(TRACKERS).mend(piece)
        except NotMended:
            continue
        again = Origin(stream="clicks", shard_id="shardId-000000000001", sequence_number="99", arrival=ARRIVAL + 9999)
        parsed = parse(made.payload, again, TRACKERS)
        (taken,) = parsed.interactions
        known = {each.source: each for each in before.interactions}
        meant = known.get(made.interaction.source)
        if meant:
            assert taken.event == meant.event
            assert (taken.session_id, taken.user_id) == (meant.session_id, meant.user_id)


def test_the_transforms_of_the_documentation_mend_what_they_are_for() -> None:
    text = (Path(__file__).parents[2] / "docs" / "redrive.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+)` \| ``(.+)`` \|$", text, re.MULTILINE))
    assert documented.keys() == DOCUMENTED.keys()
    for reason, transform in documented.items():
        payload = json.dumps(click("s", **DOCUMENTED[reason])).encode()
        (rejection,) = parse(payload, ORIGIN, TRACKERS).rejections
        assert rejection.reason == reason
        assert mended(payload, transform)
