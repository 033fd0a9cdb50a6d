"""Read one Kinesis record: its place in the stream, and its events."""

from typing import Any, Self

import msgspec

from personalize_relay import events, parsing
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.mapping import Mapping


def position(given: dict[str, Any]) -> int:
    """The place in its shard of a record of a Lambda event, known even if the record can't be read."""
    return int(given["kinesis"]["sequenceNumber"])


class Record(events.Origin, frozen=True, kw_only=True):
    """A record's description by Kinesis, and its data as Lambda hands it over, in base64."""

    stream_arn: str
    partition_key: str
    position: int
    data: str

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """Take the members that the relay uses from a Lambda event; raises KeyError if it isn't a Kinesis record."""
        kinesis = given["kinesis"]
        return cls(
            stream=given["eventSourceARN"].rpartition("/")[2],
            stream_arn=given["eventSourceARN"],
            shard_id=given["eventID"].partition(":")[0],
            sequence_number=kinesis["sequenceNumber"],
            position=int(kinesis["sequenceNumber"]),
            partition_key=kinesis["partitionKey"],
            arrival=float(kinesis["approximateArrivalTimestamp"]),
            data=kinesis["data"],
        )

    @property
    def shard(self) -> str:
        """The record's stream and shard."""
        return f"{self.stream_arn}:{self.shard_id}"

    def parse(self, trackers: events.Trackers, mapping: Mapping | None = None) -> events.Parsed:
        """The interactions and rejections of the record's payloads."""
        try:
            data = self._decoded()
        except InvalidRecord as bad:
            return parsing.rejected(bad)
        return parsing.parse(data, self, trackers, mapping)

    def _decoded(self) -> bytes:
        try:
            return msgspec.convert(self.data, bytes)
        except ValueError as exc:
            raise InvalidRecord(Reason.INVALID_BASE64, "the record's data is not base64") from exc
