"""What can't be read is called what it looks like."""

import pytest

from personalize_relay import framing
from personalize_relay.errors import InvalidRecord, Reason

OBJECT = '{"sessionId": "s", "n": 1}'


def told(data: bytes) -> InvalidRecord:
    (payload,) = framing.unframe(data).payloads
    assert isinstance(payload.value, InvalidRecord)
    return payload.value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Obj\x01\x04\x14avro.codec", "an Avro object container"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"PK\x03\x04\x14\x00", "a zip archive"),
        (b"\n\x07visit-7\x12\tshopper-4\x2a\x02\xc3(", "protobuf or another binary format"),
        (b"\x08\x01\x12\x03abc", "protobuf or another binary format"),
        (b"<event/>", "XML or HTML"),
        (b"\n <!DOCTYPE html>", "XML or HTML"),
        (b"{'sessionId': 's'}", "Python's repr"),
        (b"[{'sessionId': 's'}]", "Python's repr"),
        (b"{b'sessionId': 's'}", "Python's repr"),
        (b'{"a": True}', "Python's repr"),
        (b'{"a": [None]}', "Python's repr"),
        (b'{"title": "Children\\\'s boots"}', "single quotes escaped with a backslash"),
        (b'{"a":,"b":1}', "a value is missing after a colon"),
        (b'{"a": }', "a value is missing after a colon"),
        (b"a\tb\tc\n1\t2\t3", "CSV or tab-separated text"),
        (b"a,b,c", "CSV or tab-separated text"),
        (b"a;b;c", "CSV or tab-separated text"),
        (b'{"a":', "cut off at its end"),
        (b'{"a": "text', "cut off at its end"),
        (b'{"a": 1, \n', "cut off at its end"),
        (b'[{"a": 1}', "cut off at its end"),
        (b"not json", "not JSON: character 0"),
        (b'{"a" 1}', "not JSON: character 5"),
        (b'{"a": 1}}', "not JSON: character 8"),
    ],
)
def test_what_is_no_json_is_named(data: bytes, words: str) -> None:
    bad = told(data)
    assert bad.reason == Reason.INVALID_JSON
    assert words in bad.detail


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named_with_its_mark_or_without(encoding: str) -> None:
    bad = told(OBJECT.encode(encoding))
    assert (bad.reason, bad.detail) == (Reason.INVALID_UTF8, "the payload looks like UTF-16: encode it as UTF-8")


def test_utf_16_big_endian_is_named_by_its_mark() -> None:
    assert "UTF-16" in told(b"\xfe\xff" + "\u0416\u0416".encode("utf-16-be")).detail


def test_another_encoding_is_told_by_its_place() -> None:
    bad = told('{"city": "Z\u00fcrich"}'.encode("latin-1"))
    assert (bad.reason, "character 11 " in bad.detail) == (Reason.INVALID_UTF8, True)


@pytest.mark.parametrize("data", [b"\x00a", b"a\x00", b"a\x00b"])
def test_a_stray_nul_is_no_utf_16(data: bytes) -> None:
    assert "UTF-16" not in told(data).detail
