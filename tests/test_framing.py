"""From a record's bytes to its payloads, in order, each in its place, whatever it is packed in."""

import base64
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.demo import kpl
from personalize_relay import mapping_file
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.framing import MAX_INFLATED, MAX_PAYLOADS, Framed, unframe
from tests import packing
from tests.packing import SEPARATORS, Event, text

A, B, C = ({"sessionId": "s", "n": number} for number in range(3))
GOOD = text(A)


def read(data: bytes, **options: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - unframe's own
    """Place and value of each payload, or the reason in the place of a value."""
    return [
        (
            ".".join(map(str, each.sub_sequence)),
            each.value.reason if isinstance(each.value, InvalidRecord) else each.value,
        )
        for each in unframe(data, **options).payloads
    ]


class Packed:
    """Events that are packed at random, and what becomes of them."""

    def __init__(self, choice: st.DataObject, events: list[Event]) -> None:
        self.choice = choice
        self.free = {"base64", "string"}
        self.data = self.pack(events, choice.draw(st.integers(0, 4), "layers"))

    def pack(self, events: list[Event], layers: int) -> bytes:
        """At most so many layers; several events need one at least."""
        if layers == 0 or (layers == 1 and len(events) > 1):
            return text(events[0]) if len(events) == 1 else self.join([text(each) for each in events])
        kind = self.choice.draw(st.sampled_from([*sorted({"gzip", "zlib", *self.free}), "aggregate", "log", "joined"]))
        if kind in packing.WRAPPERS:
            self.free -= {kind}
            inner = self.pack(events, layers - 1)
            if kind != "string" or inner.isascii():
                return packing.WRAPPERS[kind](inner)
            return inner
        return self.several(kind, events, layers)

    def several(self, kind: str, events: list[Event], layers: int) -> bytes:
        """Some parts in one layer, each with some of the events."""
        cut = self.choice.draw(st.integers(0, len(events)))
        halves = [half for half in (events[:cut], events[cut:]) if half]
        parts = [self.pack(half, layers - 1) for half in halves]
        if kind == "aggregate":
            return kpl.aggregate(parts)
        if kind == "log" and all(part.isascii() for part in parts):
            return packing.log_messages(parts)
        return self.join([text(each) for each in events])

    def join(self, texts: list[bytes]) -> bytes:
        """Several values in one text, or an array."""
        separator = self.choice.draw(st.sampled_from([*SEPARATORS, "array"]))
        if separator == "array":
            return b"[" + b",".join(texts) + b"]"
        return separator.encode().join(texts)


EVENTS = st.lists(st.fixed_dictionaries({"sessionId": st.text(max_size=5), "n": st.integers()}), min_size=1, max_size=5)


@given(EVENTS, st.data())
def test_events_come_out_as_they_went_in_however_they_are_packed(events: list[Event], choice: st.DataObject) -> None:
    packed = Packed(choice, events)
    framed = unframe(packed.data)
    places = [each.sub_sequence for each in framed.payloads]
    assert [each.value for each in framed.payloads] == events
    assert places == sorted(set(places))
    assert (places == [()]) == (len(events) == 1)
    assert unframe(packed.data) == framed


def nested(data: bytes, layers: int) -> bytes:
    for _ in range(layers):
        data = gzip.compress(data, mtime=0)
    return data


def test_four_layers_are_read_and_five_are_not() -> None:
    assert read(nested(GOOD, 4)) == [("", A)]
    (bad,) = unframe(nested(GOOD, 5)).payloads
    assert isinstance(bad.value, InvalidRecord)
    assert (bad.value.reason, "4 layers" in bad.value.detail) == (Reason.TOO_DEEP, True)


@pytest.mark.parametrize(
    "layer",
    [
        gzip.compress(GOOD, mtime=0),
        zlib.compress(GOOD),
        base64.b64encode(GOOD),
        text(GOOD.decode()),
        b"[" + GOOD + b"]",
        kpl.aggregate([GOOD]),
        packing.log_messages([GOOD]),
        GOOD + b"\n" + GOOD,
    ],
)
def test_everything_that_packs_is_a_layer(layer: bytes) -> None:
    assert all(value == A for _, value in read(nested(layer, 3)))
    assert all(value == Reason.TOO_DEEP for _, value in read(nested(layer, 4)))


def test_a_byte_order_mark_is_no_layer_and_stands_before_any_text() -> None:
    marked = b"\xef\xbb\xbf" + GOOD
    assert read(b"\xef\xbb\xbf" + nested(marked, 4)) == [("", A)]
    assert read(base64.b64encode(marked)) == [("", A)]
    assert read(text(marked.decode())) == [("", A)]
    assert read(kpl.aggregate([marked, marked])) == [("0", A), ("1", A)]
    assert read(marked + b"\n" + marked) == [("0", A), ("1", A)]


def test_places_are_nested_as_what_they_are_in() -> None:
    lines = text(B) + b"\n" + text(C)
    assert read(kpl.aggregate([GOOD, lines, b"[" + GOOD + b"]"])) == [("0", A), ("1.0", B), ("1.1", C), ("2", A)]
    assert read(kpl.aggregate([lines])) == [("0", B), ("1", C)]
    assert read(b"[[%b],[%b,%b]]" % (GOOD, GOOD, GOOD)) == [("0", A), ("1.0", A), ("1.1", A)]


def test_base64_is_read_once_and_only_where_something_known_is_in_it() -> None:
    once = base64.b64encode(GOOD)
    assert read(once.rstrip(b"=") + b"\r\n") == [("", A)]
    assert read(base64.b64encode(gzip.compress(once, mtime=0))) == [("", Reason.INVALID_JSON)]
    assert read(base64.b64encode(b"something else")) == [("", Reason.INVALID_JSON)]
    for known in (
        GOOD,
        b" " + GOOD,
        b"[" + GOOD + b"]",
        gzip.compress(GOOD, mtime=0),
        zlib.compress(GOOD),
        text(GOOD.decode()),
    ):
        assert read(base64.b64encode(known)) == [("", A)]
    assert read(base64.b64encode(kpl.aggregate([GOOD, GOOD]))) == [("0", A), ("1", A)]
    assert read(base64.b64encode(GOOD)[:-5]) == [("", Reason.INVALID_JSON)]


def test_gzip_of_several_members_is_one_text() -> None:
    assert read(gzip.compress(GOOD[:5], mtime=0) + gzip.compress(GOOD[5:] + GOOD, mtime=0)) == [("0", A), ("1", A)]


def test_gzip_members_may_stand_on_lines_of_their_own() -> None:
    assert read(gzip.compress(GOOD, mtime=0) + b"\n" + gzip.compress(text(B), mtime=0) + b"\n") == [("0", A), ("1", B)]
    lines = gzip.compress(b"1\t2\t3", mtime=0) + b"\n" + gzip.compress(b"4\t5\t6", mtime=0)
    assert read(lines, rows=rows) == [("0", {"a": "1", "b": "2", "c": "3"}), ("1", {"a": "4", "b": "5", "c": "6"})]


def test_base64_may_be_broken_into_lines_as_mime_does() -> None:
    long = A | {"text": "x" * 300}
    assert read(base64.encodebytes(text(long))) == [("", long)]
    assert read(base64.encodebytes(text(long)).replace(b"\n", b"\r\n")) == [("", long)]
    assert read(text(base64.encodebytes(text(long)).decode())) == [("", long)]


def test_a_nul_behind_a_payload_is_none_of_it() -> None:
    assert read(GOOD + b"\0") == [("", A)]
    assert read(GOOD + b"\0" + text(B) + b"\0") == [("0", A), ("1", B)]
    assert read(base64.b64encode(GOOD) + b"\0") == [("", A)]
    assert read(b"\0") == [("", Reason.EMPTY_RECORD)]


def test_a_json_text_sequence_is_its_values_and_a_broken_one_is_rejected_alone() -> None:
    assert read(b"\x1e" + GOOD + b"\n") == [("", A)]
    assert read(b"\x1e" + GOOD + b"\n\x1e" + text(B) + b"\n", rows=rows) == [("0", A), ("1", B)]
    assert read(b'\x1e{"a":\n\x1e' + GOOD + b"\n\x1e" + text(B)) == [
        ("0", Reason.INVALID_JSON),
        ("1", A),
        ("2", B),
    ]


def test_a_string_that_holds_json_is_read_once() -> None:
    once = text(GOOD.decode())
    assert read(once) == [("", A)]
    assert read(text(once.decode())) == [("", Reason.NOT_AN_OBJECT)]
    assert read(text(base64.b64encode(GOOD).decode())) == [("", A)]
    assert read(b"[%b,%b]" % (once, once)) == [("0", A), ("1", A)]
    assert read(b'"no json"') == [("", Reason.NOT_AN_OBJECT)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_RECORD),
        (b" \n", Reason.EMPTY_RECORD),
        (b"\xef\xbb\xbf", Reason.EMPTY_RECORD),
        (b",\n\\n", Reason.EMPTY_RECORD),
        (b"[]", Reason.EMPTY_RECORD),
        (gzip.compress(b"", mtime=0), Reason.EMPTY_RECORD),
        (kpl.aggregate([]), Reason.EMPTY_RECORD),
        (kpl.aggregate([b""]), Reason.EMPTY_RECORD),
        (packing.log_messages([]), Reason.EMPTY_RECORD),
        (b"17", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"[17]", Reason.NOT_AN_OBJECT),
        (b'{"messageType":"DATA_MESSAGE","logEvents":[{"id":1}]}', Reason.NOT_AN_OBJECT),
        (kpl.aggregate([GOOD])[:-1], Reason.BAD_CHECKSUM),
        (gzip.compress(GOOD, mtime=0)[:-1], Reason.COMPRESSED_RECORD),
        (bytes.fromhex("28b52ffd") + bytes(9), Reason.COMPRESSED_RECORD),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b"x^2", Reason.INVALID_JSON),
    ],
)
def test_nothing_vanishes_what_cannot_be_read_is_one_rejected_payload(data: bytes, reason: Reason) -> None:
    assert read(data) == [("", reason)]


