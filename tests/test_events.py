"""The record contract of docs/events.md, rule by rule."""

import gc
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Event, Interaction, Origin, Parsed, Rejection, Trackers
from personalize_relay.members import LIMITS, properties
from personalize_relay.names import EVENT_MEMBERS
from personalize_relay.parsing import parse

ARRIVAL = 1_790_000_000.5
ORIGIN = Origin(stream="clicks", shard_id="shardId-000000000003", sequence_number="4960", arrival=ARRIVAL)
TRACKERS = Trackers(default="tracker", allowed=frozenset({"other"}))
IDS = ["userId", "sessionId", "eventId", "eventType", "itemId", "recommendationId"]
ID_FIELDS = ["event_id", "event_type", "item_id", "recommendation_id"]
TEXTS = sorted(path for path in LIMITS if "[" not in path and path not in {"eventList", "impression", "properties"})


def parsed(payload: object) -> Parsed:
    data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    return parse(data, ORIGIN, TRACKERS)


def click(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return {"sessionId": "session", "eventType": "click", "sentAt": ARRIVAL - 10, **members}


def interaction(payload: object) -> Interaction:
    result = parsed(payload)
    assert not result.rejections
    (only,) = result.interactions
    return only


def rejection(payload: object) -> Rejection:
    result = parsed(payload)
    assert not result.interactions
    (only,) = result.rejections
    return only


def member(path: str, value: object) -> dict[str, Any]:
    """An event with the given value at a path of LIMITS."""
    if path == "metricAttribution.eventAttributionSource":
        return click(metricAttribution={"eventAttributionSource": value})
    return click(**{path: value})


def test_the_garbage_collector_follows_nothing_that_was_read() -> None:
    """It would go through tens of thousands of such objects, several times in a batch."""
    events = [{"eventType": "click", "sentAt": ARRIVAL}, {"eventType": 2.5}]
    read = parsed({"sessionId": "session", "eventList": events})
    assert read.interactions
    assert read.rejections
    assert not any(map(gc.is_tracked, [read, *read.interactions, *read.rejections, read.interactions[0].source]))


def test_one_flat_event_carries_every_member() -> None:
    got = interaction(
        {
            "trackingId": "other",
            "userId": "user",
            "sessionId": "session",
            "eventId": "id-1",
            "eventType": "purchase",
            "eventValue": 9.5,
            "itemId": "item",
            "properties": {"color": "gr\u00fcn"},
            "sentAt": 1_780_000_000,
            "recommendationId": "RID-1",
            "impression": ["a", "b"],
            "metricAttribution": {"eventAttributionSource": "home page"},
        }
    )
    assert (got.tracking_id, got.user_id, got.session_id) == ("other", "user", "session")
    assert got.event.event_id == "id-1"
    assert got.event.event_value == 9.5
    assert got.event.properties == '{"color":"gr\u00fcn"}'
    assert got.event.sent_at == 1_780_000_000
    assert got.event.impression == ("a", "b")
    assert got.event.metric_attribution is not None
    assert got.event.metric_attribution.event_attribution_source == "home page"
    assert {name for name in Event.__struct_fields__ if getattr(got.event, name) is None} == set()


def test_a_put_events_request_is_taken_as_it_is() -> None:
    events = [{"eventType": "a", "sentAt": 1e9 + number} for number in (1, 2)]
    result = parsed({"userId": "u", "sessionId": "s", "eventList": events})
    assert [each.event.sent_at for each in result.interactions] == [1e9 + 1, 1e9 + 2]
    to = {(each.tracking_id, each.user_id, each.session_id) for each in result.interactions}
    assert to == {("tracker", "u", "s")}


def test_a_bad_event_takes_none_of_its_neighbours_with_it() -> None:
    bad: list[object] = [3, {"eventType": "a"}, {"sentAt": 1e9}, {"eventType": "\ud800", "sentAt": 1e9}]
    good = {"eventType": "a", "sentAt": 1e9}
    payload = json.dumps({"sessionId": "s", "eventList": [good, *bad, good]}).encode()
    result = parsed(payload)
    assert [each.source.index for each in result.interactions] == [0, 5]
    assert [(each.index, each.reason) for each in result.rejections] == [
        (1, Reason.NOT_AN_OBJECT),
        (2, Reason.MISSING_MEMBER),
        (3, Reason.MISSING_MEMBER),
        (4, Reason.INVALID_CHARACTER),
    ]


def test_a_number_out_of_range_rejects_its_own_event_only() -> None:
    good, bad = b'{"eventType":"a","sentAt":1e9}', b'{"eventType":"a","sentAt":1e9,"eventValue":1e999}'
    payload = b'{"sessionId":"s","eventList":[%b,%b]}' % (good, bad)
    result = parsed(payload)
    assert len(result.interactions) == 1
    assert result.rejections[0].reason == Reason.INVALID_NUMBER


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_of_its_longest_length_passes_and_one_more_does_not(path: str) -> None:
    most = LIMITS[path][1]
    if path != "trackingId":  # must be a known tracker, whatever its length
        assert interaction(member(path, "x" * most))
    got = rejection(member(path, "x" * (most + 1)))
    assert got.reason == Reason.WRONG_LENGTH
    assert f"{path} has {most + 1} characters" in got.detail


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (7.5, Reason.WRONG_TYPE),
        (True, Reason.WRONG_TYPE),
        (["x"], Reason.WRONG_TYPE),
        ({"x": 1}, Reason.WRONG_TYPE),
        ("a\0b", Reason.INVALID_CHARACTER),
    ],
)
def test_a_text_is_a_string_without_nul(path: str, value: object, reason: Reason) -> None:
    assert rejection(member(path, value)).reason == reason


