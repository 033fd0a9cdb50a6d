"""Reading the JSON values of one text, whatever stands between them and whatever is wrong with one."""

import json
import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from personalize_relay import json_values
from personalize_relay.errors import InvalidRecord, Reason
from tests.packing import SEPARATORS, text

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
NAMES = st.text(max_size=5)
TREES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(NAMES, LEAVES, max_size=2)
OBJECTS = st.dictionaries(NAMES, TREES, max_size=3)


MOST = 1000


def read(data: bytes) -> list[Any]:
    return json_values.values(data, MOST)


def count(data: bytes, most: int = MOST) -> int | None:
    """How many values a text holds; None where they are too many."""
    try:
        return len(json_values.values(data, most))
    except json_values.TooMany:
        return None


def reasons(data: bytes) -> list[Any]:
    return [each.reason if isinstance(each, InvalidRecord) else each for each in read(data)]


@given(st.lists(OBJECTS, min_size=1, max_size=5), st.sampled_from(SEPARATORS), st.booleans(), st.data())
def test_objects_are_read_whatever_stands_between_them(
    objects: list[dict[str, Any]],
    separator: str,
    trailing: bool,  # noqa: FBT001 - drawn by position
    choice: st.DataObject,
) -> None:
    indent = choice.draw(st.sampled_from([None, 2]))
    escaped = choice.draw(st.booleans())
    texts = [json.dumps(each, indent=indent, ensure_ascii=escaped) for each in objects]
    joined = separator.join(texts) + separator * trailing
    assume(escaped or not any("\ud800" <= letter <= "\udfff" for letter in joined))
    assert read(joined.encode()) == [json.loads(each) for each in texts]


def test_what_msgspec_refuses_for_one_value_is_read_all_the_same() -> None:
    one, two, three = read(b'{"a":1}\n{"b":[NaN,-Infinity,1e999]}\n{"c":3}')
    assert (one, three) == ({"a": 1}, {"c": 3})
    assert all(isinstance(each, int) and each > 1e308 for each in two["b"])


@pytest.mark.parametrize("data", [b" ", b"\n", b",", b"\\n", b" ,\n\\n\xef\xbb\xbf"])
def test_between_separators_there_is_nothing(data: bytes) -> None:
    assert read(data) == []


@given(
    st.lists(OBJECTS, min_size=2, max_size=5),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.binary(max_size=30),
    st.data(),
)
def test_whatever_becomes_of_one_line_the_others_are_as_they_were(
    objects: list[dict[str, Any]], separator: str, garbage: bytes, choice: st.DataObject
) -> None:
    """Unless it ends where a value must follow: the next line may be that."""
    lines = [text(each) for each in objects]
    place = choice.draw(st.integers(0, len(lines) - 1))
    start, end = sorted(choice.draw(st.integers(0, len(lines[place]))) for _ in range(2))
    lines[place] = lines[place][:start] + garbage + lines[place][end:]
    assume(not lines[place].rstrip().endswith((b",", b"[", b":")))
    got = read(separator.encode().join(lines))
    before, after = objects[:place], objects[place + 1 :]
    assert got[: len(before)] == before
    assert got[len(got) - len(after) :] == after


