"""The functions that take an event out of what wraps it, and `let`, which works something out once for all rules."""

import base64
from typing import Any

import jmespath
import pytest

from personalize_relay.errors import InvalidRecord, MappingError, Reason
from personalize_relay.expressions import Expressions
from personalize_relay.functions import Functions
from personalize_relay.mapping_file import read
from personalize_relay.names import FLAT_MEMBERS, respelt

FUNCTIONS = Functions()
EXPRESSIONS = Expressions(FUNCTIONS)


def found(text: str, value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    """What an expression finds, compiled; and interpreted, which is to be the same."""
    compiled = EXPRESSIONS.compiled(text)(value)
    assert compiled == jmespath.search(text, value, jmespath.Options(custom_functions=FUNCTIONS))
    return compiled


def refused(text: str, value: Any) -> InvalidRecord:  # noqa: ANN401 - as above
    with pytest.raises(InvalidRecord) as raised:
        EXPRESSIONS.compiled(text)(value)
    return raised.value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": "anon", "b": 7}, "anon.7"),
        ({"a": "anon", "b": 7.0}, "anon.7"),
        ({"a": "anon", "b": 0}, "anon.0"),
        ({"a": "anon", "b": None}, None),
        ({"a": " ", "b": 7}, None),
        ({"b": 7}, None),
    ],
)
def test_joined_values_have_a_dot_between_and_are_null_where_one_is(
    given: dict[str, Any], expected: str | None
) -> None:
    assert found("joined(a, b)", given) == expected
    assert found("joined('x', a, b)", given) == (expected and f"x.{expected}")


def test_values_that_are_no_texts_are_not_joined() -> None:
    assert refused("joined(a, b)", {"a": "x", "b": []}).reason is Reason.NOT_MAPPED


def test_base64_gives_the_text_that_it_stands_for() -> None:
    assert found("base64(a)", {"a": base64.b64encode('{"é": 1}'.encode()).decode()}) == '{"é": 1}'
    assert found("base64(a)", {}) is None
    assert found("base64(a)", {"a": " "}) is None


@pytest.mark.parametrize("given", ["no base64!", "Zm9v=Zm9v", base64.b64encode(b"\xff\xfe").decode(), "é"])
def test_what_is_no_base64_of_a_text_is_not_mapped(given: str) -> None:
    bad = refused("base64(a)", {"a": given})
    assert bad.reason is Reason.NOT_MAPPED
    assert given not in bad.detail


@pytest.mark.parametrize(
    "given",
    [
        {"session_id": "s", "ITEM ID": "i", "sentAt": 1, "color": "red"},
        {"SessionId": "s", "sessionId": "exact", "TIMESTAMP": 7},
        {"SessionId": "s", "sessionId": None},
        {"event_attribution_source": "home", "user-id": "u"},
        {"sessionId": "s", "eventType": "view"},
        {},
    ],
)
def test_contract_names_members_as_the_relay_does_and_leaves_others_out(given: dict[str, Any]) -> None:
    named = found("contract(@)", given)
    expected, _ = respelt(given, FLAT_MEMBERS)
    assert {name: each for name, each in named.items() if name in FLAT_MEMBERS} == {
        name: each for name, each in expected.items() if name in FLAT_MEMBERS
    }


def test_contract_names_the_members_of_a_request_and_of_its_events() -> None:
    given = {"session_id": "s", "event_list": [{"item_id": "i"}, "no event"]}
    assert found("contract(@)", given) == {"sessionId": "s", "eventList": [{"itemId": "i"}, "no event"]}


def test_two_spellings_of_one_member_with_two_values_are_ambiguous() -> None:
    assert refused("contract(@)", {"user_id": "a", "USERID": "b"}).reason is Reason.AMBIGUOUS_MEMBER