@pytest.mark.parametrize("name", ["sessionId", "eventType"])
def test_session_and_event_type_are_required(name: str) -> None:
    for payload in (click(**{name: None}), {key: value for key, value in click().items() if key != name}):
        assert rejection(payload).reason == Reason.MISSING_MEMBER


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize(
    ("value", "digits"), [(1742, "1742"), (-3, "-3"), (0, "0"), (71.0, "71"), (10**30, f"1{'0' * 30}")]
)
def test_a_whole_number_is_an_id_by_its_digits(name: str, value: float, digits: str) -> None:
    got = interaction(click(**{name: value}))
    assert digits in {got.user_id, got.session_id, *(getattr(got.event, each) for each in ID_FIELDS)}


@pytest.mark.parametrize("value", [10**300, 2.0**60])
def test_a_number_whose_digits_no_id_has_room_for_or_no_double_holds_is_none(value: float) -> None:
    assert rejection(click(userId=value)).reason in {Reason.INVALID_NUMBER, Reason.WRONG_TYPE}


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize(
    "value",
    [
        "null",
        "NULL",
        "nil",
        "<nil>",
        "(null)",
        "\\N",
        "None",
        "undefined",
        "NaN",
        "[object Object]",
        " Null\t",
        "\u00a0null",
    ],
)
def test_the_word_for_a_missing_value_is_no_value(name: str, value: str) -> None:
    assert rejection(click(**{name: value})).reason == Reason.PLACEHOLDER_TEXT
    assert rejection(click(impression=["a", value])).reason == Reason.PLACEHOLDER_TEXT


@pytest.mark.parametrize("blank", [" ", "\t\n", "\u3000"])
def test_a_blank_is_no_item_that_was_shown(blank: str) -> None:
    bad = rejection(click(impression=["a", blank]))
    assert (bad.reason, bad.detail) == (Reason.PLACEHOLDER_TEXT, "impression[] is blank, not a value")


@pytest.mark.parametrize("name", sorted((EVENT_MEMBERS | {"userId", "trackingId", "eventList"}) - {"eventType"}))
@pytest.mark.parametrize("nothing", [None, "", "  ", "\t", [], {}])
def test_nothing_however_written_is_the_same_as_absent(name: str, nothing: object) -> None:
    with_nothing = parsed({**click(), name: nothing})
    without = parsed({key: value for key, value in click().items() if key != name})
    assert with_nothing == without
    assert with_nothing.interactions


@pytest.mark.parametrize("nothing", [None, "", " ", [], {}])
def test_nothing_is_missing_where_a_member_is_required(nothing: object) -> None:
    got = rejection({"sessionId": nothing, "eventType": nothing})
    assert got.reason == Reason.MISSING_MEMBER
    assert got.detail == "sessionId is missing; eventType is missing"


def test_all_that_is_wrong_with_an_event_is_said() -> None:
    got = rejection({"userId": "null", "eventType": "view", "itemId": 1.5, "eventValue": "1,5"})
    assert got.reason == Reason.PLACEHOLDER_TEXT
    assert [each.partition(" ")[0] for each in got.detail.split("; ")] == [
        "userId",
        "sessionId",
        "eventValue",
        "itemId",
    ]
    assert "decimal comma" in got.detail


