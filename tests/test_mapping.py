"""A payload becomes the events of the first rule that matches it, is dropped by it, or is rejected."""

import hashlib
import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from personalize_relay.contract import MAX_EVENTS_PER_PAYLOAD
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Origin, Parsed, Trackers
from personalize_relay.mapping import MEMBERS, Mapped, Mapping
from personalize_relay.mapping_file import deployed, read
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


def parsed(value: dict[str, Any], rules: str = RULES) -> Parsed:
    origin = Origin(stream="s", shard_id="", sequence_number="1", arrival=1795512600.0)
    return parse(msgspec.json.encode(value), origin, Trackers(default="t"), mapping(rules))


def order(*lines: object, **members: object) -> dict[str, Any]:
    return {"type": "order", "visit": "v", "at": 1795512600, "lines": list(lines)} | members


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
    lines = [{"sku": "a", "color": "red"}, {"sku": "b"}, "c"]
    made = mapping().map(order(*lines, visit="s", id="o-1", at=1795512600123, shop="de"))
    common = {"sessionId": "s", "eventType": "buy", "sentAt": 1795512600.123}
    assert made.several
    assert made.events == (
        {**common, "itemId": "a", "eventId": "o-1:0", "properties": {"color": "red", "shop": "de"}},
        {**common, "itemId": "b", "eventId": "o-1:1", "properties": {"shop": "de"}},
        {**common, "eventId": "o-1:2", "properties": {"shop": "de"}},
    )


ORDERS_BY_LINE = RULES.replace('eventId = "id"', 'eventId = "each.id || id"')


def ids(*given: object, order: object = "o-1", rules: str = ORDERS_BY_LINE) -> list[object]:
    made = mapping(rules).map({"type": "order", "id": order, "lines": [{"id": each} for each in given]})
    return [event.get("eventId") for event in made.events if isinstance(event, dict)]


def test_an_id_that_no_other_event_of_the_payload_has_stays_as_it_is() -> None:
    assert ids("l-1", "l-2", None) == ["l-1", "l-2", "o-1"]


def test_events_of_one_payload_never_share_an_id() -> None:
    assert ids(None, None) == ["o-1:0", "o-1:1"]
    assert ids("l-1", None, "l-1", "l-2", None) == ["l-1:0", "o-1:1", "l-1:2", "l-2", "o-1:4"]
    assert ids(7, "7", 7.0) == ["7:0", "7:1", "7:2"]
    assert ids("a:2", "a", "a") == ["a:2:0", "a:1", "a:2"]


@pytest.mark.parametrize("given", [None, "", " ", [], "null", "x" * 257])
def test_an_id_that_is_absent_or_refused_is_the_same_without_its_place(given: object) -> None:
    assert ids(None, None, order=given, rules=RULES) == [given] * 2


def test_an_id_that_its_place_makes_too_long_is_hashed() -> None:
    assert ids(None, None, order="x" * 254) == [f"{'x' * 254}:0", f"{'x' * 254}:1"]
    hashed = [hashlib.sha256(f"{'x' * 255}:{place}".encode()).hexdigest() for place in (0, 1)]
    assert ids(None, None, order="x" * 255) == hashed


@pytest.mark.parametrize(("lines", "said"), [(None, "no list"), ([], "an empty list"), ({"canary": 1}, "no list")])
def test_no_list_for_each_is_rejected_by_the_rules_name(lines: object, said: str) -> None:
    bad = refused({"type": "order", "lines": lines})
    assert (bad.reason, bad.detail) == (Reason.NOT_MAPPED, f'rule "orders": each gives {said}')


def test_each_may_list_as_many_entries_as_an_event_list_and_no_more() -> None:
    assert len(mapping().map(order(*[{}] * MAX_EVENTS_PER_PAYLOAD)).events) == MAX_EVENTS_PER_PAYLOAD
    bad = refused(order(*[{}] * (MAX_EVENTS_PER_PAYLOAD + 1)))
    assert bad.reason is Reason.TOO_MANY_EVENTS
    assert bad.detail == 'rule "orders": each gives 501 events, may give 500'


ENTRY_TIMES = RULES.replace("epoch(at)", "epoch(each.at)")