BROKEN = [
    b'{"a":1',
    b'{"a":"text}',
    b'{"a":,"b":1}',
    b'{"a":1}}',
    b'{"a":1},"b":2}',
    b'{"a":1}"b":2}',
    b'{{"a":1}',
    b'{"a":[1}',
    b'"a":1}',
    b'{"a":"\xff"}',
    b"{'a':1}",
    b'{"a":tru}',
    b'{"a":"\\x"}',
    b"}",
    b"]",
    b'"',
    b"garbage",
    b"2026-11-24 garbage",
    b"127.0.0.1 - - [x]",
    b"1,2,3",
    b"1\t2",
    b'{"a":1}"b":2}',
    b'{"a":1} "b"',
    b"\x00\x01",
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("separator", [b"\n", b"\r\n"])
def test_a_broken_line_is_one_rejection_wherever_it_stands(broken: bytes, separator: bytes) -> None:
    good = b'{"good":1}', {"good": 1}
    for place in range(3):
        lines = [good[0]] * 2
        lines.insert(place, broken)
        expected: list[Any] = [good[1]] * 2
        got = read(separator.join(lines))
        assert isinstance(got.pop(place), InvalidRecord)
        assert got == expected


@pytest.mark.parametrize("broken", [b'{"a":,"b":"}{"}', b'{"a":"\xff"}', b'{"a":"\\x"}', b'[{},{"x":,}]'])
@pytest.mark.parametrize("separator", [each.encode() for each in SEPARATORS])
def test_a_broken_value_that_is_closed_is_one_rejection_whatever_the_separator(broken: bytes, separator: bytes) -> None:
    got = read(separator.join([b'{"a":1}', broken, b'{"b":2}']))
    assert len(got) == 3
    first, bad, last = got
    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(bad, InvalidRecord) or isinstance(bad[-1], InvalidRecord)


def test_a_value_that_is_cut_off_ends_before_a_literal_newline_and_an_object() -> None:
    first, bad, last = read(b'{"a":1}\\n{"b":{"c":1}\\n{"d":2}')
    assert (first, last) == ({"a": 1}, {"d": 2})
    assert isinstance(bad, InvalidRecord)


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_one_broken_payload_is_one_rejection(broken: bytes) -> None:
    assert [type(each) for each in read(broken)] == [InvalidRecord]


def test_a_broken_object_over_several_lines_is_one_rejection_and_leaves_the_others() -> None:
    objects = [json.dumps({"a": number, "b": {"c": [1, {"d": 2}]}}, indent=2) for number in range(3)]
    for spoilt in ('"a": 1', '"a": '), ("[", "[["), ("2", "2}"), ('"c"', '"c'), ("1", "1},"):
        lines = [objects[0], objects[1].replace(*spoilt), objects[2]]
        first, bad, last = read("\n".join(lines).encode())
        assert (first, last) == (json.loads(objects[0]), json.loads(objects[2]))
        assert isinstance(bad, InvalidRecord)


def test_of_a_list_with_a_broken_entry_the_others_are_read() -> None:
    (listed,) = read(b'[{"a":1}, {"b":,}, garbage, {"c":"\xff"}, 5, {"d":[1,{}]}]')
    assert isinstance(listed, list)
    assert [each.reason if isinstance(each, InvalidRecord) else each for each in listed] == [
        {"a": 1},
        Reason.INVALID_JSON,
        Reason.INVALID_JSON,
        Reason.INVALID_UTF8,
        5,
        {"d": [1, {}]},
    ]


def test_a_list_that_is_not_closed_where_it_was_opened_is_rejected_whole() -> None:
    assert [type(each) for each in read(b'[{"s":1},"u":2},{"s":3}]')] == [InvalidRecord]


def test_a_broken_list_without_entries_is_rejected() -> None:
    (bad,) = read(b"[,]")
    assert isinstance(bad, InvalidRecord)


def test_bare_values_on_lines_of_their_own_are_values() -> None:
    assert read(b'1\nnull,\n{"a":"\xc3\xa9"},\n"text"') == [1, None, {"a": "\u00e9"}, "text"]


def test_a_text_may_hold_texts_that_hold_json() -> None:
    inner = json.dumps('{"a":1}').encode()
    assert read(inner + b"," + inner + b"\\n" + inner) == ['{"a":1}'] * 3


def test_a_value_nested_too_deep_is_rejected_alone() -> None:
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    assert reasons(b"{}\n" + deep + b"\n{}") == [{}, Reason.TOO_DEEP, {}]


@pytest.mark.parametrize("broken", [b"{},", b'{"a":,}', b"garbage\n{},"])
def test_no_more_values_are_read_than_asked_for(broken: bytes) -> None:
    assert count(broken * 4 + b"x", 9) is not None
    assert count(broken * 10 + b"x", 9) is None
    assert count(b"[" + broken * 10 + b"{,}]", 9) is None


def test_broken_lists_share_the_bound() -> None:
    half = b'[{"a":1},{,}]'
    assert count(half * 3, 9) == 3
    assert count(half * 4, 9) is None


EVENT = b'{"sessionId":"s","eventType":"view"}'
REQUEST = b'{"sessionId":"s","userId":"u","eventList":[\n'


@pytest.mark.parametrize(
    "broken",
    [
        REQUEST + EVENT + b',\n{"sess',
        REQUEST + EVENT + b",\n" + EVENT + b"\n",
        REQUEST + b"\n" + EVENT + b",\r\n" + EVENT + b",\n" + EVENT,
        b'{"sessionId":"s","extra": tru,\n"inner":\n' + EVENT + b"\n",
        b'{"sessionId":"s","extra": tru,"inner":\n"{}"\n',
        b'{"sessionId":"s","extra": tru,\n"{inner":1',
        b'{"sessionId":"s","extra": tru},\n"inner":\n' + EVENT + b"}",
        b'{"sessionId":"s","note":"he said "hi","eventList":[\n' + EVENT + b",\n" + EVENT + b"]}",
        b'{"sessionId":"s"}},"userId":"u","eventList":[\n' + EVENT + b",\n" + EVENT + b"\n]}",
        b'[{"sessionId":"s","userId":"u","eventList":[\n' + EVENT + b",\n" + EVENT + b",\n",
    ],
)
def test_what_stands_in_a_broken_value_is_no_value_of_its_own(broken: bytes) -> None:
    assert all(isinstance(each, InvalidRecord) for each in read(broken))
    first, *bad, last = read(EVENT + b"\n" + broken.rstrip() + b'"\n' + EVENT)
    assert (first, last) == (json.loads(EVENT), json.loads(EVENT))
    assert all(isinstance(each, InvalidRecord) for each in bad)


def test_a_line_that_is_cut_off_behind_a_colon_is_rejected_alone() -> None:
    bad, *good = read(b'{"a":\n{"a":1}\n{"b":2}')
    assert isinstance(bad, InvalidRecord)
    assert good == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("broken", [b'{"a":[', b'{"a":[1,'])
def test_a_line_that_is_cut_off_before_an_entry_takes_the_next_line_with_it_and_no_more(broken: bytes) -> None:
    bad, good = read(broken + b'\n{"a":1}\n{"b":2}')
    assert isinstance(bad, InvalidRecord)
    assert good == {"b": 2}


@pytest.mark.parametrize(
    "broken", [*BROKEN, b'{"a":1', b'{"a":1,', b'{"a":[1},', b'{"a":[1,{"b":2],', b'{"a":"x, [', b'{"a":"x:']
)
def test_lines_may_end_in_commas_and_a_broken_one_is_rejected_alone(broken: bytes) -> None:
    lines = [b'{"n":%d},' % number for number in range(5)]
    assert read(b"\n".join(lines)) == [{"n": number} for number in range(5)]
    lines[2] = broken
    got = read(b"\n".join(lines))
    assert [each for each in got if isinstance(each, dict)] == [{"n": number} for number in (0, 1, 3, 4)]
    assert [each for each in got if isinstance(each, InvalidRecord)]


def test_of_a_list_over_lines_that_is_cut_off_the_entries_after_the_first_are_read() -> None:
    bad, *entries = read(b'[\n{"a":1},\n{"b":2},\n{"c":3},\n{"d')
    assert isinstance(bad, InvalidRecord)
    assert [each for each in entries if isinstance(each, dict)] == [{"a": 1}, {"b": 2}, {"c": 3}]


UNFINISHED = {
    "cut off in a text": b'{"a":"vi',
    "never closed": b'{"a":"view"',
    "no JSON": b"hello world",
    "nested too deep": b"[" * 30_000 + b"]" * 30_000,
}


@pytest.mark.parametrize("broken", UNFINISHED)
@pytest.mark.parametrize("together", [True, False])
def test_however_many_lines_are_broken_the_good_ones_are_read(broken: str, *, together: bool) -> None:
    good, bad = b'{"good":1}', UNFINISHED[broken]
    lines = [bad] * 40 + [good] * 400 if together else ([good] * 10 + [bad]) * 40
    got = read(b"\n".join(lines))
    assert got.count({"good": 1}) == 400


ENDLESS = {
    "braces": b"{\n" * 500_000,
    "brackets": b"[\n" * 500_000,
    "pairs": b"{]\n" * 300_000,
    "members": b'{"a":\n' * 200_000,
    "members and commas": b'{"a":"b",\n' * 100_000,
    "members in lists": b'{"a":[\n' * 120_000,
    "deep lists": (b"[" * 500 + b"tru" + b"]" * 500 + b"\n") * 900,
    "deep lists cut off": (b"[" * 400 + b"\n") * 2400,
    "deep lists over lines": (b"[\n" * 400 + b"x") * 1200,
    "texts": (b'{"a":"' + b"y" * 40 + b"\n") * 20_000,
    "quotes": b'{"\n' * 300_000,
    "stray quotes": b'{"' + b':\\"' * 300_000 + b"[\n[",
    "literal newlines": b'{"a":[\n{}\\n' * 70_000,
    "escapes in a list": b'[{"a":"' + b',[\\"' * 250_000 + b'"}]',
}
"""Each line of them begins what could go on to the end."""


@pytest.mark.slow  # each text is of megabytes
@pytest.mark.parametrize("endless", ENDLESS)
def test_no_text_takes_long(endless: str) -> None:
    start = time.process_time()
    count(ENDLESS[endless], 20_000)
    assert time.process_time() - start < 6


def test_text_is_not_read_over_and_over() -> None:
    """Each of these lines begins what could go on to the end: a quadratic reading would never end."""
    opening = count(b"[\n" * 20_000 + b"x")
    assert opening is not None
    assert opening < 100
    escapes = b'{"a":"' + b'\\"' * 500_000
    assert count(escapes) == 1