def test_the_bad_is_rejected_in_its_place_and_the_rest_is_read() -> None:
    assert read(b'[%b,17,"text",[],%b]' % (GOOD, GOOD)) == [
        ("0", A),
        ("1", Reason.NOT_AN_OBJECT),
        ("2", Reason.NOT_AN_OBJECT),
        ("3", Reason.EMPTY_RECORD),
        ("4", A),
    ]
    parts = [
        GOOD,
        b"",
        b"\xff",
        gzip.compress(GOOD, mtime=0)[:-1],
        kpl.aggregate([GOOD])[:-1],
        nested(GOOD, 4),
        GOOD,
    ]
    assert read(kpl.aggregate(parts)) == [
        ("0", A),
        ("1", Reason.EMPTY_RECORD),
        ("2", Reason.INVALID_UTF8),
        ("3", Reason.COMPRESSED_RECORD),
        ("4", Reason.BAD_CHECKSUM),
        ("5", Reason.TOO_DEEP),
        ("6", A),
    ]
    assert read(packing.log_messages([GOOD, b"START RequestId", GOOD])) == [
        ("0", A),
        ("1", Reason.INVALID_JSON),
        ("2", A),
    ]
    assert read(b'[%b,{"a":,},%b]' % (GOOD, GOOD)) == [("0", A), ("1", Reason.INVALID_JSON), ("2", A)]