def test_an_entry_that_an_expression_cannot_take_is_rejected_in_its_place_and_takes_no_neighbour_with_it() -> None:
    lines = [{"sku": "a", "at": 1795512600}, {"sku": "b", "at": "canary"}, {"sku": "c", "at": 1795512601}]
    read = parsed(order(*lines), ENTRY_TIMES)
    assert [(each.source.index, each.event.item_id) for each in read.interactions] == [(0, "a"), (2, "c")]
    wrong = (1, "s::1:1", Reason.INVALID_TIMESTAMP)
    assert [(each.index, each.event_id, each.reason) for each in read.rejections] == [wrong]
    assert read.rejections[0].detail.startswith('rule "orders": sentAt: epoch() is a text but no time')


def test_an_only_entry_that_is_rejected_has_its_place_too() -> None:
    assert [each.index for each in parsed(order({"at": "canary"}), ENTRY_TIMES).rejections] == [0]


@pytest.mark.parametrize("whole", ["{whole: @}", "@", "not_null(@)", "{a: map(&@, [@])}", "{a: [`1`, @]} | {b: a[1]}"])
def test_what_takes_the_payload_whole_has_its_own_entry_in_it(whole: str) -> None:
    rules = RULES.replace("{color: each.color, shop: shop}", whole)
    made = mapping(rules).map(order("l-1", "l-2"))
    shown = [str(event["properties"]) for event in made.events if isinstance(event, dict)]
    assert ["'each': 'l-1'" in each for each in shown] == [True, False]
    assert ["'each': 'l-2'" in each for each in shown] == [False, True]


def test_an_entry_of_a_wide_payload_costs_no_more_than_one_of_a_narrow_one() -> None:
    mapped = mapping(RULES.replace("{color: each.color, shop: shop}", "{shop: shop}"))

    def cost(value: dict[str, Any]) -> float:
        began = time.process_time()
        mapped.map(value)
        return time.process_time() - began

    narrow = order(*[{}] * MAX_EVENTS_PER_PAYLOAD)
    wide = narrow | {str(number): None for number in range(20_000)}
    assert min(cost(wide) for _ in range(5)) < 5 * min(cost(narrow) for _ in range(5))


def test_the_same_object_is_not_copied_for_every_entry() -> None:
    shop = {str(number): number or None for number in range(20_000)}
    mapped = mapping(RULES.replace("{color: each.color, shop: shop}", "shop"))
    tracemalloc.start()
    try:
        mapped.map(order(*[{}] * MAX_EVENTS_PER_PAYLOAD, shop=shop))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_a_null_member_is_absent_and_so_is_an_object_of_nulls() -> None:
    made = mapping().map({"type": "view", "visit": "s", "sku": None, "campaign": None})
    assert made.events == ({"sessionId": "s", "eventType": "view"},)


def test_members_are_found_in_any_object_and_are_absent_where_there_is_none() -> None:
    members = {"sessionId": "visit.id", "userId": "visit.user.id", "eventType": "kind", "itemId": "visit.item"}
    event = "\n".join(f'{name} = "{path}"' for name, path in {**members, "properties": "visit.more"}.items())
    rules = f'[[rule]]\nname = "all"\n[rule.event]\n{event}\n'
    visit = {"id": "s", "user": {"id": "u"}, "item": {"a": None}, "more": {"a": None, "b": 1}}
    whole = {"sessionId": "s", "userId": "u", "eventType": "view", "properties": {"b": 1}}
    assert mapping(rules).map({"visit": visit, "kind": "view"}).events == (whole,)
    assert mapping(rules).map({"visit": {"id": "s", "user": ["u"]}}).events == ({"sessionId": "s"},)
    assert mapping(rules).map({"visit": "s", "kind": "view"}).events == ({"eventType": "view"},)


def test_the_payload_is_left_as_it_is() -> None:
    properties = {"a": None, "b": 1}
    rules = '[[rule]]\nname = "all"\n[rule.event]\nsessionId = "s"\neventType = "t"\nproperties = "p"\n'
    assert mapping(rules).map({"p": properties}).events == ({"properties": {"b": 1}},)
    assert properties == {"a": None, "b": 1}


def test_what_no_rule_matches_is_rejected() -> None:
    bad = refused({"type": "canary"})
    assert (bad.reason, bad.detail) == (Reason.NOT_MAPPED, "no rule of the mapping matches")


def test_a_function_that_a_value_does_not_suit_rejects_the_payload_by_rule_and_member() -> None:
    bad = refused({"type": "view", "sku": ["canary"]})
    assert bad.reason is Reason.NOT_MAPPED
    assert bad.detail.startswith('rule "views": itemId: a list or an object')
    (bad_entry,) = parsed(order({"sku": "a"}, at=["canary"])).rejections
    assert (bad_entry.reason, bad_entry.detail) == (
        Reason.WRONG_TYPE,
        'rule "orders": sentAt: epoch() must be a number or a text',
    )


