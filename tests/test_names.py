"""A misspelt name is the member that it means, and is never dropped in silence."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Parsed, Trackers
from personalize_relay.names import EVENT_MEMBERS, FLAT_MEMBERS, LONGEST_NAME, meant
from personalize_relay.parsing import parse

ARRIVAL = 1_790_000_000.5
ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=ARRIVAL)
TRACKERS = Trackers(default="tracker", allowed=frozenset({"other"}))
EVENT: dict[str, Any] = {
    "trackingId": "other",
    "userId": "u-1",
    "sessionId": "s-1",
    "eventId": "e-1",
    "eventType": "view",
    "eventValue": 4.5,
    "itemId": "i-1",
    "properties": {"color": "red"},
    "sentAt": ARRIVAL - 10,
    "recommendationId": "r-1",
    "impression": ["i-1", "i-2"],
    "metricAttribution": {"eventAttributionSource": "home"},
}


def snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "snake_case": snake,
    "SCREAMING_SNAKE_CASE": lambda name: snake(name).upper(),
    "kebab-case": lambda name: snake(name).replace("_", "-"),
    "PascalCase": lambda name: name[0].upper() + name[1:],
    "userID": lambda name: name.replace("Id", "ID") if "Id" in name else f"{name}_",
    "lowercase": lambda name: f"{name.lower()}" if name.lower() != name else f" {name}",
    "UPPERCASE": str.upper,
    "with spaces": lambda name: snake(name).replace("_", " ").title(),
}


def parsed(payload: object) -> Parsed:
    return parse(json.dumps(payload).encode(), ORIGIN, TRACKERS)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", sorted(EVENT))
def test_a_member_in_another_spelling_is_that_member(name: str, spelling: str) -> None:
    other = SPELLINGS[spelling](name)
    got = parsed({other if each == name else each: value for each, value in EVENT.items()})
    assert got.interactions == parsed(EVENT).interactions
    assert (got.renamed_members, got.unknown_members) == (int(other != name), 0)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_request_and_its_entries_are_read_in_any_spelling(spelling: str) -> None:
    spelt = SPELLINGS[spelling]
    entry = {spelt(name): EVENT[name] for name in EVENT_MEMBERS}
    request = {spelt(name): EVENT[name] for name in EVENT.keys() - EVENT_MEMBERS} | {spelt("eventList"): [entry]}
    (got,) = parsed(request).interactions
    (flat,) = parsed(EVENT).interactions
    assert (got.tracking_id, got.user_id, got.session_id, got.event) == (
        flat.tracking_id,
        flat.user_id,
        flat.session_id,
        flat.event,
    )


def test_the_columns_of_the_interactions_schema_are_members() -> None:
    columns = {
        "USER_ID": "u-1",
        "ITEM_ID": "i-1",
        "EVENT_TYPE": "view",
        "EVENT_VALUE": 4.5,
        "TIMESTAMP": ARRIVAL - 10,
        "RECOMMENDATION_ID": "r-1",
        "IMPRESSION": ["i-1"],
        "EVENT_ATTRIBUTION_SOURCE": "home",
    }
    (got,) = parsed({"sessionId": "s-1", **columns}).interactions
    assert got.event.sent_at == ARRIVAL - 10
    assert got.event.metric_attribution is not None
    assert got.event.metric_attribution.event_attribution_source == "home"
    assert parsed({"sessionId": "s-1", **columns}).renamed_members == len(columns)


def test_the_inner_name_of_a_metric_attribution_may_be_misspelt_too() -> None:
    (got,) = parsed({**EVENT, "metricAttribution": {"event_attribution_source": "home"}}).interactions
    assert got.event.metric_attribution is not None


def test_the_exact_name_wins_and_the_other_is_unknown() -> None:
    got = parsed({**EVENT, "user_id": "somebody else"})
    assert got.interactions == parsed(EVENT).interactions
    assert (got.renamed_members, got.unknown_members) == (0, 1)


@pytest.mark.parametrize("nothing", [None, "", []])
def test_an_exact_name_without_a_value_wins_nothing(nothing: object) -> None:
    got = parsed({**EVENT, "userId": nothing, "user_id": "u-1"})
    assert got.interactions == parsed(EVENT).interactions


def test_two_spellings_with_two_values_are_rejected_and_with_one_are_taken() -> None:
    without = {name: value for name, value in EVENT.items() if name != "userId"}
    (bad,) = parsed({**without, "user_id": "a", "UserId": "b"}).rejections
    assert bad.reason is Reason.AMBIGUOUS_MEMBER
    assert parsed({**without, "user_id": "u-1", "UserId": "u-1"}).interactions == parsed(EVENT).interactions


def test_an_entry_in_two_spellings_takes_none_of_its_neighbours_with_it() -> None:
    good = {"eventType": "view", "sentAt": ARRIVAL - 10}
    got = parsed({"sessionId": "s", "eventList": [good, {**good, "item_id": "a", "ItemId": "b"}, good]})
    assert [each.source.index for each in got.interactions] == [0, 2]
    assert [(each.index, each.reason) for each in got.rejections] == [(1, Reason.AMBIGUOUS_MEMBER)]


def test_a_number_and_a_boolean_are_two_values_whatever_python_says() -> None:
    without = {name: value for name, value in EVENT.items() if name != "properties"}
    (bad,) = parsed({**without, "PROPERTIES": {"a": 1}, "Properties": {"a": True}}).rejections
    assert bad.reason is Reason.AMBIGUOUS_MEMBER


@pytest.mark.parametrize("nothing", [None, "", " ", []])
def test_a_spelling_without_a_value_is_in_nobodys_way(nothing: object) -> None:
    without = {name: value for name, value in EVENT.items() if name != "userId"}
    assert parsed({**without, "UserId": nothing, "user_id": "u-1"}).interactions == parsed(EVENT).interactions
    (anonymous,) = parsed({**without, "UserId": nothing}).interactions
    assert anonymous.user_id is None


def test_a_name_without_end_means_nothing_and_is_not_remembered() -> None:
    assert meant("user_id") == "userId"
    assert meant("user_id" + "_" * LONGEST_NAME) is None


def test_known_names_cost_nothing_and_unknown_ones_are_counted_even_of_rejected_events() -> None:
    assert parsed(EVENT).unknown_members == parsed(EVENT).renamed_members == 0
    got = parsed({"eventType": "view", "color": "red", "item_id": "i-1"})
    assert got.rejections
    assert (got.renamed_members, got.unknown_members) == (1, 1)
    assert set(EVENT) | {"eventList"} == FLAT_MEMBERS