@pytest.mark.parametrize("given", [None, "a text", 7, [{"session_id": "s"}]])
def test_contract_leaves_what_is_no_object(given: object) -> None:
    assert found("contract(a)", {"a": given}) == given


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ({"S": "i-1"}, "i-1"),
        ({"N": "42"}, 42),
        ({"N": "-4.5e2"}, -450.0),
        ({"N": "12345678901234567890123456789012345678"}, 12345678901234567890123456789012345678),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"B": "aGk="}, "aGk="),
        ({"SS": ["a", "b"]}, ["a", "b"]),
        ({"NS": ["1", "2.5"]}, [1, 2.5]),
        ({"BS": ["aGk="]}, ["aGk="]),
        ({"L": [{"S": "a"}, {"L": []}, {"NULL": True}]}, ["a", [], None]),
        ({"M": {"a": {"M": {"b": {"N": "1"}}}}}, {"a": {"b": 1}}),
    ],
)
def test_an_attribute_of_dynamodb_loses_its_type(attribute: dict[str, Any], expected: object) -> None:
    (value,) = found("untyped(@)", {"x": attribute}).values()
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    "attribute",
    [
        *("a text", None, {}, {"S": "a", "N": "1"}, {"X": "a"}, {"N": "NaN"}, {"N": "one"}, {"N": 1}, {"N": "true"}),
        *({"L": "a"}, {"L": ["a"]}, {"NS": "1"}, {"NS": ["x"]}, {"M": "a"}, {"M": {"a": "b"}}),
    ],
)
def test_what_is_no_image_of_dynamodb_is_not_mapped(attribute: object) -> None:
    assert refused("untyped(@)", {"x": attribute}).reason is Reason.NOT_MAPPED


def test_untyped_is_null_where_there_is_no_image_and_refuses_a_list() -> None:
    assert found("untyped(a)", {}) is None
    assert refused("untyped(a)", {"a": []}).reason is Reason.NOT_MAPPED


def test_unwind_gives_an_entry_for_each_of_its_list_and_keeps_those_without() -> None:
    given = {"e": [{"n": 1, "d": {"p": ["a", "b"]}}, {"n": 2, "d": {"p": []}}, {"n": 3}, {"n": 4, "d": {"p": ["c"]}}]}
    assert found("unwind(e, 'd.p', 'x')[*].[n, x]", given) == [[1, "a"], [1, "b"], [2, None], [3, None], [4, "c"]]
    assert found("unwind(e, 'd.p', 'x')[0].d", given) == {"p": ["a", "b"]}


@pytest.mark.parametrize(
    ("entries", "listed", "others"), [(1, 990_000, 0), (1, 500, 20_000), (10_000, 50, 0)], ids=["long", "wide", "many"]
)
def test_unwind_refuses_what_would_fill_the_memory(entries: int, listed: int, others: int) -> None:
    entry = {"p": [0] * listed} | {str(number): 0 for number in range(others)}
    assert refused("unwind(e, 'p', 'x')", {"e": [entry] * entries}).reason is Reason.TOO_MANY_EVENTS


def test_unwind_gives_as_many_entries_as_each_may_have_and_more() -> None:
    entry = {"p": [0] * 1000} | {str(number): 0 for number in range(50)}
    assert len(found("unwind(e, 'p', 'x')", {"e": [entry]})) == 1000


@pytest.mark.parametrize("given", [None, "a", {"a": 1}])
def test_unwind_leaves_what_is_no_list(given: object) -> None:
    assert found("unwind(e, 'd', 'x')", {"e": given}) == given


RULES = """
[let]
inner = "json(wrapped)"
visit = "inner.visit"
[[rule]]
name = "views"
when = "visit"
each = "inner.items"
[rule.event]
sessionId = "visit"
eventType = "kind"
itemId = "each"
"""


def test_rules_see_what_let_names_as_members_and_each_name_sees_those_before_it() -> None:
    mapping = read(RULES, file="m.toml").mapping
    value = {"kind": "view", "wrapped": '{"visit": "s", "items": ["a", "b"]}'}
    assert mapping.map(value).events == tuple(
        {"sessionId": "s", "eventType": "view", "itemId": item} for item in ("a", "b")
    )
    assert value.keys() == {"kind", "wrapped"}


def test_what_let_cannot_work_out_is_not_mapped_and_says_which() -> None:
    with pytest.raises(InvalidRecord) as refused:
        read(RULES, file="m.toml").mapping.map({"wrapped": "canary"})
    assert str(refused.value) == "not_mapped: let: inner: json() was given a text that is not JSON"


@pytest.mark.parametrize(
    ("let", "said"),
    [
        ('inner = "json("', "m.toml: let: inner is not JMESPath"),
        ("inner = 7", "m.toml: let: inner is a number: "),
        ('each = "a"', "m.toml: let: each is the word for a rule's entry: choose another name"),
    ],
)
def test_a_wrong_let_is_refused_by_its_name(let: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        read(RULES.replace('inner = "json(wrapped)"', let), file="m.toml")
    assert str(refused.value).startswith(said)


def test_let_must_be_a_table() -> None:
    with pytest.raises(MappingError, match="let is a text: it must be a table"):
        read('let = "a"' + RULES.replace("[let]", "[[rule]]"), file="m.toml")
