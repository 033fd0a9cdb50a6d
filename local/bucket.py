"""The stack's bucket: finds the relay's objects among those of others."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

QUARANTINE = "quarantine/"
OF_OTHERS = {"aws/", "redriven/"}
"""The folders for batches that Lambda gave up, and for the ledger of `relay failed redrive`."""


class _Source(msgspec.Struct, rename="camel"):
    sequence_number: str


class _Rejection(msgspec.Struct, rename="camel"):
    sub_sequence: str | None
    index: int | None
    reason: str


class _Line(msgspec.Struct):
    """A line of the quarantine (docs/events.md), with only the members that an account needs."""

    schema: Literal["personalize-relay.quarantine/2"]
    source: _Source
    rejected: list[_Rejection]


class StoredFailures:
    """A bucket of this name; `tell` gets a line for each skipped object, once."""

    def __init__(self, s3: "S3Client", name: str, tell: Callable[[str], None]) -> None:
        self.name = name
        self._s3 = s3
        self._tell = tell
        self._told: set[str] = set()

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The objects under a prefix, by key."""
        objects = {}
        for key in self._keys(prefix):
            with suppress(self._s3.exceptions.NoSuchKey):  # somebody deleted it meanwhile
                objects[key] = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return objects

    def quarantine(self) -> Iterator[dict[str, Any]]:
        """The quarantined records, as docs/events.md describes them; other objects are skipped."""
        for key in self._foreign():
            self._skip(key)
        for key, body in self.objects(QUARANTINE).items():
            lines = [_read(line) for line in body.splitlines()] or [None]
            if None in lines:
                self._skip(key)
            yield from (line for line in lines if line is not None)

    def _keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def _foreign(self) -> list[str]:
        """The objects and folders beside those of the relay; folders end with a slash."""
        pages = list(self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Delimiter="/"))
        folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
        plain = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return [each for each in (*folders, *plain) if each != QUARANTINE and each not in OF_OTHERS]

    def _skip(self, key: str) -> None:
        if key not in self._told:
            self._told.add(key)
            # Anybody who may write to the bucket chooses the keys, and a key must not steer a terminal.
            shown = "".join(letter if letter.isprintable() else "?" for letter in key)
            self._tell(f"skipped in the bucket, because it isn't the relay's: {shown}")


def _read(line: bytes) -> dict[str, Any] | None:
    """The line's members, or None if it isn't a line of the quarantine."""
    try:
        msgspec.json.decode(line, type=_Line)
        members: dict[str, Any] = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None
    return members