def test_no_user_is_an_anonymous_user_and_never_the_session() -> None:
    assert interaction(click()).user_id is None


def test_a_tracker_must_be_the_default_or_allowed() -> None:
    assert interaction(click(trackingId="other")).tracking_id == "other"
    assert interaction(click(trackingId="tracker")).tracking_id == "tracker"
    assert rejection(click(trackingId="somebody else's")).reason == Reason.TRACKER_NOT_ALLOWED


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0.0), (-1.5, -1.5), (3, 3.0), ("19.90", 19.9), ("-7", -7.0), (" 4 ", 4.0)]
)
def test_an_event_value_is_a_finite_number_or_a_plain_decimal(value: object, expected: float) -> None:
    assert interaction(click(eventValue=value)).event.event_value == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"true", Reason.WRONG_TYPE),
        (b'"1e5"', Reason.WRONG_TYPE),
        (b'"0x3"', Reason.WRONG_TYPE),
        (b'"inf"', Reason.WRONG_TYPE),
        (b'"' + b"9" * 400 + b'"', Reason.INVALID_NUMBER),
        (b"1e999", Reason.INVALID_NUMBER),
        (b"1" + b"0" * 400, Reason.INVALID_NUMBER),
        (b"1" + b"0" * 5000, Reason.INVALID_NUMBER),
        (b"NaN", Reason.INVALID_NUMBER),
        (b"-Infinity", Reason.INVALID_NUMBER),
    ],
)
def test_no_other_event_value_passes(value: bytes, reason: Reason) -> None:
    payload = json.dumps(click(eventValue="HERE")).encode().replace(b'"HERE"', value)
    assert rejection(payload).reason == reason


@pytest.mark.parametrize("value", [1_780_000_000.25, "2026-05-28T20:26:40.250Z", 1_780_000_000_250])
def test_sent_at_keeps_its_fraction(value: object) -> None:
    got = interaction(click(sentAt=value))
    assert got.event.sent_at == 1_780_000_000.25
    assert got.sent_at_given


@pytest.mark.parametrize("value", [315_532_800, "1980-01-01T00:00:00Z", 882_001_500, ARRIVAL + 900])
def test_a_time_from_1980_to_a_quarter_of_an_hour_ahead_is_taken(value: object) -> None:
    assert interaction(click(sentAt=value))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "before 1980"),
        (-1, "before 1980"),
        (315_532_799, "before 1980"),
        ("0001-01-01T00:00:00+14:00", "before 1980"),
        (ARRIVAL + 901, "after the record's arrival"),
        ("9999-12-31T23:59:59Z", "after the record's arrival"),
    ],
)
def test_a_clock_too_late_and_one_never_set_are_told_apart(value: object, said: str) -> None:
    got = rejection(click(sentAt=value))
    assert got.reason == Reason.TIMESTAMP_OUT_OF_RANGE
    assert said in got.detail


def test_without_sent_at_the_arrival_counts_which_no_redelivery_changes() -> None:
    got = interaction(click(sentAt=None))
    assert got.event.sent_at == ARRIVAL
    assert not got.sent_at_given
    assert interaction({"sessionId": "s", "eventList": [{"eventType": "a"}]}).event.sent_at == ARRIVAL


def test_an_event_id_is_the_producers_or_the_stream_position() -> None:
    assert interaction(click(eventId="mine")).event.event_id == "mine"
    assert interaction(click()).event.event_id == "clicks:shardId-000000000003:4960"
    two = parsed({"sessionId": "s", "eventList": [{"eventType": "a", "sentAt": 1e9}] * 2}).interactions
    assert [each.event.event_id for each in two] == [f"clicks:shardId-000000000003:4960:{index}" for index in (0, 1)]


def test_a_derived_id_too_long_for_the_api_is_hashed() -> None:
    long = Origin(stream="s" * 250, shard_id="shardId-0", sequence_number="1", arrival=ARRIVAL)
    places = [((), None), ((), 0), ((1,), None), ((1,), 0), ((1, 0), None)]
    ids = {each for place in places if len(each := long.event_id(*place)) == 64}
    assert len(ids) == len(places)


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": "\u00e9"},
        '{ "a" : 1,\n "b" : "\u00e9" }',
        '{"a":1,"b":"\\u00e9"}',
        json.dumps(json.dumps({"a": 1, "b": "\u00e9"})),
    ],
)
def test_properties_become_compact_json_with_non_ascii_as_it_is(value: object) -> None:
    assert interaction(click(properties=value)).event.properties == '{"a":1,"b":"\u00e9"}'


