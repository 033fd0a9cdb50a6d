"""A mapping's expressions are JMESPath with a few functions more, found wrong before the first payload is."""

from collections.abc import Callable
from itertools import product

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.expressions import Expressions, WrongExpression, takes_whole
from personalize_relay.functions import OWN, Functions
from personalize_relay.projections import is_false

FUNCTIONS = Functions("salt")
EXPRESSIONS = Expressions(FUNCTIONS)
OPTIONS = jmespath.Options(custom_functions=FUNCTIONS)

NAMES = st.sampled_from(["a", "b", "c", '"d e"'])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2, 0.0, 1.0, 1.5, -0.0, 1795512600, 1e300, 10**30]),
    st.sampled_from(["", " ", "a", "x", "1", "2026-11-24T09:30:00Z", "2026-11-24T09:30:00", '{"a": [1]}', "\ud800"]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "d e"]), inner),
    max_leaves=12,
)
LITERALS = st.sampled_from(["'a'", "'x'", "''", "`0`", "`1`", "`true`", "`false`", "`null`", "`[]`", "`{}`", "`[1]`"])


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of all that the closures know, and of some that they leave to the interpreter."""
    operators = st.sampled_from(["||", "&&", "==", "!=", "<", ">=", "|"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{}]".format, inner, st.integers(-3, 3)),
        st.builds("!{}".format, inner),
        st.builds("[{}, {}]".format, LITERALS, LITERALS),
        st.builds("{}.{{a: {}, b: {}}}".format, NAMES, inner, inner),
        st.builds("{{a: {}, x: {}}}".format, NAMES, NAMES),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}[*].{}".format, NAMES, inner.filter(str.isalpha)),
        st.builds("{}[?{}]".format, NAMES, inner),
        st.builds("{}[]".format, NAMES),
        st.builds("{}[:2]".format, NAMES),
        st.builds("{}.*".format, NAMES),
        st.builds("map(&{}, {})".format, inner, NAMES),
        st.builds(
            "{}({})".format, st.sampled_from(["epoch", "text", "lower", "hash", "json", "type", "length"]), inner
        ),
        st.builds("default({}, {})".format, inner, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["contains", "starts_with", "joined"]), inner, inner),
        st.builds("epoch({}, 'Europe/Berlin')".format, inner),
        st.builds("not_null({}, {})".format, inner, inner),
    )


TEXTS = st.recursive(NAMES | LITERALS | st.just("@"), joined, max_leaves=6)


def outcome(of: Callable[..., object], *arguments: object) -> tuple[str, str]:
    """What it gives, or the kind of what it raises; as text, in which 1 and 1.0 and true are not the same."""
    try:
        return "gives", repr(of(*arguments))
    except Exception as exc:  # noqa: BLE001 - which is what is asked
        return "raises", type(exc).__name__


@given(TEXTS, DOCUMENTS)
def test_a_closure_gives_what_jmespath_gives(text: str, document: object) -> None:
    try:
        standard = jmespath.compile(text)
    except ValueError:
        with pytest.raises(WrongExpression):
            EXPRESSIONS.compiled(text)
        return
    assert outcome(EXPRESSIONS.compiled(text), document) == outcome(standard.search, document, OPTIONS)


@pytest.mark.parametrize("operator", ["||", "&&", "==", "!=", "<", ">="])
def test_an_operator_gives_what_jmespath_gives_for_every_pair_of_values(operator: str) -> None:
    values = [None, True, False, 0, 1, 0.0, 1.5, "", " ", "a", [], [0], [True], {}, {"a": 1}]
    text = f"a {operator} b"
    found, standard = EXPRESSIONS.compiled(text), jmespath.compile(text)
    for one, other in product(values, values):
        document = {"a": one, "b": other}
        assert outcome(found, document) == outcome(standard.search, document, OPTIONS), document


@pytest.mark.parametrize("place", range(-4, 4))
@pytest.mark.parametrize("value", [["x", "y", "z"], [], "xyz", {"0": 1}, None])
def test_an_index_gives_what_jmespath_gives(place: int, value: object) -> None:
    text = f"a[{place}]"
    assert EXPRESSIONS.compiled(text)({"a": value}) == jmespath.search(text, {"a": value})


@given(DOCUMENTS)
def test_what_is_true_is_what_jmespath_takes_for_true(document: object) -> None:
    assert is_false(document) is (jmespath.search("(@ && `1`) == `1`", document) is False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("epoch(`1795512600123`)", 1795512600.123),
        ("epoch('2026-11-24T09:30:00.250Z')", 1795512600.25),
        ("epoch('2026-11-24 10:30:00', 'Europe/Berlin')", 1795512600.0),
        ("epoch('2026-07-24 11:30:00', 'Europe/Berlin')", 1784885400.0),
        ("epoch('2026-11-24 10:30:00', '+01:00')", 1795512600.0),
        ("epoch('2026-11-24T09:30:00Z', 'Europe/Berlin')", 1795512600.0),
        ("epoch(nothing)", None),
        ("epoch('')", None),
        ("epoch(' ', 'Europe/Berlin')", None),
        ("epoch(`{}`)", None),
        ("text(`12`)", "12"),
        ("text(`12.0`)", "12"),
        ("text(`1.5`)", "1.5"),
        ("text(`9007199254740992.0`)", "9007199254740992"),
        ("text(`-9007199254740992.0`)", "-9007199254740992"),
        ("text(`12345678901234567890123`)", "12345678901234567890123"),
        ("text(`true`)", "true"),
        ("text('a')", "a"),
        ("text(nothing)", None),
        ("lower('SKU-É')", "sku-é"),
        ("lower(`7`)", "7"),
        ("hash('user-1')", "75e1c9e2ecfeb00cd5106d0f6a93667bcc6ab2f6fdf50fb3b4d1d60d4d4766c9"),
        ("hash(' ')", None),
        ("hash(nothing)", None),
        ("default(nothing, 'view')", "view"),
        ("default(' ', 'view')", "view"),
        ("default('click', 'view')", "click"),
        ("default(`0`, `1`)", 0),
        ("json('{\"a\": 1}').a", 1),
        ("json(`{}`)", {}),
        ("json('')", None),
        ("json(nothing)", None),
    ],
)
def test_a_function_gives(text: str, found: object) -> None:
    assert EXPRESSIONS.compiled(text)({}) == found


@pytest.mark.parametrize("text", ["epoch(@)", "text(@)", "lower(@)", "hash(@)", "json('canary{')", "epoch('canary')"])
def test_a_function_refuses_a_value_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        EXPRESSIONS.compiled(text)(["canary"])
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("text", ["text(@)", "lower(@)", "hash(@)", "joined(@, 'a')"])
@pytest.mark.parametrize("number", [9007199254740994.0, -9007199254740994.0, 1e22])
def test_a_number_whose_digits_a_double_has_lost_is_no_text(text: str, number: float) -> None:
    with pytest.raises(InvalidRecord) as refused:
        EXPRESSIONS.compiled(text)(number)
    assert refused.value.reason is Reason.INVALID_NUMBER


def test_a_hash_depends_on_the_salt() -> None:
    other = Expressions(Functions("pepper")).compiled("hash(@)")
    assert other("user-1") != EXPRESSIONS.compiled("hash(@)")("user-1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: write a JMESPath expression, or leave it out"),
        ("a.", "is not JMESPath, as it ends too soon: complete it"),
        ("a b", "is not JMESPath at character 3, before b: mend it, fixed texts go in single quotes"),
        ("a = 'b'", "is not JMESPath at character 3, before = 'b': mend it, fixed texts go in single quotes"),
        ("a ]", "is not JMESPath at character 3, before ]: mend it, fixed texts go in single quotes"),
        ("a.`1`", "is not JMESPath at character 3, before `1`: mend it, fixed texts go in single quotes"),
        ("[" * 5000, "is nested too deep to be read: make it shorter"),
        ("upper(a)", "calls upper(), which there is not: use one of epoch, text, "),
        ("a[?upper(b)]", "calls upper(), which there is not: use one of epoch, "),
        ("lower(a, b)", "gives lower() 2 arguments: give it 1"),
        ("epoch()", "gives epoch() 0 arguments: give it 1 or 2"),
        ("epoch(a, 'UTC', b)", "gives epoch() 3 arguments: give it 1 or 2"),
        ("starts_with(a)", "gives starts_with() 1 arguments: give it 2"),
        ("merge()", "gives merge() 0 arguments: give it 1 or more"),
        ("epoch(a, zone)", "gives epoch() a zone that is no fixed text: write one such as 'Europe/Berlin'"),
        ("epoch(a, 'CET/Berlin')", "names CET/Berlin, which is no time zone: write one such as 'Europe/Berlin'"),
        ("epoch(a, '../UTC')", "names ../UTC, which is no time zone: "),
        ("epoch(a, '')", "names , which is no time zone: "),
    ],
)
def test_a_wrong_expression_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(WrongExpression) as refused:
        EXPRESSIONS.compiled(text)
    assert str(refused.value).startswith(said)


def test_hash_needs_a_salt() -> None:
    with pytest.raises(WrongExpression, match="there is no salt: set `mappingSalt`"):
        Expressions(Functions()).compiled("hash(userId)")


@pytest.mark.parametrize("text", ["@", "{a: @}", "not_null(a, @)", "map(&@, a)", "a[?@]"])
def test_an_expression_that_may_take_the_value_whole_is_known(text: str) -> None:
    assert takes_whole(text)


@pytest.mark.parametrize("text", ["a", "'@'", '"@timestamp"', "a[*].b", "{a: b}", "*", "[*]", "[]", "a[]", "a[?b]"])
def test_other_expressions_take_what_is_in_it(text: str) -> None:
    assert not takes_whole(text)


def test_every_function_of_ours_is_one_of_the_interpreters() -> None:
    assert OWN.keys() <= Functions.FUNCTION_TABLE.keys()


@pytest.mark.parametrize(
    "text", ["a[?b]", "a[?b].b", "a[?!b]", "a[*].b", "a[]", "a[].b", "a[?b == `0`] | [0]", "c[?b]", "c[]"]
)
def test_lists_are_filtered_projected_and_flattened_as_jmespath_does(text: str) -> None:
    document = {"a": [{"b": 0}, {"b": ""}, {"b": None}, 7, [1, [2]], None, {"b": [0]}, {"b": False}], "c": {"b": 1}}
    assert outcome(EXPRESSIONS.compiled(text), document) == outcome(jmespath.search, text, document)


@pytest.mark.parametrize("function", ["contains", "starts_with"])
@pytest.mark.parametrize("whole", ["abc", ["a", 1], {"a": 1}, None, 7])
@pytest.mark.parametrize("part", ["a", "", 1, None, ["a"]])
def test_what_conditions_call_gives_what_jmespath_gives(function: str, whole: object, part: object) -> None:
    text, document = f"{function}(whole, part)", {"whole": whole, "part": part}
    assert outcome(EXPRESSIONS.compiled(text), document) == outcome(jmespath.search, text, document)


@pytest.mark.parametrize("part", ["a", "b", "", 0, False, None, ["a"], {"a": 1}])
@pytest.mark.parametrize("text", ["contains(['a', ''], part)", "list[?contains(['a', ''], part)]"])
def test_one_of_some_texts_is_what_jmespath_says(text: str, part: object) -> None:
    for entries in ([{"part": part}], [{"part": part}, None], [part]):
        document = {"part": part, "list": entries}
        assert outcome(EXPRESSIONS.compiled(text), document) == outcome(jmespath.search, text, document)
    assert outcome(EXPRESSIONS.compiled(text), None) == outcome(jmespath.search, text, None)


@pytest.mark.parametrize("whole", [None, 0, "x", [], {"c": "y"}, {"b": "", "c": False}, {"b": 0, "c": "y"}, {"b": "z"}])
@pytest.mark.parametrize("text", ["a.b || a.c", "a.b || a.c || d", "d || a.b || a.c", "a.b || (a.c || d)", "b || c"])
def test_a_choice_among_members_of_one_object_is_jmespaths(text: str, whole: object) -> None:
    for other in (None, "", "w"):
        for document in ({"a": whole, "d": other}, whole):
            assert outcome(EXPRESSIONS.compiled(text), document) == outcome(jmespath.search, text, document)


@pytest.mark.parametrize("value", ["a", 1, 1.5, True, False, None, [], {}, ""])
def test_the_name_of_a_type_is_jmespaths(value: object) -> None:
    assert EXPRESSIONS.compiled("type(@)")(value) == jmespath.search("type(@)", value)
