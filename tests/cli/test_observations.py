"""What good events are warned about, and that others are not."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.interactions import interactions_schema
from personalize_relay_cli.advice import Weakness
from personalize_relay_cli.checking import observations, schemas
from personalize_relay_cli.checking.checks import Checks, trackers
from personalize_relay_cli.checking.observations import Bounds, Warned
from personalize_relay_cli.checking.schemas import Schema
from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.problems import Misuse

ARRIVAL = 1_790_000_000.0
type Event = dict[str, Any]


def event(number: int = 0, **members: Any) -> Event:  # noqa: ANN401 - JSON
    """Events as they should be: two kinds, ten a session, each with its id and its user."""
    usual = {
        "sessionId": f"s-{number // 10}",
        "userId": "u",
        "eventType": ("view", "click")[number % 2],
        "itemId": "i",
        "eventId": f"e-{number}",
        "sentAt": ARRIVAL - 100_000 + number * 7.25,
    }
    return {name: value for name, value in (usual | members).items() if value is not None}


def warnings(events: Iterable[Event], *, schema: Schema | None = None, names: bool = False) -> dict[Weakness, Warned]:
    checks = Checks(trackers(None, []), ARRIVAL, schema, names=names)
    for number, each in enumerate(events, start=1):
        assert checks.take(Line("a.jsonl", number, 0, json.dumps(each).encode())) == ()
    return {warned.weakness: warned for warned in checks.warnings()}


def many(count: int = 400, change: Callable[[int], Event] = lambda _: {}) -> list[Event]:
    return [event(number, **change(number)) for number in range(count)]


def test_good_events_are_not_warned_about() -> None:
    assert warnings(many()) == {}
    assert warnings(many(1)) == {}


def test_input_without_a_good_event_is() -> None:
    assert warnings([]) == {Weakness.NO_EVENTS: Warned(Weakness.NO_EVENTS, 0)}


@pytest.mark.parametrize(
    ("weakness", "change", "count", "of"),
    [
        (Weakness.SESSION_PER_EVENT, lambda n: {"sessionId": f"s-{n}"}, 400, 400),
        (Weakness.SESSION_PER_EVENT, lambda n: {"sessionId": f"s-{min(n, 361)}"}, 361, 362),
        (Weakness.SESSION_PER_EVENT, lambda n: {"sessionId": f"s-{n}", "sentAt": ARRIVAL - n}, 400, 400),
        (Weakness.SESSION_WITHOUT_USER, lambda n: {"userId": "u" if n >= 210 else None}, 21, 40),
        (Weakness.WHOLE_SECONDS, lambda n: {"sentAt": ARRIVAL - n}, 400, 400),
        (Weakness.IN_THE_FUTURE, lambda n: {"sentAt": ARRIVAL + 0.5} if n in {7, 8} else {}, 2, 400),
        (Weakness.NO_SENT_AT, lambda n: {"sentAt": None} if n == 7 else {}, 1, 400),
        (Weakness.EVENT_TYPE_ONCE, lambda n: {"eventType": "veiw"} if n == 7 else {}, 1, 3),
        (Weakness.UNKNOWN_MEMBER, lambda n: {"color": 1, "size": 2} if n in {7, 8} else {}, 4, None),
        (Weakness.RENAMED_MEMBER, lambda n: {"itemId": None, "ITEM_ID": "i"} if n in {7, 8} else {}, 2, None),
        (Weakness.REUSED_EVENT_ID, lambda n: {"eventId": "one"} if n >= 6 else {}, 393, None),
        (Weakness.IDENTICAL_EVENT, lambda n: event(6) | {"eventId": None} if n in {6, 7, 8} else {}, 2, None),
    ],
)
def test_a_weakness_alone_is_warned_about(
    weakness: Weakness, change: Callable[[int], Event], count: int, of: int | None
) -> None:
    warned = warnings(many(change=change))
    assert warned.keys() == {weakness}
    assert (warned[weakness].count, warned[weakness].of, warned[weakness].approximately) == (count, of, False)
    assert warned[weakness].names == ()
    assert warned[weakness].first in {None, ("a.jsonl", 8)}


@pytest.mark.parametrize(
    "change",
    [
        lambda n: {"sessionId": f"s-{min(n, 350)}", "userId": "u" if n % 2 else None} if n < 40 else {},
        lambda n: {"userId": "u" if n % 10 == 5 else None},  # who logs in late is joined, to the whole session
        lambda n: {"sentAt": ARRIVAL - n if n % 10 < 8 else ARRIVAL - n - 0.5},
        lambda _: {"sentAt": ARRIVAL},
        lambda n: {"eventType": f"type-{n // 2}"},
        lambda _: {"eventId": None},  # the function makes ids of its own
    ],
)
def test_what_is_near_a_weakness_is_not(change: Callable[[int], Event]) -> None:
    assert not warnings(many(change=change)).keys() - {Weakness.WHOLE_SECONDS}


def test_an_event_sent_twice_reuses_nothing() -> None:
    assert warnings(many() + many()) == {}


def test_identical_lines_without_an_id_are_events_of_their_own_and_warned_about_with_the_first_repeat() -> None:
    bare = {"sessionId": "s", "userId": "u", "eventType": "view"}
    told = warnings([bare, bare | {"itemId": "i"}, bare, bare, bare | {"trackingId": "other"}])
    assert told[Weakness.IDENTICAL_EVENT] == Warned(Weakness.IDENTICAL_EVENT, 2, first=("a.jsonl", 3))
    listed = {"sessionId": "s", "userId": "u", "eventList": [{"eventType": "view", "sentAt": ARRIVAL}] * 3}
    assert warnings([listed])[Weakness.IDENTICAL_EVENT].count == 2


def test_two_trackers_may_have_the_same_event_ids() -> None:
    assert warnings(many() + [event(n, trackingId="other", itemId="j") for n in range(400)]) == {}


def test_beyond_the_bounds_the_counts_are_estimates_and_said_to_be() -> None:
    bounds = Bounds(sessions=500, event_ids=500, event_types=500)
    checks = Checks(trackers(None, []), ARRIVAL, bounds=bounds)
    for n in range(4000):
        each = event(n, sessionId=f"s-{n}", eventType=f"t-{n}", eventId=f"e-{n % 2000}")
        checks.take(Line("a.jsonl", n, 0, json.dumps(each).encode()))
    warned = {each.weakness: each for each in checks.warnings()}
    assert warned.keys() == {Weakness.SESSION_PER_EVENT, Weakness.EVENT_TYPE_ONCE, Weakness.REUSED_EVENT_ID}
    assert all(each.approximately for each in warned.values())
    assert warned[Weakness.SESSION_PER_EVENT].count == pytest.approx(4000, rel=0.2)
    assert warned[Weakness.EVENT_TYPE_ONCE].count == pytest.approx(4000, rel=0.2)
    assert warned[Weakness.REUSED_EVENT_ID].count == pytest.approx(2000, rel=0.2)


def test_beyond_the_bounds_identical_events_are_estimated_too() -> None:
    checks = Checks(trackers(None, []), ARRIVAL, bounds=Bounds(event_ids=500))
    for n in range(4000):
        each = event(n % 2000, eventId=None)
        checks.take(Line("a.jsonl", n, 0, json.dumps(each).encode()))
    (warned,) = checks.warnings()
    assert (warned.weakness, warned.approximately) == (Weakness.IDENTICAL_EVENT, True)
    assert warned.count == pytest.approx(2000, rel=0.2)


def test_names_are_kept_only_where_they_are_asked_for_and_only_some() -> None:
    inner = [event(n, sessionId=None, userId=None, color="red") for n in range(2)]
    listed = {"sessionId": "s", "userId": "u", "size": 1, "eventList": inner}
    assert warnings([listed], names=True)[Weakness.UNKNOWN_MEMBER].names == ("color", "size")
    respelt = event(Item_Id="i", itemId=None, USER_ID="v", EVENT_ATTRIBUTION_SOURCE="home")
    told = warnings([respelt], names=True)
    assert told[Weakness.RENAMED_MEMBER].names == ("EVENT_ATTRIBUTION_SOURCE", "Item_Id")
    assert told[Weakness.UNKNOWN_MEMBER].names == ("USER_ID",)  # as its exact name is there, too
    endless = [event(n, **{f"member-{n}-{m}": 1 for m in range(15)}) for n in range(10)]
    assert len(warnings(endless, names=True)[Weakness.UNKNOWN_MEMBER].names) == observations.MOST_NAMES


def test_the_names_of_a_request_are_those_of_its_entries_too() -> None:
    inner = [event(n, sessionId=None, userId=None, sentAt=None, TIMESTAMP=ARRIVAL - n, color=1) for n in range(2)]
    told = warnings([{"session_id": "s", "userId": "u", "itemId": "i", "event_list": inner}], names=True)
    assert told[Weakness.RENAMED_MEMBER].names == ("TIMESTAMP", "event_list", "session_id")
    assert told[Weakness.RENAMED_MEMBER].count == 4
    assert told[Weakness.UNKNOWN_MEMBER].names == ("color", "itemId")
    assert told[Weakness.UNKNOWN_MEMBER].count == 3


def test_names_are_found_in_every_payload_of_a_line() -> None:
    told = warnings([[event(color=1), [event(1, Item_Id="i", itemId=None)]]], names=True)  # type: ignore[list-item]  # an array of payloads is no event
    assert told[Weakness.RENAMED_MEMBER].names == ("Item_Id",)
    assert told[Weakness.UNKNOWN_MEMBER].names == ("color",)


def schema_file(folder: Path, content: object) -> Path:
    file = folder / "schema.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_properties_and_required_fields_are_compared_with_the_schema(tmp_path: Path) -> None:
    schema = interactions_schema({"NUMBER_OF_RATINGS": "string"})
    schema["fields"] += [{"name": "DEVICE", "type": "string"}, {"name": "SHOP", "type": ["string"]}]
    fitting = [event(properties={"numberOfRatings": "12", "itemId": "i", "shop": "x", "device": "phone"})]
    assert warnings(fitting, schema=schemas.load(schema_file(tmp_path, schema))) == {}

    foreign = [event(), event(1, properties={"number_of_ratings": "12", "color": "red", "shop": "x"})]
    warned = warnings(foreign, schema=schemas.load(schema_file(tmp_path, schema)), names=True)
    assert warned == {
        Weakness.PROPERTY_NOT_IN_SCHEMA: Warned(
            Weakness.PROPERTY_NOT_IN_SCHEMA, 2, first=("a.jsonl", 2), names=("color", "number_of_ratings")
        ),
        Weakness.FIELD_NEVER_FILLED: Warned(Weakness.FIELD_NEVER_FILLED, 1, fields=("DEVICE",)),
    }
    unnamed = warnings(foreign, schema=schemas.load(schema_file(tmp_path, schema)))
    assert unnamed[Weakness.PROPERTY_NOT_IN_SCHEMA].names == ()


@pytest.mark.parametrize(
    ("field", "members"),
    [
        ("USER_ID", {"userId": "u"}),
        ("ITEM_ID", {"itemId": "i"}),
        ("EVENT_VALUE", {"eventValue": 0}),
        ("RECOMMENDATION_ID", {"recommendationId": "r"}),
        ("IMPRESSION", {"impression": ["i"]}),
        ("EVENT_ATTRIBUTION_SOURCE", {"metricAttribution": {"eventAttributionSource": "home"}}),
        ("EVENT_TYPE", {}),
        ("TIMESTAMP", {"sentAt": None}),
    ],
)
def test_a_member_fills_its_field(field: str, members: Event) -> None:
    with_it = event(userId=None, itemId=None) | members
    assert Weakness.FIELD_NEVER_FILLED not in warnings([with_it], schema=Schema({field: True}))
    without = warnings([event(userId=None, itemId=None)], schema=Schema({field: True}))
    assert (Weakness.FIELD_NEVER_FILLED in without) == (field not in {"EVENT_TYPE", "TIMESTAMP"})


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"fields": 3}', '{"fields": [3]}', '{"fields": [{}]}'])
def test_what_is_no_schema_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Misuse, match="is no Avro schema of interactions"):
        schemas.load(schema_file(tmp_path, content))
    with pytest.raises(Misuse, match="can't be read"):
        schemas.load(tmp_path)
