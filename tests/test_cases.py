"""Payloads of real shapes: each is delivered, member by member, or rejected with the words that say why.

tests/cases/expected.jsonl has a line for each record. Its files for the command are tests/cli's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from personalize_relay.events import Origin, Parsed, Trackers, dotted
from personalize_relay.parsing import parse

CASES = Path(__file__).with_name("cases")
EXPECTED = CASES / "expected.jsonl"
FOR_THE_COMMAND = {".csv", ".tsv"}
ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=1_795_512_660.0)
"""2026-11-24T09:31:00Z."""
TRACKERS = Trackers(default="tracker-1")


def records() -> Iterator[tuple[str, bytes]]:
    """Each record of the cases, by its file and its line there."""
    for file in sorted(CASES.iterdir()):
        if file.suffix in FOR_THE_COMMAND or file in {EXPECTED, CASES / "15h-utf16.jsonl"}:
            continue
        data = file.read_bytes()
        for number, record in enumerate(data.splitlines() if file.suffix == ".jsonl" else [data], start=1):
            yield f"{file.name}:{number}", record


def described(parsed: Parsed) -> dict[str, Any]:
    """What came of a record, in the API's words; of its members those that it has."""
    return {
        "events": [
            {"at": dotted(each.source.sub_sequence), "index": each.source.index}
            | {"trackingId": each.tracking_id, "userId": each.user_id, "sessionId": each.session_id}
            | msgspec.to_builtins(each.event)
            for each in parsed.interactions
        ],
        "rejected": [
            {"at": dotted(each.sub_sequence), "index": each.index, "reason": each.reason, "detail": each.detail}
            for each in parsed.rejections
        ],
        "renamed": parsed.renamed_members,
        "unknown": parsed.unknown_members,
    }


def expected() -> dict[str, Any]:
    """What should come of each record."""
    return {line.pop("record"): line for line in map(json.loads, EXPECTED.read_text().splitlines())}


@pytest.mark.parametrize(("name", "record"), list(records()))
def test_a_payload_of_a_real_shape_becomes_what_it_means(name: str, record: bytes) -> None:
    assert json.loads(msgspec.json.encode(described(parse(record, ORIGIN, TRACKERS)))) == expected()[name]


def test_every_record_of_the_cases_has_its_line() -> None:
    assert [name for name, _ in records()] == list(expected())