def test_control_messages_are_counted_and_hold_no_payloads() -> None:
    control = text({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "message": "checking health"}]})
    assert unframe(control) == Framed((), 0, 1)
    framed = unframe(kpl.aggregate([control, gzip.compress(control, mtime=0), GOOD]))
    assert (framed.control, [each.sub_sequence for each in framed.payloads]) == (2, [(2,)])


@pytest.mark.parametrize("message", [{"messageType": "DATA_MESSAGE"}, {"messageType": "other", "logEvents": []}])
def test_an_object_that_only_resembles_cloudwatch_logs_is_a_payload(message: Event) -> None:
    assert read(text(message)) == [("", message)]


def rows(line: str) -> dict[str, Any] | None:
    cells = line.split("\t")
    return dict(zip("abc", cells, strict=True)) if len(cells) == 3 else None


def test_text_that_is_no_json_is_read_as_rows_where_a_mapping_has_columns() -> None:
    assert read(b"1\t2\t3\r\n\n4\t5\t6\n", rows=rows) == [
        ("0", {"a": "1", "b": "2", "c": "3"}),
        ("1", {"a": "4", "b": "5", "c": "6"}),
    ]
    assert read(gzip.compress(b'"1"\t2\t\n'), rows=rows) == [("", {"a": '"1"', "b": "2", "c": ""})]
    assert read(b"1\t2\t3\n1\t2\n\xff\t2\t3", rows=rows)[1:] == [
        ("1", Reason.INVALID_JSON),
        ("2", Reason.INVALID_UTF8),
    ]
    assert read(kpl.aggregate([GOOD, b"1\t2\t3"]), rows=rows)[1:] == [("1", {"a": "1", "b": "2", "c": "3"})]
    assert read(b'{"a"\t1\t2', rows=rows) == [("", Reason.INVALID_JSON)]
    assert read(GOOD + b"\n" + GOOD, rows=rows) == [("0", A), ("1", A)]
    assert read(base64.b64encode(b"one\t2\t3"), rows=rows) == [("", Reason.INVALID_JSON)]
    assert read(b",,,\t2\t" + b"," * 1_100_000, rows=rows)[0][0] == ""
    assert isinstance(read(b",,,\t2\t" + b"," * 1_100_000, rows=rows)[0][1], dict)


