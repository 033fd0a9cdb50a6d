"""The stack's bucket: which objects of it hold what is asked for, and their records one by one.

Memory is flat: a page of keys and a few objects, none of which is much larger than an invocation's 6 MB.
"""

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from personalize_relay_cli.recovery.bucket import Bucket, Stored, StoredBody
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


class StoredObject(NamedTuple):
    """An object, its records, and what can't be read of it."""

    key: str
    content: StoredBody | None
    """None where nothing of it can be read."""
    records: list[SetAside]
    flaws: list[Flaw]


class FailureBucket(Bucket):
    """The bucket of a deployed stack."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        super().__init__(s3, name)
        self.shards: set[str] = set()
        """All that something is of, as far as was looked, whichever is asked for."""

    def contents(self, selection: Selection) -> Iterator[StoredObject]:
        """The objects that may hold what is asked for, in the order of their keys, and what doesn't belong there.

        Some are read ahead, as each is a small one and a round trip.
        """
        with ThreadPoolExecutor(READ_AHEAD) as pool:
            reading: deque[tuple[str, Future[StoredBody | Flaw]]] = deque()
            for each in self._objects(selection):
                reading.append((each.key, pool.submit(self._read, each)))
                if len(reading) > READ_AHEAD:
                    key, read = reading.popleft()
                    yield _stored_object(key, read.result())
            yield from (_stored_object(key, read.result()) for key, read in reading)

    def content(self, key: str) -> StoredObject:
        """One of these objects, as it is now."""
        return _stored_object(key, self._read(Stored(key, 0)))

    def _read(self, listed: Stored | Flaw) -> StoredBody | Flaw:
        if isinstance(listed, Flaw):
            return listed
        return self.read(listed.key) or Flaw(listed.key, None, "gone since it was listed: expired, or deleted")

    def _objects(self, selection: Selection) -> Iterator[Stored | Flaw]:
        yield from self._foreign("", {QUARANTINE, "aws/", REDRIVEN})
        yield from self._foreign("aws/", {ON_FAILURE})
        for shard in self._shards(selection):
            if isinstance(shard, Flaw):
                yield shard
            else:
                yield from self._on_failure(shard, selection)
        yield from self._quarantine(selection)

    def _foreign(self, prefix: str, known: set[str]) -> Iterator[Flaw]:
        for each in self.children(prefix):
            if each not in known:
                what = "not of the relay: nothing under it was read" if each.endswith("/") else "not of the relay"
                yield Flaw(each, None, what)

    def _shards(self, selection: Selection) -> Iterator[str | Flaw]:
        """The prefixes of the mappings' shards; a shard of another id holds nothing for the selection."""
        for mapping in self.children(ON_FAILURE):
            for shard in self.children(mapping) if mapping.endswith("/") else [mapping]:
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


def _stored_object(key: str, read: StoredBody | Flaw) -> StoredObject:
    if isinstance(read, Flaw):
        return StoredObject(key, None, [], [read])
    lines = read.body.splitlines()
    found = list(read_on_failure(key, read.body) if key.startswith(ON_FAILURE) else read_quarantine(key, lines))
    records = [each for each in found if isinstance(each, SetAside)]
    return StoredObject(key, read, records, [each for each in found if isinstance(each, Flaw)])


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
