"""The bucket belongs to the stack, and yet anybody may put anything there."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from local.bucket import StoredFailures
from local.emulator.emulator import Emulator
from local.terminal import telling

LINE: dict[str, Any] = {
    "schema": "personalize-relay.quarantine/2",
    "source": {"sequenceNumber": "1"},
    "rejected": [{"subSequence": None, "index": 0, "reason": "missing_member"}],
}
SPOILT: list[dict[str, Any]] = [
    {"schema": "personalize-relay.quarantine/3"},
    {"source": None},
    {"source": {}},
    {"rejected": None},
    {"rejected": [{}]},
    {"rejected": ["missing_member"]},
    {"rejected": [LINE["rejected"][0] | {"index": []}]},
]
FOREIGN = [
    *(b"", b"\n", b"\x00\xff\xfe", b"{", b"null", b"42", b"[]", b"{}", b"\xef\xbb\xbf{}", b"[" * 100_000),
    *(b'{"rejected": ' + b"9" * 5000 + b"}", b'"\\ud800"'),
    *(json.dumps(LINE | members).encode() for members in SPOILT),
]
KEYS = [
    *("notes.txt", "other/a", "other/b", "[/red]", ":key:", "quarantine/", "quarantine/[bold]", "quarantine//", "/"),
    *("quarantine/\x1b[2J", "quarantine/\u202e", "quarantine/a b+c%2F&<>\"'", "quarantine/..", "quarantine/\u6c34?"),
    *("quarantine/../../x", "quarantine/" + "k" * 1000, "quarantine/\r\n", "quarantine/\x01"),
]


def bucket_of(emulator: Emulator, name: str) -> tuple[StoredFailures, list[str]]:
    """A new bucket, and what is told of it."""
    told: list[str] = []
    named = name.replace("_", "-").replace("[", "-").replace("]", "")[:50]
    emulator.client("s3").create_bucket(Bucket=named)
    return StoredFailures(emulator.client("s3"), named, told.append), told


@pytest.mark.parametrize("place", range(len(FOREIGN)))
def test_bytes_of_another_kind_are_skipped_and_said_once(emulator: Emulator, name: str, place: int) -> None:
    """Whatever they are; and what the relay wrote into the same object counts."""
    bucket, told = bucket_of(emulator, name)
    line = json.dumps(LINE).encode()
    put = emulator.client("s3").put_object
    put(Bucket=bucket.name, Key="quarantine/good", Body=line + b"\n" + line)
    put(Bucket=bucket.name, Key="quarantine/foreign", Body=FOREIGN[place])
    put(Bucket=bucket.name, Key="quarantine/mixed", Body=line + b"\n" + (FOREIGN[place].strip() or b"x"))
    for _ in range(2):
        assert list(bucket.quarantine()) == [LINE] * 3
    assert sorted(each.rpartition(": ")[2] for each in told) == ["quarantine/foreign", "quarantine/mixed"]


def test_any_key_is_skipped_and_said_once(emulator: Emulator, name: str) -> None:
    """What lies in another folder is said with that folder, and no key steers the terminal."""
    bucket, told = bucket_of(emulator, name)
    for key in KEYS:
        emulator.client("s3").put_object(Bucket=bucket.name, Key=key, Body=b"\x00")
    for _ in range(2):
        assert list(bucket.quarantine()) == []
    output = io.StringIO()
    for each in told:
        assert each.isprintable()
        telling(Console(file=output, force_terminal=True, color_system=None))(each)
    assert output.getvalue().splitlines() == told
    assert len(told) == len(KEYS) - 1, told


def test_what_others_of_the_relay_store_is_not_foreign(emulator: Emulator, name: str) -> None:
    bucket, told = bucket_of(emulator, name)
    for key in ("aws/lambda/m/s/2026/01/01/batch", "redriven/ledger"):
        emulator.client("s3").put_object(Bucket=bucket.name, Key=key, Body=b"{}")
    assert (list(bucket.quarantine()), told) == ([], [])
