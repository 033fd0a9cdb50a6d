"""Records as real producers write them, byte for byte: all of each is read, or told what it looks like."""

from pathlib import Path
from typing import Any

import pytest

from personalize_relay.errors import InvalidRecord
from personalize_relay.framing import Payload, unframe

CASES = Path(__file__).parent / "cases"


def payloads(name: str) -> tuple[Payload, ...]:
    return unframe((CASES / name).read_bytes()).payloads


@pytest.mark.parametrize(
    ("name", "member", "values"),
    [
        ("09a-newline-joined.txt", "itemId", ["sku-1", "sku-2", "sku-3"]),
        ("09b-array.json", "itemId", ["sku-1", "sku-2", "sku-3"]),
        ("09d-literal-backslash-n.txt", "itemId", ["sku-1", "sku-2", "sku-3"]),
        ("09e-one-with-newline.txt", "itemId", ["sku-1"]),
        ("09f-one-with-literal-backslash-n.txt", "itemId", ["sku-1"]),
        ("09g-bom.txt", "itemId", ["sku-1"]),
        ("09h-kinesis-agent.txt", "itemId", [f"sku-{number}" for number in range(10)]),
        ("09j-trailing-comma-line.txt", "itemId", ["sku-1"]),
        ("10-kpl-aggregate.bin", "itemId", ["sku-1", "sku-2", "sku-3"]),
        ("11a-zlib.bin", "itemId", ["sku-1"]),
        ("11c-cloudwatch-logs-gzip.bin", "itemId", ["sku-1", "sku-2"]),
        ("12-base64-twice.txt", "itemId", ["sku-1"]),
        ("12c-segment-base64.txt", "event", ["Product Viewed"]),
        ("13d-nan.txt", "itemId", ["sku-1"]),
    ],
)
def test_every_event_is_read_in_its_place(name: str, member: str, values: list[Any]) -> None:
    got = payloads(name)
    assert [isinstance(each.value, dict) and each.value[member] for each in got] == values
    assert [each.sub_sequence for each in got] == ([()] if len(got) == 1 else [(index,) for index in range(len(got))])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("11d-zstd-magic.bin", "compressed_record: the payload is zstd"),
        ("13a-python-repr.txt", "invalid_json: the payload looks like Python's repr, not JSON"),
        ("13b-escape-javascript.txt", "invalid_json: .* single quotes escaped with a backslash"),
        ("13c-unquoted-template.txt", "invalid_json: .* a value is missing after a colon"),
        ("13e-latin1.txt", "invalid_utf8: the payload is not UTF-8 from character 151 on"),
        ("13f-utf16.txt", "invalid_utf8: the payload looks like UTF-16"),
        ("14b-snowplow-enriched.tsv.txt", "invalid_json: the payload looks like a Snowplow enriched event"),
        ("14d-protobuf.bin", "invalid_json: the payload looks like protobuf or another binary format"),
    ],
)
def test_what_cannot_be_read_is_one_rejection_that_names_it(name: str, words: str) -> None:
    (payload,) = payloads(name)
    assert isinstance(payload.value, InvalidRecord)
    with pytest.raises(InvalidRecord, match=words):
        raise payload.value