ROWS = """
columns = ["a", "b", "c"]
separator = "\\t"
[[rule]]
name = "any"
[rule.event]
sessionId = "a"
eventType = "b"
userId = "c"
"""
ODD = st.sampled_from(
    [
        "a",
        "1",
        "eyJhIjoxfQ",
        "-",
        ".",
        "e",
        "\t",
        ",",
        "|",
        " ",
        "\n",
        "\r",
        "\0",
        "é",
        '"',
        "{",
        "[",
        "=",
        "PAR1",
        "x^",
    ]
)


@pytest.mark.parametrize(
    "data",
    [
        b"a\t1\t2\r\n\n",
        b"a\t1\n2\t3",
        b"1\t",
        b"1\t \t2",
        b"PAR1\ta\t1",
        b"aaaa\t",
        b"eyJhIjoxfQ\t\0",
        b"hC\t\xc3\xa9",
        b"a\t\xff",
        b"a,b\t1",
    ],
)
def test_a_row_that_is_a_whole_record_is_read_as_one_among_others(data: bytes) -> None:
    """A row that comes compressed is never read at once."""
    rows = mapping_file.deployed(ROWS, file="m.toml").rows
    assert read(data, rows=rows) == read(gzip.compress(data), rows=rows)


@given(st.lists(ODD, max_size=8).map(lambda parts: "".join(parts).encode()))
def test_whatever_is_a_whole_record_is_read_as_among_others(data: bytes) -> None:
    test_a_row_that_is_a_whole_record_is_read_as_one_among_others(data)


def test_lines_of_json_may_stand_among_rows() -> None:
    row = {"a": "1", "b": "2", "c": "3"}
    assert read(b"1\t2\t3\n%b\n1\t2\t3" % GOOD, rows=rows) == [("0", row), ("1", A), ("2", row)]
    assert read(b"1\t2\t3\n[%b,%b]" % (GOOD, GOOD), rows=rows) == [("0", row), ("1.0", A), ("1.1", A)]
    assert read(b"%b\n1\t2\t3\n{,}" % GOOD, rows=rows) == [("0", A), ("1", row), ("2", Reason.INVALID_JSON)]
    assert read(b'1\t2\t3\n["x\t2\t3', rows=rows) == [("0", row), ("1", row | {"a": '["x'})]


def test_what_inflating_made_is_told() -> None:
    assert unframe(GOOD).inflated == 0
    assert unframe(gzip.compress(GOOD, mtime=0)).inflated == len(GOOD)
    inner = gzip.compress(GOOD, mtime=0)
    assert unframe(gzip.compress(inner, mtime=0)).inflated == len(GOOD) + len(inner)
    assert unframe(kpl.aggregate([inner, inner])).inflated == 2 * len(GOOD)


BOMBS = {
    "zeros": (gzip.compress(bytes(20 << 20)), Reason.TOO_LARGE),
    "nested zeros": (nested(bytes(20 << 20), 3), Reason.TOO_LARGE),
    "too many layers": (nested(GOOD, 50), Reason.TOO_DEEP),
    "a million objects": (gzip.compress(b"{}" * 1_000_000), Reason.TOO_MANY_EVENTS),
    "a million numbers": (gzip.compress(b"1 " * 1_000_000), Reason.INVALID_JSON),
    "a million lines": (gzip.compress(b"{}\n" * 1_000_000), Reason.TOO_MANY_EVENTS),
    "a list of millions": (gzip.compress(b"[" + b"{}," * 3_000_000 + b"{}]"), Reason.TOO_MANY_EVENTS),
    "an object of millions": (gzip.compress(b'{"a":[' + b"[]," * 3_000_000 + b"{}]}"), Reason.TOO_MANY_EVENTS),
    "texts by the million": (gzip.compress(b'"a"' * 3_000_000), Reason.INVALID_JSON),
    "brackets": (gzip.compress(b"[" * 9_000_000), Reason.TOO_MANY_EVENTS),
    "braces": (b'{"a":' * 200_000, Reason.TOO_DEEP),
    "broken objects": (gzip.compress(b'{"a"}' * 900_000), Reason.TOO_MANY_EVENTS),
    "quotes": (gzip.compress(b"{" + b'"' * 9_000_000), Reason.INVALID_JSON),
    "lists in an aggregate": (
        kpl.aggregate([gzip.compress(b'{"a":[' + b",".join([b"[" * 400 + b"]" * 400] * 80) + b"]}")] * 160),
        Reason.TOO_MANY_EVENTS,
    ),
    "records": (kpl.aggregate([b""] * (MAX_PAYLOADS + 1)), Reason.TOO_MANY_EVENTS),
    "members": (gzip.compress(b"", mtime=0) * 100_000, Reason.TOO_LARGE),
    "control messages": (b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}\n' * 20_001, Reason.TOO_MANY_EVENTS),
}