def test_properties_are_measured_in_characters_once_compact() -> None:
    """300 accented letters, escaped as botocore's own JSON would, came to 1,809 characters."""
    fits = {"a": "\u00e9" * (1024 - len('{"a":""}'))}
    assert len(interaction(click(properties=fits)).event.properties or "") == 1024
    assert rejection(click(properties={"a": fits["a"] + "x"})).reason == Reason.WRONG_LENGTH


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["a"], Reason.WRONG_TYPE),
        ("[]", Reason.WRONG_TYPE),
        (json.dumps(json.dumps(json.dumps({"a": 1}))), Reason.WRONG_TYPE),
        ("not json", Reason.WRONG_TYPE),
        ("5", Reason.WRONG_TYPE),
        ("null", Reason.WRONG_TYPE),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", Reason.TOO_DEEP),
        (5, Reason.WRONG_TYPE),
        ({"userId": 1}, Reason.FORBIDDEN_PROPERTY),
        ({"TimeStamp": 1}, Reason.FORBIDDEN_PROPERTY),
        ('{"IMPRESSION": 1}', Reason.FORBIDDEN_PROPERTY),
        ({"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}, Reason.TOO_DEEP),
    ],
)
def test_other_properties_are_rejected(value: object, reason: Reason) -> None:
    assert rejection(click(properties=value)).reason == reason


@pytest.mark.parametrize(
    ("value", "reason"), [(b"1e999", Reason.INVALID_NUMBER), (b'"\\ud800"', Reason.INVALID_CHARACTER)]
)
def test_a_property_that_json_cannot_carry_is_never_sent_as_null(value: bytes, reason: Reason) -> None:
    payload = json.dumps(click(properties={"a": "HERE"})).encode().replace(b'"HERE"', value)
    assert rejection(payload).reason == reason


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": [{"b": float("-inf")}]}])
def test_what_no_json_can_write_is_not_sent_as_null(value: dict[str, Any]) -> None:
    """A mapping's functions may give it."""
    with pytest.raises(InvalidRecord, match="a number out of range"):
        properties("properties", value)
    assert properties("properties", {"a": None}) == '{"a":null}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([f"i{n}" for n in range(26)], Reason.WRONG_LENGTH),
        (["a", ""], Reason.WRONG_LENGTH),
        (["a", "x" * 257], Reason.WRONG_LENGTH),
        (["a", 3.5], Reason.WRONG_TYPE),
        (["a", None], Reason.WRONG_TYPE),
        ("a|b", Reason.WRONG_TYPE),
    ],
)
def test_an_impression_is_1_to_25_item_ids(value: object, reason: Reason) -> None:
    assert rejection(click(impression=value)).reason == reason
    assert len(interaction(click(impression=[f"i{n}" for n in range(25)])).event.impression or ()) == 25


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("home", Reason.WRONG_TYPE),
        ({"source": "home"}, Reason.MISSING_MEMBER),
        ({"eventAttributionSource": 7}, Reason.WRONG_TYPE),
        ({"eventAttributionSource": "caf\u00e9"}, Reason.INVALID_CHARACTER),
    ],
)
def test_a_metric_attribution_names_a_printable_ascii_source(value: object, reason: Reason) -> None:
    assert rejection(click(metricAttribution=value)).reason == reason


@pytest.mark.parametrize("value", [{"eventAttributionSource": None}, {"eventAttributionSource": " "}, {"a": ""}])
def test_a_metric_attribution_that_names_nothing_is_none(value: object) -> None:
    assert interaction(click(metricAttribution=value)).event.metric_attribution is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"not json", Reason.INVALID_JSON),
        (b" ", Reason.EMPTY_RECORD),
        (b'{"a":1', Reason.INVALID_JSON),
        (b'{"a":"\xff"}', Reason.INVALID_UTF8),
        (b'{"a":"\xed\xa0\x80"}', Reason.INVALID_UTF8),
        (b"[]", Reason.EMPTY_RECORD),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"3", Reason.NOT_AN_OBJECT),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b'{"sessionId":"s","eventList":{"a":1}}', Reason.WRONG_TYPE),
        (b'{"eventList":[{"eventType":"a"}]}', Reason.MISSING_MEMBER),
        (b'{"sessionId":"s","eventList":[' + b"1," * 500 + b"1]}", Reason.TOO_MANY_EVENTS),
    ],
)
def test_a_payload_that_is_no_event_or_request_is_rejected_whole(payload: bytes, reason: Reason) -> None:
    got = rejection(payload)
    assert (got.index, got.event_id, got.reason) == (None, None, reason)