@pytest.mark.parametrize("part", ["when", "each"])
def test_a_condition_or_list_that_fails_is_named_and_shows_nothing(part: str) -> None:
    rules = RULES.replace("type == 'order'", "starts_with(type, 'order')").replace('"lines"', '"sort(lines)"')
    value = {"type": ["canary"]} if part == "when" else {"type": "order", "lines": ["canary", 1]}
    bad = refused(value, rules)
    assert bad.detail == f"rule \"orders\": {part}: the expression can't be applied to the payload's values"
    assert bad.__cause__ is None
    assert bad.__suppress_context__


def test_a_payload_that_says_it_keeps_the_contract_passes_unmapped() -> None:
    event = {"sessionId": "s", "eventType": "view", "type": "ping"}
    assert [each.session_id for each in parsed({MARK: CONTRACT, **event}).interactions] == ["s"]
    assert parsed({MARK: "canary", **event}).filtered == ("pings",)


def test_a_payload_that_does_not_say_so_is_mapped_though_it_looks_like_the_contract() -> None:
    read = parsed({"sessionId": "s", "eventType": "view", "sentAt": 1795512600})
    assert [each.reason for each in read.rejections] == [Reason.NOT_MAPPED]


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


def test_what_is_let_to_be_the_payload_whole_does_not_hold_itself() -> None:
    rule = '[[rule]]\nname = "all"\n[rule.event]\nsessionId = "s"\neventType = "s"\nproperties = "whole"\n'
    made = mapping(f'[let]\nwhole = "@"\n{rule}').map({"s": "a"})
    assert made.events == ({"sessionId": "a", "eventType": "a", "properties": {"s": "a"}},)


def test_a_rule_may_fill_every_member_of_the_contract() -> None:
    assert set(MEMBERS) == FLAT_MEMBERS - {"eventList"}


def test_rows_are_objects_of_their_filled_columns() -> None:
    rows = mapping('columns = ["a", "b", "c"]\nseparator = "\\t"\n' + RULES).rows
    assert rows
    assert rows("1\t\t3\n") == {"a": "1", "c": "3"}
    assert rows("1\t2") == {"a": "1", "b": "2"}
    assert rows("1") is None
    assert rows("1\t2\t3\t4") is None


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ("", "ac"),
        ("itemId = \"nested.b || 'none'\"", "abc"),
        ('properties = "{d: d}"', "acd"),
        ('properties = "{all: @}"', "abcd"),
        ('properties = "{all: length(*)}"', "abcd"),
    ],
)
def test_as_deployed_rows_have_only_the_columns_that_an_expression_may_need(more: str, kept: str) -> None:
    text = (
        'columns = ["a", "b", "c", "d"]\nseparator = ","\n[let]\nvisit = "c"\n'
        f'[[rule]]\nname = "b"\nwhen = "a"\n[rule.event]\nsessionId = "visit"\neventType = "a"\n{more}\n'
    )
    rows = deployed(text, file="m.toml").rows
    assert rows
    assert rows("1,2,3,4") == {name: value for name, value in zip("abcd", "1234", strict=True) if name in kept}
    assert rows("1,2") == {name: value for name, value in zip("ab", "12", strict=True) if name in kept}
    assert rows("1") is None


def test_a_value_of_let_may_be_called_name() -> None:
    text = (
        'columns = ["a", "b", "c"]\nseparator = ","\n[let]\nname = "b"\n'
        '[[rule]]\nname = "r"\n[rule.event]\nsessionId = "a"\neventType = "c"\nuserId = "name"\n'
    )
    origin = Origin(stream="s", shard_id="", sequence_number="1", arrival=1795512600.0)
    (interaction,) = parse(b"1,2,3", origin, Trackers(default="t"), deployed(text, file="m.toml")).interactions
    assert interaction.user_id == "2"


def test_a_row_that_may_be_marked_as_the_contracts_own_keeps_all_its_columns() -> None:
    text = f'columns = ["{MARK}", "sessionId", "eventType", "itemId"]\nseparator = ","\n' + RULES
    origin = Origin(stream="s", shard_id="", sequence_number="1", arrival=1795512600.0)
    data = f"{CONTRACT},v,view,i".encode()
    (interaction,) = parse(data, origin, Trackers(default="t"), deployed(text, file="m.toml")).interactions
    assert interaction.event.item_id == "i"


def test_without_columns_there_are_no_rows() -> None:
    assert mapping().rows is None
