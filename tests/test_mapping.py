"""A payload becomes the events of the first rule that matches it, is dropped by it, or is rejected."""

from typing import Any

import msgspec
import pytest

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Origin, Parsed, Trackers
from personalize_relay.mapping import MEMBERS, Mapped, Mapping
from personalize_relay.mapping_file import read
from personalize_relay.names import CONTRACT, FLAT_MEMBERS, MARK
from personalize_relay.parsing import parse

RULES = """
[[rule]]
name = "orders"
when = "type == 'order'"
each = "lines"
[rule.event]
sessionId = "visit"
eventType = "'buy'"
itemId = "each.sku"
eventId = "id"
sentAt = "epoch(at)"
properties = "{color: each.color, shop: shop}"

[[rule]]
name = "pings"
when = "type == 'ping'"
drop = true

[[rule]]
name = "views"
when = "starts_with(type, 'view')"
[rule.event]
sessionId = "visit"
eventType = "type"
itemId = "lower(sku)"
metricAttribution = "{eventAttributionSource: campaign}"
"""


def mapping(rules: str = RULES) -> Mapping:
    return read(rules, file="m.toml").mapping


def refused(value: dict[str, Any], rules: str = RULES) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as raised:
        mapping(rules).map(value)
    return raised.value


def test_the_first_rule_that_matches_makes_the_event() -> None:
    assert mapping().map({"type": "view", "visit": "s", "sku": "A"}) == Mapped(
        events=({"sessionId": "s", "eventType": "view", "itemId": "a"},)
    )


def test_a_rule_without_when_takes_what_comes_to_it() -> None:
    rules = RULES + '[[rule]]\nname = "rest"\n[rule.event]\nsessionId = "visit"\neventType = "\'other\'"\n'
    value = {"type": "x", "visit": "s"}
    assert mapping(rules).map(value).events == ({"sessionId": "s", "eventType": "other"},)


def test_what_a_rule_drops_is_counted_under_its_name() -> None:
    assert mapping().map({"type": "ping"}) == Mapped(dropped="pings")


def test_each_makes_an_event_of_every_entry() -> None:
    order = {"type": "order", "visit": "s", "id": "o-1", "at": 1795512600123, "shop": "de"}
    lines = [{"sku": "a", "color": "red"}, {"sku": "b"}, "c"]
    made = mapping().map({**order, "lines": lines})
    common = {"sessionId": "s", "eventType": "buy", "sentAt": 1795512600.123}
    assert made.several
    assert made.events == (
        {**common, "itemId": "a", "eventId": "o-1:0", "properties": {"color": "red", "shop": "de"}},
        {**common, "itemId": "b", "eventId": "o-1:1", "properties": {"shop": "de"}},
        {**common, "eventId": "o-1:2", "properties": {"shop": "de"}},
    )


@pytest.mark.parametrize("given", [None, "", "null", "x" * 257])
def test_an_id_that_the_contract_refuses_is_not_hidden_by_a_number(given: object) -> None:
    made = mapping().map({"type": "order", "id": given, "lines": [{}]})
    assert made.events[0].get("eventId") == given


def test_an_id_of_the_entry_stays_as_it_is() -> None:
    rules = RULES.replace('eventId = "id"', 'eventId = "each.id"')
    made = mapping(rules).map({"type": "order", "lines": [{"id": "l-1"}, {"id": "l-2"}]})
    assert [event["eventId"] for event in made.events] == ["l-1", "l-2"]


@pytest.mark.parametrize(("lines", "said"), [(None, "no list"), ([], "an empty list"), ({"canary": 1}, "no list")])
def test_no_list_for_each_is_rejected_by_the_rules_name(lines: object, said: str) -> None:
    bad = refused({"type": "order", "lines": lines})
    assert (bad.reason, bad.detail) == (Reason.NOT_MAPPED, f'rule "orders": each gives {said}')


def test_a_null_member_is_absent_and_so_is_an_object_of_nulls() -> None:
    made = mapping().map({"type": "view", "visit": "s", "sku": None, "campaign": None})
    assert made.events == ({"sessionId": "s", "eventType": "view"},)