def test_500_events_in_one_payload_are_taken() -> None:
    assert len(parsed({"sessionId": "s", "eventList": [{"eventType": "a", "sentAt": 1e9}] * 500}).interactions) == 500


def test_nesting_is_capped_even_in_members_that_are_not_sent() -> None:
    deep: Any = 1
    for _ in range(32):
        deep = {"a": deep}
    assert rejection(click(unknown=deep)).reason == Reason.TOO_DEEP
    assert interaction(click(unknown=deep["a"]))


def test_unknown_members_are_counted_and_not_sent() -> None:
    assert parsed(click(color="red", size=3)).unknown_members == 2
    events = [{"eventType": "a", "sentAt": 1e9, "size": 3}]
    assert parsed({"sessionId": "s", "eventType": "not here", "eventList": events}).unknown_members == 2


def test_an_entrys_own_session_and_user_count_where_its_request_has_none() -> None:
    entries = [{"sessionId": f"s-{n}", "user_id": f"u-{n}", "eventType": "a", "sentAt": 1e9} for n in range(2)]
    got = parsed({"trackingId": "other", "eventList": entries})
    assert [(each.tracking_id, each.session_id, each.user_id) for each in got.interactions] == [
        ("other", "s-0", "u-0"),
        ("other", "s-1", "u-1"),
    ]
    assert not got.unknown_members


def test_an_entry_of_another_user_than_its_requests_is_rejected_alone() -> None:
    entries = [{"userId": user, "eventType": "a", "sentAt": 1e9} for user in ("u", "another", None)]
    got = parsed({"sessionId": "s", "userId": "u", "eventList": entries})
    assert [each.user_id for each in got.interactions] == ["u", "u"]
    assert [(each.index, each.reason) for each in got.rejections] == [(1, Reason.AMBIGUOUS_MEMBER)]


def test_a_record_of_more_events_than_may_be_read_is_rejected_as_one() -> None:
    request = json.dumps({"sessionId": "s", "eventList": [{}] * 500}).encode()
    got = rejection(b"\n".join([request] * 50))
    assert (got.reason, got.index) == (Reason.TOO_MANY_EVENTS, None)
    assert parsed(b"\n".join([request] * 40)).count == 20_000


def test_of_a_member_given_twice_the_last_counts() -> None:
    assert interaction(b'{"sessionId":"a","sessionId":"b","eventType":"c"}').session_id == "b"


def test_the_moment_botocore_sends_is_the_moment_the_producer_meant() -> None:
    seconds = interaction(click(sentAt="2026-05-28T20:26:40.123456Z")).event.sent_at
    assert datetime.fromtimestamp(seconds, UTC).isoformat() == "2026-05-28T20:26:40.123456+00:00"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([*sorted(EVENT_MEMBERS), "userId", "sessionId", "trackingId", "eventList", "other"])
nearly_events = st.dictionaries(names, json_values, max_size=6).map(lambda members: {**click(), **members})


@given(st.binary(max_size=60) | (nearly_events | json_values).map(lambda value: json.dumps(value).encode()))
@example(b"")
def test_any_payload_is_accounted_for_and_nothing_of_it_is_in_the_reason(payload: bytes) -> None:
    result = parsed(payload)
    listed = 1
    if result.interactions or all(each.index is not None for each in result.rejections):
        value = json.loads(payload)
        listed = len(value.get("eventList") or [1]) if isinstance(value, dict) else result.count
    elif any(each.sub_sequence for each in result.rejections):
        listed = len({each.sub_sequence for each in result.rejections})
    assert len(result.interactions) + len(result.rejections) == listed


@given(st.dictionaries(names, st.just("canary-7f3a") | st.just(["canary-7f3a"]) | st.just({"canary-7f3a": 1})))
def test_no_reason_repeats_what_the_producer_wrote(members: dict[str, Any]) -> None:
    for each in parsed({**click(), **members}).rejections:
        assert "canary" not in each.detail