@pytest.mark.slow  # bombs are large
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_one_rejected_payload_in_bounded_memory(bomb: str) -> None:
    data, reason = BOMBS[bomb]
    tracemalloc.start()
    got = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got == [("", reason)]
    assert peak < 200 << 20


def test_as_many_payloads_as_allowed_are_read_and_not_one_more() -> None:
    half = text([A] * (MAX_PAYLOADS // 2))
    assert len(read(kpl.aggregate([half, half]))) == MAX_PAYLOADS
    assert read(kpl.aggregate([half, half, GOOD])) == [("", Reason.TOO_MANY_EVENTS)]
    assert len(read(kpl.aggregate([GOOD] * MAX_PAYLOADS))) == MAX_PAYLOADS


def test_as_many_bytes_as_allowed_are_inflated_over_all_layers() -> None:
    padded = GOOD + b" " * (MAX_INFLATED - 3 * len(GOOD))
    small = gzip.compress(GOOD, mtime=0)
    assert read(kpl.aggregate([gzip.compress(padded, mtime=0), small, small])) == [("0", A), ("1", A), ("2", A)]
    assert read(kpl.aggregate([gzip.compress(padded, mtime=0), small, small, small, GOOD])) == [
        ("0", A),
        ("1", A),
        ("2", A),
        ("3", Reason.TOO_LARGE),
        ("4", A),
    ]


def test_ten_thousand_records_in_an_aggregate() -> None:
    events = [{"sessionId": "s", "n": number} for number in range(10_000)]
    events[5_000]["note"] = "x" * 200  # its length takes two bytes
    got = read(kpl.aggregate([text(each) for each in events]))
    assert got == [(str(number), event) for number, event in enumerate(events)]


def test_a_record_of_three_thousand_lines_with_two_bad_ones() -> None:
    lines = [text({"sessionId": "s", "n": number}) for number in range(3000)]
    lines[7] = lines[7][:-1]
    lines[2000] = b"garbage"
    got = read(b"\n".join(lines))
    assert len(got) == 3000
    assert [place for place, value in got if value == Reason.INVALID_JSON] == ["7", "2000"]


CANARY = "kanarie"
BEGINNINGS = [
    b'{"',
    b"{'",
    b'{"a":',
    b'[{"a":"',
    b"<",
    b"a,b,",
    b'"',
    b'{"a":1}\n',
    b'{"messageType":"DATA_MESSAGE","logEvents":["',
]
ENDS = [b'"', b'":1}', b"}", b'"}]', b'"]}', b"\\'", b":}"]


@settings(max_examples=200)
@given(
    st.binary(max_size=40) | st.sampled_from(BEGINNINGS),
    st.binary(max_size=20) | st.sampled_from(ENDS),
    st.sampled_from(["", *packing.WRAPPERS, "array", "aggregate"]),
)
def test_whatever_a_record_holds_it_is_read_or_rejected_and_no_message_repeats_it(
    before: bytes, after: bytes, packed_in: str
) -> None:
    data = before + CANARY.encode() + after
    data = data if packed_in != "string" else data.decode(errors="replace").encode()
    if packed_in in packing.WRAPPERS:
        data = packing.WRAPPERS[packed_in](data)
    elif packed_in:
        data = b"[%b]" % data if packed_in == "array" else kpl.aggregate([data, data])
    payloads = unframe(data).payloads
    assert payloads
    for payload in payloads:
        assert isinstance(payload.value, dict | InvalidRecord)
        assert not isinstance(payload.value, InvalidRecord) or CANARY not in str(payload.value)