def test_the_payload_is_left_as_it_is() -> None:
    properties = {"a": None, "b": 1}
    rules = '[[rule]]\nname = "all"\n[rule.event]\nsessionId = "s"\neventType = "t"\nproperties = "p"\n'
    assert mapping(rules).map({"p": properties}).events == ({"properties": {"b": 1}},)
    assert properties == {"a": None, "b": 1}


def test_what_no_rule_matches_is_rejected() -> None:
    bad = refused({"type": "canary"})
    assert (bad.reason, bad.detail) == (Reason.NOT_MAPPED, "no rule of the mapping matches")


def test_a_function_that_a_value_does_not_suit_rejects_the_payload_by_rule_and_member() -> None:
    order = {"type": "order", "visit": "canary", "lines": [{"sku": "a"}]}
    bad = refused({**order, "at": "canary"})
    assert bad.reason is Reason.INVALID_TIMESTAMP
    assert bad.detail.startswith('rule "orders": sentAt: epoch() is a text but no time')
    bad = refused({**order, "at": ["canary"]})
    assert (bad.reason, bad.detail) == (
        Reason.WRONG_TYPE,
        'rule "orders": sentAt: epoch() must be a number or a text',
    )
    assert refused({"type": "view", "sku": ["canary"]}).detail.startswith('rule "views": itemId: a list or an object')


@pytest.mark.parametrize("part", ["when", "each"])
def test_a_condition_or_list_that_fails_is_named_and_shows_nothing(part: str) -> None:
    rules = RULES.replace("type == 'order'", "starts_with(type, 'order')").replace('"lines"', '"sort(lines)"')
    value = {"type": ["canary"]} if part == "when" else {"type": "order", "lines": ["canary", 1]}
    bad = refused(value, rules)
    assert bad.detail == f"rule \"orders\": {part}: the expression can't be applied to the payload's values"
    assert bad.__cause__ is None
    assert bad.__suppress_context__


def test_a_payload_that_says_it_keeps_the_contract_passes_unmapped() -> None:
    event = {"sessionId": "s", "eventType": "view"}
    origin = Origin(stream="s", shard_id="", sequence_number="1", arrival=1795512600.0)

    def parsed(mark: str) -> Parsed:
        payload = msgspec.json.encode({MARK: mark, **event, "type": "ping"})
        return parse(payload, origin, Trackers(default="t"), mapping())

    assert [each.session_id for each in parsed(CONTRACT).interactions] == ["s"]
    assert parsed("canary").filtered == ("pings",)


def test_a_mapping_says_which_rule_a_payload_is_for() -> None:
    assert mapping().rule({"type": "ping"}).name == "pings"
    with pytest.raises(InvalidRecord):
        mapping().rule({"type": "canary"})


def test_what_is_let_is_a_member_for_all_rules_but_for_the_payload() -> None:
    let = "[let]\ntype = \"join('-', [kind, 'view'])\"\ntwice = \"[type, type]\"\n"
    rules = RULES.replace("starts_with(type, 'view')", "twice[1] == 'page-view'")
    payload = {"kind": "page", "visit": "s"}
    assert mapping(let + rules).map(payload).events == ({"sessionId": "s", "eventType": "page-view"},)
    assert payload == {"kind": "page", "visit": "s"}
    bad = refused({"kind": ["canary"]}, let + rules)
    assert bad.detail == "let: type: the expression can't be applied to the payload's values"


def test_a_rule_may_fill_every_member_of_the_contract() -> None:
    assert set(MEMBERS) == FLAT_MEMBERS - {"eventList"}


def test_rows_are_objects_of_their_filled_columns() -> None:
    rows = mapping('columns = ["a", "b", "c"]\nseparator = "\\t"\n' + RULES).rows
    assert rows
    assert rows("1\t\t3\n") == {"a": "1", "c": "3"}
    assert rows("1\t2") == {"a": "1", "b": "2"}
    assert rows("1") is None
    assert rows("1\t2\t3\t4") is None


def test_without_columns_there_are_no_rows() -> None:
    assert mapping().rows is None
