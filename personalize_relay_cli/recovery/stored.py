"""The stack's bucket: which objects of it hold what is asked for, and their records one by one.

Memory is flat: a page of keys and a few objects, none of which is much larger than an invocation's 6 MB.
"""

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import Flaw, SetAside, read_on_failure, read_quarantine

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

QUARANTINE = "quarantine/"
ON_FAILURE = "aws/lambda/"
REDRIVEN = "redriven/"
"""The prefixes: the function's (its default, which the stack keeps), the mapping's (Lambda's choice), the ledger's."""

LONGEST_SPAN = timedelta(days=8)
"""A quarantine object is dated by its first record. The last arrived at most 7 days later: the mapping keeps none so
long, by its setting's limit."""
CLOCKS_APART = 300.0
"""Seconds that the clocks of Kinesis and S3 may differ."""
READ_AHEAD = 8
"""Objects that are read at once."""

_QUARANTINE_KEY = re.compile(
    r"quarantine/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/"
    r".+-(?P<shard>shardId-\d+)-(?P<first>\d+)-(?P<last>\d+)-[0-9a-f]{16}\.jsonl"
)
_ON_FAILURE_KEY = re.compile(r"aws/lambda/[^/]+/[^/]+/\d{4}/\d\d/\d\d/[^/]+")


class Stored(NamedTuple):
    """An object that may hold records asked for."""

    key: str
    modified: float
    """Epoch seconds: none of its records arrived later."""


class StoredObject(NamedTuple):
    """An object and its records."""

    key: str
    records: Iterator[SetAside | Flaw]
    body: bytes
    etag: str


class _Read(NamedTuple):
    body: bytes
    etag: str


class FailureBucket:
    """The bucket of a deployed stack."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name
        self.shards: set[str] = set()
        """All that something is of, as far as was looked, whichever is asked for."""

    def objects(self, selection: Selection) -> Iterator[Stored | Flaw]:
        """The objects that may hold what is asked for, in the order of their keys, and what doesn't belong there."""
        yield from self._foreign("", {QUARANTINE, "aws/", REDRIVEN})
        yield from self._foreign("aws/", {ON_FAILURE})
        for shard in self._shards(selection):
            if isinstance(shard, Flaw):
                yield shard
            else:
                yield from self._on_failure(shard, selection)
        yield from self._quarantine(selection)

    def contents(self, selection: Selection) -> Iterator[StoredObject | Flaw]:
        """The same objects with their records; some are read ahead, as each is a small one and a round trip."""
        with ThreadPoolExecutor(READ_AHEAD) as pool:
            reading: deque[Flaw | tuple[str, Future[_Read | None]]] = deque()
            for each in self.objects(selection):
                reading.append(each if isinstance(each, Flaw) else (each.key, pool.submit(self._read, each.key)))
                if len(reading) > READ_AHEAD:
                    yield _awaited(reading.popleft())
            yield from map(_awaited, reading)

    def content(self, key: str) -> StoredObject | Flaw:
        """One of these objects, as it is now."""
        return _content(key, self._read(key))

    def _read(self, key: str) -> _Read | None:
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=key)
            return _Read(answer["Body"].read(), answer["ETag"])
        except self._s3.exceptions.NoSuchKey:
            return None

    def keys(self, prefix: str, after: str = "") -> Iterator[Stored]:
        """Every key under a prefix that comes after another, in order, but for those of folders."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, StartAfter=after)
        for page in pages:
            for each in page.get("Contents", []):
                # A folder as the console makes it: an object that holds nothing.
                if each["Size"] or not each["Key"].endswith("/"):
                    yield Stored(each["Key"], each["LastModified"].timestamp())

    def _children(self, prefix: str) -> Iterator[str]:
        """What lies directly under a prefix, without the object of that very name: keys, and prefixes with a slash."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            yield from (each["Prefix"] for each in page.get("CommonPrefixes", []))
            yield from (each["Key"] for each in page.get("Contents", []) if each["Key"] != prefix)

    def _foreign(self, prefix: str, known: set[str]) -> Iterator[Flaw]:
        for each in self._children(prefix):
            if each not in known:
                what = "not of the relay: nothing under it was read" if each.endswith("/") else "not of the relay"
                yield Flaw(each, None, what)

    def _shards(self, selection: Selection) -> Iterator[str | Flaw]:
        """The prefixes of the mappings' shards; a shard of another id holds nothing for the selection."""
        for mapping in self._children(ON_FAILURE):
            for shard in self._children(mapping) if mapping.endswith("/") else [mapping]:
                if not shard.endswith("/"):
                    yield Flaw(shard, None, "not of Lambda, by its key")
                    continue
                shard_id = shard.removeprefix(mapping).removesuffix("/")
                self.shards.add(shard_id)
                if selection.shard in {None, shard_id}:
                    yield shard

    def _on_failure(self, prefix: str, selection: Selection) -> Iterator[Stored | Flaw]:
        # Dated by when the object was stored: no record in it arrived later.
        after = "" if selection.since is None else f"{prefix}{_date(selection.since - CLOCKS_APART):%Y/%m/%d}"
        for stored in self.keys(prefix, after):
            if not _ON_FAILURE_KEY.fullmatch(stored.key):
                yield Flaw(stored.key, None, "not of Lambda, by its key")
            elif _recent(stored, selection):
                yield stored

    def _quarantine(self, selection: Selection) -> Iterator[Stored | Flaw]:
        after = "" if selection.since is None else _hour(_date(selection.since) - LONGEST_SPAN)
        last = None if selection.until is None else _hour(_date(selection.until))
        for stored in self.keys(QUARANTINE, after):
            if last is not None and stored.key[: len(last)] > last:
                return
            match = _QUARANTINE_KEY.fullmatch(stored.key)
            if match is None:
                yield Flaw(stored.key, None, "not of the relay, by its key")
                continue
            self.shards.add(match["shard"])
            if _recent(stored, selection) and _within(match, selection):
                yield stored


def _awaited(reading: Flaw | tuple[str, Future[_Read | None]]) -> StoredObject | Flaw:
    return reading if isinstance(reading, Flaw) else _content(reading[0], reading[1].result())


def _content(key: str, read: _Read | None) -> StoredObject | Flaw:
    if read is None:
        return Flaw(key, None, "gone since it was listed: expired, or deleted")
    body = read.body
    by_kind = read_on_failure(key, body) if key.startswith(ON_FAILURE) else read_quarantine(key, body.splitlines())
    return StoredObject(key, by_kind, body, read.etag)


def _recent(stored: Stored, selection: Selection) -> bool:
    return selection.since is None or stored.modified >= selection.since - CLOCKS_APART


def _within(key: re.Match[str], selection: Selection) -> bool:
    """Whether what the key says of its records leaves room for what is asked for."""
    if selection.shard not in {None, key["shard"]}:
        return False
    number = selection.sequence_number
    return number is None or int(key["first"]) <= int(number) <= int(key["last"])


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _hour(moment: datetime) -> str:
    return f"{QUARANTINE}{moment:year=%Y/month=%m/day=%d/hour=%H}"
